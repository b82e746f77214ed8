"""`biobert diagnose`: why a model is not better, and what to try next."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from biobert.cli.answer import JsonFlag, VerbAnswer, answering
from biobert.cli.choices import spare_inputs
from biobert.cli.engine import DeviceOption, EngineOption, runtime_settings
from biobert.cli.evaluated_on import (
    RenameOption,
    WhereOption,
    asked_test_set,
    show_not_compared,
)
from biobert.cli.rejects import RejectsOption, listed, show_set_aside

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from biobert.core.model_folder import ModelManifest
    from biobert.evaluation.breakdown import Recall
    from biobert.evaluation.overlap import Shared
    from biobert.pipeline.annotator import Annotator
    from biobert.pipeline.diagnosing import Diagnosis


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("diagnose")(diagnose)


@answering("diagnose")
def diagnose(
    model: Annotated[str, typer.Argument(help="A model folder, or `embedded`.")],
    corpus: Annotated[str, typer.Argument(help="A catalogue name, a folder or a file.")],
    split: Annotated[str, typer.Option(help="What the model has not learnt from.")] = "devel",
    rename: RenameOption = None,
    labels: Annotated[str | None, typer.Option(help="Look at these only: Disease.")] = None,
    where: WhereOption = None,
    curve: Annotated[
        str | None, typer.Option(help="Shares of the training data to learn from: 0.25,0.5.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for the models of the curve.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write the diagnosis as JSON.")] = None,
    rejects: RejectsOption = None,
    engine: EngineOption = "auto",
    device: DeviceOption = None,
    as_json: JsonFlag = False,
) -> VerbAnswer:
    """Look into a poor result: labels that look wrong (confident learning), the gap to the training
    data, weak kinds of mentions, the learning curve; and what to try next.

    The curve trains the model's own recipe again, on shares of its training documents.
    """
    import json

    from biobert.cli.extras import need_extra
    from biobert.cli.places import corpus_places
    from biobert.core.errors import BadInputError
    from biobert.core.files import write_text
    from biobert.pipeline.annotator import Annotator
    from biobert.pipeline.diagnosing import diagnose as diagnosed

    need_extra("cleanlab", extra="diagnose")
    if (curve is None) != (output is None):
        raise BadInputError("--curve and --output go together", code="usage")
    spare_inputs([corpus], report)
    shares = _shares(curve)
    annotator = Annotator(model, settings=runtime_settings(engine, "auto", device))
    with listed(rejects) as set_aside:
        found = diagnosed(
            annotator,
            asked_test_set(corpus, split, rename=rename, labels=labels, where=where),
            corpus_places(),
            shares=shares,
            learn=_learner(annotator.model.manifest, shares, output) if output else None,
            rejects=set_aside,
        )
    if report is not None:
        with write_text(report) as stream:
            json.dump(found.to_json(), stream, indent=2, ensure_ascii=False)
    return VerbAnswer(found.to_json(), lambda: _show(found))


def _shares(text: str | None) -> list[float]:
    from biobert.core.errors import BadInputError

    try:
        shares = [float(one) for one in text.split(",")] if text else []
    except ValueError:
        shares = [0.0]
    if not all(0.0 < share < 1.0 for share in shares):
        raise BadInputError(f"--curve {text}: write shares below 1, such as 0.25,0.5", code="usage")
    return sorted(shares)


def _learner(
    manifest: "ModelManifest", shares: list[float], output: Path
) -> "Callable[[float], Annotator]":
    from biobert.cli.extras import need_extra
    from biobert.pipeline.learning_curve import share_learner

    need_extra("torch", "accelerate", "transformers", extra="train")
    from biobert.cli.training import train_or_go_on

    return share_learner(manifest, shares, output, train_or_go_on)


def _show(found: "Diagnosis") -> None:
    from rich.console import Console

    console = Console(highlight=False)
    console.print(
        f"{found.model} on {found.corpus} {found.split}: {100 * found.score:.2f}", markup=False
    )
    if found.training_score is not None:
        learnt = "" if found.knows_training else ", which it is not known to have learnt from"
        console.print(
            f"on the corpus's training split{learnt}: {100 * found.training_score:.2f}",
            soft_wrap=True,
        )
    for point in found.curve:
        console.print(f"with {point.share:.0%} of the training data: {100 * point.score:.2f}")
    if found.breakdown is not None:
        _show_recall(console, "words in the mention", found.breakdown.mention_words)
        _show_recall(console, "words in the sentence", found.breakdown.sentence_words)
        _show_recall(console, "times in training", found.breakdown.training_mentions)
    _show_suspects(console, found)
    _show_shared(console, found.shared)
    show_set_aside(console, found.set_aside)
    console.print("\nWhat to try next:", style="bold")
    for line in found.advice:
        console.print(f"- {line}", markup=False)


def _show_suspects(console: "Console", found: "Diagnosis") -> None:
    from biobert.pipeline.diagnosing import JUDGES

    if found.judged is None:
        console.print("labels of this task are not checked: a model does not choose among them")
    elif found.suspicious is None:
        console.print(
            f"labels that look wrong: not looked for; a model that scores below {100 * JUDGES:.0f} "
            "takes its own errors for them",
            soft_wrap=True,
        )
    else:
        console.print(
            f"labels that look wrong: {found.suspicious}, beside {found.judged} given ones"
        )
    for one in found.suspects[:10]:
        console.print(
            f"  {one.text}  {one.gold} ({one.gold_probability:.2f}), "
            f"the model says {one.model} ({one.model_probability:.2f})",
            markup=False,
        )


def _show_shared(console: "Console", shared: "Shared") -> None:
    if shared.sources:
        count = f"{shared.count} of {shared.total}"
        console.print(f"{shared.unit} that stand in the training data too: {count}")
    show_not_compared(console, shared.sources, shared.missing)


def _show_recall(console: "Console", title: str, rows: "tuple[Recall, ...]") -> None:
    if not rows:
        return
    parts = ", ".join(f"{row.kind}: {100 * row.share:.1f} ({row.gold})" for row in rows)
    console.print(f"recall by {title}: {parts}")
