"""`biobert evaluate`: a model on a corpus, with honest scores."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from biobert.cli.answer import JsonFlag, VerbAnswer, answering
from biobert.cli.choices import spare_inputs
from biobert.cli.engine import (
    DeviceOption,
    EngineOption,
    PrecisionOption,
    ThreadsOption,
    runtime_settings,
)
from biobert.cli.evaluated_on import (
    PartOption,
    RenameOption,
    WhereOption,
    asked_test_set,
    show_not_compared,
    show_shared,
)
from biobert.cli.rejects import RejectsOption, listed, show_set_aside

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console
    from rich.table import Table

    from biobert.core.task import Score
    from biobert.evaluation.errors import ErrorTable
    from biobert.evaluation.labels import ConfusionMatrix
    from biobert.evaluation.report import Report


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("evaluate")(evaluate)


@answering("evaluate")
def evaluate(
    model: Annotated[str, typer.Argument(help="A model folder, or `embedded`.")],
    corpus: Annotated[str, typer.Argument(help="A catalogue name, a folder or a file.")],
    split: Annotated[str, typer.Option(help="train, devel or test.")] = "test",
    report: Annotated[Path | None, typer.Option(help="Write the report as JSON.")] = None,
    rename: RenameOption = None,
    labels: Annotated[str | None, typer.Option(help="Score these only: Disease,Chemical.")] = None,
    where: WhereOption = None,
    part: PartOption = None,
    confusion: Annotated[Path | None, typer.Option(help="Draw the confusion as PNG.")] = None,
    vectors: Annotated[
        str | None, typer.Option(help="An encoder: how near its vectors of written texts are.")
    ] = None,
    rejects: RejectsOption = None,
    engine: EngineOption = "auto",
    precision: PrecisionOption = "auto",
    device: DeviceOption = None,
    threads: ThreadsOption = None,
    as_json: JsonFlag = False,
) -> VerbAnswer:
    """Let a model answer for a corpus and score it by its task: entities strictly and by type."""
    import json

    from biobert.cli.places import corpus_places
    from biobert.core.files import write_text
    from biobert.evaluation.plots import plot_confusion
    from biobert.pipeline.annotator import Annotator
    from biobert.pipeline.embedder import Embedder
    from biobert.pipeline.evaluating import evaluate as evaluated

    spare_inputs([corpus], report)
    test_set = asked_test_set(corpus, split, rename=rename, labels=labels, where=where, part=part)
    settings = runtime_settings(engine, precision, device, threads)
    annotator = Annotator(model, settings=settings)
    embedder = Embedder(vectors, settings=settings) if vectors else None
    with listed(rejects) as set_aside:
        found = evaluated(
            annotator, test_set, corpus_places(), embedder=embedder, rejects=set_aside
        )
    if report is not None:
        with write_text(report) as stream:
            json.dump(found.to_json(), stream, indent=2, ensure_ascii=False)
    if confusion is not None:
        plot_confusion(_confusion(found), confusion)
    return VerbAnswer(found.to_json(), lambda: _show(found))


def _confusion(report: "Report") -> "ConfusionMatrix":
    from biobert.core.errors import BadInputError

    if report.confusion is None:
        raise BadInputError("--confusion needs entities, or documents with one label each")
    return report.confusion


def _show(report: "Report") -> None:
    from rich.console import Console

    console = Console(highlight=False)
    setting = report.setting
    kind, by_word = setting.task, "by word (IOB2 tags): not the entity score"
    if report.errors is not None:
        kind = "strict, entity-level"
    elif report.token_level:
        kind, by_word = f"{setting.task}, strict", "labels of all that has one in the gold"
    title = f"{setting.model} on {setting.corpus} {setting.split}: {kind}"
    scores = report.scores
    if scores.by_label or scores.micro.f1:
        console.print(_table(title, [*scores.by_label.items(), ("micro", scores.micro)]))
    else:  # of ranks and of numbers micro says how many there are, and no more
        console.print(title, style="bold", markup=False)
    for name, value in scores.details.items():
        if isinstance(value, int | float):
            shown = f"{value:g}" if name in scores.amounts else f"{100 * value:.2f}"
            console.print(f"{name.replace('_', ' ')}: {shown}")
    low, high = 100 * report.interval.low, 100 * report.interval.high
    main, unit = 100 * report.scores.main, report.interval_unit
    console.print(f"main score {main:.2f}, 95% interval {low:.2f} to {high:.2f} (over {unit})")
    if setting.not_scored:
        unknown = ", ".join(f"{label} ({count})" for label, count in setting.not_scored.items())
        console.print(
            f"not scored, as the model does not know these types: {unknown}; where it has another "
            "name for one: --rename THEIRS=OURS",
            soft_wrap=True,
            markup=False,
        )
    training = report.setting.training
    if report.shared is not None:
        show_shared(console, report.shared)
    show_not_compared(console, training.sources, training.missing)
    if report.errors is not None:
        _show_errors(console, report.errors)
    if report.token_level:
        console.print()
        console.print(_table(by_word, report.token_level.items()))
    console.print(
        f"{report.documents} documents, {report.sentences} sentences in {setting.seconds:.1f} s, "
        f"{report.sentences_per_second:.0f} sentences/s"
    )
    show_set_aside(console, setting.set_aside)


def _table(title: str, rows: "Iterable[tuple[str, Score]]") -> "Table":
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None, header_style="bold")
    for column in ("label", "precision", "recall", "F1", "support"):
        table.add_column(column, justify="left" if column == "label" else "right")
    for name, one in rows:
        figures = (f"{100 * value:.2f}" for value in (one.precision, one.recall, one.f1))
        table.add_row(name, *figures, str(one.support), style="bold" if name == "micro" else "")
    return table


def _show_errors(console: "Console", errors: "ErrorTable") -> None:
    counts = ", ".join(f"{kind} {count}" for kind, count in errors.counts.items())
    console.print(f"answers: {counts}")
    if errors.recall_seen is not None and errors.recall_unseen is not None:
        console.print(
            f"recall of mentions seen in training {100 * errors.recall_seen:.2f}, "
            f"unseen {100 * errors.recall_unseen:.2f}"
        )
