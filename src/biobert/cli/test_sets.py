"""The options that say what a model is tested on, shared by the verbs that test one."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from biobert.pipeline.evaluating import TestSet

RenameOption = Annotated[
    list[str] | None, typer.Option(help="Rename a label of the corpus: NCBITaxon=Species.")
]
PartOption = Annotated[
    str | None, typer.Option(help="The part of a multitask model that answers the corpus.")
]
WhereOption = Annotated[
    list[str] | None, typer.Option(help="Only documents whose metadata say so: type=yesno.")
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
    """The `--rename` options as a mapping."""
    return _pairs(rename or [], "--rename", "THEIRS=OURS")


def show_set_aside(console: "Console", count: int) -> None:
    """Say how many records could not be read, if any."""
    if count:
        console.print(f"{count} records set aside; list them with --rejects FILE")


def _pairs(values: list[str], option: str, form: str) -> dict[str, str]:
    """Options of the form `NAME=VALUE` as a mapping."""
    from biobert.core.errors import BadInputError

    pairs = [pair.partition("=") for pair in values]
    for name, sign, value in pairs:
        if not (name and sign and value):
            raise BadInputError(f"{option} {name}{sign}{value}: write it as {form}", code="usage")
    return {name: value for name, _, value in pairs}
