"""The options that say what a model is tested on, shared by the verbs that test one."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from biobert.pipeline.evaluating import TestSet

RenameOption = Annotated[
    list[str] | None,
    typer.Option(help="Rename labels of the corpus: NCBITaxon=Species,Chem=Drug; several times."),
]
PartOption = Annotated[
    str | None, typer.Option(help="The part of a multitask model that answers the corpus.")
]
WhereOption = Annotated[
    list[str] | None,
    typer.Option(help="Only documents whose metadata say so: type=yesno; several times."),
]


def asked_test_set(
    corpus: str,
    split: str,
    *,
    rename: list[str] | None,
    labels: str | None,
    where: list[str] | None,
    part: str | None = None,
) -> "TestSet":
    """The test set that the options describe."""
    from biobert.pipeline.evaluating import TestSet

    wanted = tuple(labels.split(",")) if labels else None
    meant = _pairs(where or [], "--where", "KEY=VALUE")
    return TestSet(corpus, split, renamed(rename), wanted, meant, part)


def renamed(rename: list[str] | None) -> dict[str, str]:
    """The `--rename` options as a mapping; each may hold several, parted by commas."""
    one_by_one = [pair for some in rename or [] for pair in some.split(",")]
    return _pairs(one_by_one, "--rename", "THEIRS=OURS")


def show_set_aside(console: "Console", count: int) -> None:
    """Say how many records could not be read, if any."""
    if count:
        console.print(f"{count} records set aside; list them with --rejects FILE")


def show_not_compared(
    console: "Console", sources: "Sequence[str]", missing: "Sequence[str]"
) -> None:
    """Say with what a test set was not compared: the model names no training data, or it is
    `missing` here."""
    if missing:
        console.print(
            f"not compared with {', '.join(missing)}: not on this machine; `biobert data get NAME` "
            "fetches a corpus of the catalogue"
        )
    elif not sources:
        console.print("not compared with the training data: the model names none")


def _pairs(values: list[str], option: str, form: str) -> dict[str, str]:
    """Options of the form `NAME=VALUE` as a mapping."""
    from biobert.core.errors import BadInputError

    pairs: dict[str, str] = {}
    for pair in values:
        name, _, value = (part.strip() for part in pair.partition("="))
        if not (name and value):
            raise BadInputError(f"{option} {pair.strip()}: write it as {form}", code="usage")
        if pairs.setdefault(name, value) != value:
            both = f"{pairs[name]} and {value}"
            raise BadInputError(
                f"{option} {name}: given as both {both}; leave it one", code="usage"
            )
    return pairs
