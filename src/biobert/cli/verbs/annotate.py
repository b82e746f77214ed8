"""`biobert annotate`: entities and relations in any text, in any format."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from biobert.cli.answer import JsonFlag, VerbAnswer, answering, unreadable
from biobert.cli.choices import listed_names, need_option
from biobert.cli.engine import (
    DeviceOption,
    EngineOption,
    ModelOption,
    PrecisionOption,
    ThreadsOption,
    runtime_settings,
)
from biobert.cli.rejects import RejectsOption, all_set_aside, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from biobert.core.errors import BadInputError
    from biobert.data.rejects import Rejects
    from biobert.pipeline.annotator import Annotator
    from biobert.pipeline.batch import Advance, BatchResult, Destination

CURE = "All else is done: mend this and, where the output is a folder, go on with --resume"


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("annotate")(annotate)


@answering("annotate")
def annotate(
    inputs: Annotated[list[str], typer.Argument(help="Files, folders, globs, or -.")],
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="A file, a folder, or - .")
    ] = None,
    formats: Annotated[
        list[str] | None, typer.Option("--to", help="Format to write; may come several times.")
    ] = None,
    source_format: Annotated[str | None, typer.Option("--from", help="Format to read.")] = None,
    model: ModelOption = "embedded",
    min_score: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Keep answers at least this sure.")
    ] = 0.0,
    labels: Annotated[str | None, typer.Option(help="Keep these types: Disease,Gene.")] = None,
    terms: Annotated[
        Path | None, typer.Option(help="Names to mark besides: rows of a type, a tab, a name.")
    ] = None,
    relations: Annotated[
        str | None, typer.Option(help="A model folder that relates the entities found.")
    ] = None,
    min_relation_score: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Keep relations at least this sure.")
    ] = 0.0,
    engine: EngineOption = "auto",
    precision: PrecisionOption = "auto",
    device: DeviceOption = None,
    threads: ThreadsOption = None,
    resume: Annotated[bool, typer.Option("--resume", help="Skip what is already done.")] = False,
    rejects: RejectsOption = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Annotate on so many workers of a Ray cluster.")
    ] = None,
    cores: Annotated[
        int | None, typer.Option(min=1, help="The cores that each worker takes; by default 1.")
    ] = None,
    as_json: JsonFlag = False,
) -> VerbAnswer:
    """Annotate text with a model and print a summary.

    With --output FOLDER every input gets a file in each --to format; with a file name, all
    documents go into that one. Without --output, the texts are shown with their entities.
    """
    from biobert.cli.summary import show_result
    from biobert.pipeline.annotator import Annotator
    from biobert.pipeline.batch import Destination, annotate_inputs, formats_of
    from biobert.pipeline.relating import nothing_to_relate

    settings = Destination(
        output=output, formats=tuple(formats or ()), source_format=source_format, resume=resume
    )
    if workers is None:
        need_option("--workers", "name how many there are", {"--cores": cores})
    if output is None:
        need_option("--output", "name where it is written", {"--to": formats})
    if workers is not None:
        model, relations = _absolute(model), relations and _absolute(relations)
    runtime = runtime_settings(engine, precision, device, threads)
    make = partial(
        Annotator,
        model,
        minimum_score=min_score,
        labels=listed_names(labels),
        relations=relations,
        minimum_relation_score=min_relation_score,
        terms=None if terms is None else _terms(terms),
        settings=runtime if workers is None else replace(runtime, threads=threads or cores or 1),
    )
    unrelated: str | None = None
    with listed(rejects) as set_aside, _progress() as advance:
        if workers is None:
            annotator = make()
            result = annotate_inputs(inputs, annotator, settings, set_aside, advance)
            unrelated = nothing_to_relate(annotator.model, result.labels)
        else:
            result = _on_ray(inputs, make, settings, set_aside, (workers, cores or 1), advance)
    not_held = result.not_held(formats_of(settings))
    lines = [*not_held, *filter(None, [unrelated])]
    show = partial(show_result, result, set_aside, lines, to_stdout=output == "-")
    data = {**_data(result, set_aside.count), "not_written": not_held, "unrelated": unrelated}
    return VerbAnswer(data, show, _problem(result, set_aside))


def _problem(result: "BatchResult", set_aside: "Rejects") -> "BadInputError | None":
    """What keeps the run from ending well: inputs that cannot be read, or no document that can."""
    if result.unreadable:
        return unreadable(result.unreadable.items(), CURE)
    done = result.documents + result.kept + result.skipped
    return all_set_aside("annotated", done, set_aside)


def _terms(path: Path) -> "Mapping[str, Sequence[str]]":
    from biobert.core.errors import BadInputError
    from biobert.data.lexicons import read_lexicon
    from biobert.data.rejects import Rejects

    rejects = Rejects()
    terms = read_lexicon(path, rejects)
    for one in rejects.kept:
        raise BadInputError(f"{one.file}:{one.place}: {one.reason}")
    return terms


def _on_ray(
    inputs: list[str],
    make: "Callable[[], Annotator]",
    settings: "Destination",
    set_aside: "Rejects",
    size: tuple[int, int],
    advance: "Advance",
) -> "BatchResult":
    from biobert.cli.extras import need_extra
    from biobert.cli.places import without_telemetry

    need_extra("ray", extra="scale")
    without_telemetry()
    from biobert.pipeline.scale import RayWorkers, annotate_on_ray

    workers = RayWorkers(*size)
    return annotate_on_ray(inputs, make, settings, set_aside, workers=workers, advance=advance)


def _absolute(model: str) -> str:
    """A model as the workers of a cluster find it, who work in a folder of their own."""
    from biobert.pipeline.load import SHIPPED

    return model if model in SHIPPED else str(Path(model).absolute())


def _progress() -> Any:

    @contextmanager
    def bar() -> Iterator[Any]:
        from rich.console import Console

        console = Console(stderr=True)
        with console.status("annotating") as status:
            yield lambda count, name: status.update(f"{count} documents, now {name}")

    return bar()


def _data(result: "BatchResult", set_aside: int) -> dict[str, Any]:
    data: dict[str, Any] = {
        "documents": result.documents,
        "sentences": result.sentences,
        "skipped": result.skipped,
        "kept": result.kept,
        "set_aside": set_aside,
        "entities": dict(result.labels.most_common()),
        "labels": dict(result.document_labels.most_common()),
        "relations": dict(result.relations.most_common()),
        "outputs": result.outputs,
        "seconds": round(result.seconds, 3),
        "sentences_per_second": round(result.sentences_per_second, 1),
        "model": result.model,
    }
    if result.shown:
        from biobert.data.formats.jsonl import document_to_json

        data["annotated"] = [document_to_json(document) for document in result.shown]
    return data
