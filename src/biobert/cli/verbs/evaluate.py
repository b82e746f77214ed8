"""`biobert evaluate`: a model on a corpus, with honest scores."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from biobert.cli.answer import Answer, JsonFlag, answering
from biobert.cli.engine import DeviceOption, EngineOption, PrecisionOption, runtime_settings

if TYPE_CHECKING:
    from biobert.core.document import Document
    from biobert.evaluation.report import EntityReport
    from biobert.pipeline.annotator import Annotator


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("evaluate")(evaluate)


@answering("evaluate")
def evaluate(
    model: Annotated[str, typer.Argument(help="A model folder, or `embedded`.")],
    corpus: Annotated[str, typer.Argument(help="A catalogue name, a folder or a file.")],
    split: Annotated[str, typer.Option(help="train, devel or test.")] = "test",
    report: Annotated[Path | None, typer.Option(help="Write the report as JSON.")] = None,
    rename: Annotated[
        list[str] | None, typer.Option(help="Rename a label of the corpus: NCBITaxon=Species.")
    ] = None,
    labels: Annotated[str | None, typer.Option(help="Score these only: Disease,Chemical.")] = None,
    confusion: Annotated[Path | None, typer.Option(help="Draw the tag confusion as PNG.")] = None,
    engine: EngineOption = "auto",
    precision: PrecisionOption = "auto",
    device: DeviceOption = None,
    as_json: JsonFlag = False,
) -> Answer:
    """Annotate a corpus from its raw text and score the entities: strict, by type, with errors."""
    import json
    import time

    from biobert.core.files import write_text
    from biobert.evaluation.plots import plot_confusion
    from biobert.evaluation.report import Setting, entity_report
    from biobert.pipeline.annotator import Annotator

    names = _names(rename or [])
    gold = _read(corpus, split, names)
    annotator = Annotator(model, settings=runtime_settings(engine, precision, device))
    scored = _labels(annotator, gold, labels)
    began = time.perf_counter()
    predicted = list(annotator.annotate_many(gold))
    setting = Setting(
        model=f"{annotator.model.manifest.name} {annotator.model.manifest.version}",
        corpus=corpus,
        split=split,
        labels=scored,
        seconds=time.perf_counter() - began,
        seen_mentions=_training_mentions(corpus, split, names),
    )
    scores = annotator.model.task.score(_annotated(gold, scored), predicted)
    found = entity_report(gold, predicted, setting, scores=scores)
    if report is not None:
        with write_text(report) as stream:
            json.dump(found.to_json(), stream, indent=2, ensure_ascii=False)
    if confusion is not None:
        plot_confusion(found.confusion, confusion)
    return Answer(found.to_json(), lambda: _show(found))


def _names(rename: list[str]) -> dict[str, str]:
    """`THEIRS=OURS` options as a mapping."""
    from biobert.core.errors import BadInputError

    pairs = [pair.partition("=") for pair in rename]
    for theirs, sign, ours in pairs:
        if not (theirs and sign and ours):
            raise BadInputError(
                f"--rename {theirs}{sign}{ours}: write it as THEIRS=OURS", code="usage"
            )
    return {theirs: ours for theirs, _, ours in pairs}


def _read(corpus: str, split: str, names: dict[str, str]) -> "list[Document]":
    from biobert.cli.places import cache_folder, data_root
    from biobert.data.catalogue import read_split, with_renamed_labels

    documents = read_split(corpus, split, data_root=data_root(), cache=cache_folder())
    return [with_renamed_labels(document, names) for document in documents]


def _labels(annotator: "Annotator", gold: "list[Document]", wanted: str | None) -> tuple[str, ...]:
    """The types that the model knows, the corpus annotates, and the caller asked for."""
    from biobert.core.errors import BadInputError
    from biobert.core.shelf import unknown_name

    known = annotator.model.manifest.task_settings.get("labels", ())
    annotated = {label for document in gold for label in document.annotated_labels}
    both = [label for label in known if label in annotated]
    if not both:
        raise BadInputError(
            f"the model finds {', '.join(known)}, the corpus annotates "
            f"{', '.join(sorted(annotated)) or 'nothing'}: none in common; use --rename THEIRS=OURS"
        )
    asked = wanted.split(",") if wanted else both
    for label in asked:
        if label not in both:
            raise unknown_name("label of model and corpus", label, both)
    return tuple(asked)


def _annotated(gold: "list[Document]", labels: tuple[str, ...]) -> "list[Document]":
    """The gold documents with the scored labels alone."""
    from dataclasses import replace

    kept = (document.with_entities(document.entities_labelled(labels)) for document in gold)
    return [replace(document, annotated_labels=labels) for document in kept]


def _training_mentions(corpus: str, split: str, names: dict[str, str]) -> set[str] | None:
    """The mentions of the corpus's own training split, for the figures on seen and unseen ones."""
    from biobert.core.errors import BiobertError

    if split == "train" or Path(corpus).is_file():
        return None
    try:
        documents = _read(corpus, "train", names)
    except BiobertError:
        return None
    return {one.mention(entity) for one in documents for entity in one.entities}


def _show(report: "EntityReport") -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    title = f"{report.model} on {report.corpus} {report.split}: strict, entity-level"
    table = Table(title=title, box=None, header_style="bold")
    for column in ("type", "precision", "recall", "F1", "mentions"):
        table.add_column(column, justify="left" if column == "type" else "right")
    rows = [*report.scores.by_label.items(), ("micro", report.scores.micro)]
    for name, one in rows:
        figures = (f"{100 * value:.2f}" for value in (one.precision, one.recall, one.f1))
        table.add_row(name, *figures, str(one.support), style="bold" if name == "micro" else "")
    console.print(table)
    for name, value in report.scores.details.items():
        if isinstance(value, float):
            console.print(f"{name.replace('_', ' ')}: {100 * value:.2f}")
    low, high = 100 * report.interval.low, 100 * report.interval.high
    console.print(f"95% interval of micro F1: {low:.2f} to {high:.2f} (bootstrap over sentences)")
    counts = ", ".join(f"{kind} {count}" for kind, count in report.errors.counts.items())
    console.print(f"answers: {counts}")
    if report.errors.recall_seen is not None and report.errors.recall_unseen is not None:
        console.print(
            f"recall of mentions seen in training {100 * report.errors.recall_seen:.2f}, "
            f"unseen {100 * report.errors.recall_unseen:.2f}"
        )
    console.print(
        f"{report.sentences} sentences in {report.seconds:.1f} s, "
        f"{report.sentences_per_second:.0f} sentences/s"
    )
