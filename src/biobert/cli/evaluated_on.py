"""What the verbs that test a model share: the options that say on what, and what it knew of it."""

from typing import TYPE_CHECKING, Annotated

import typer

from biobert.cli.choices import listed_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from biobert.evaluation.overlap import Shared
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

    wanted = listed_names(labels)
    meant = _pairs(where or [], "--where", "KEY=VALUE")
    return TestSet(corpus, split, renamed(rename), wanted, meant, part)


def renamed(rename: list[str] | None) -> dict[str, str]:
    """The `--rename` options as a mapping; each may hold several, parted by commas."""
    one_by_one = [pair for some in rename or [] for pair in some.split(",")]
    return _pairs(one_by_one, "--rename", "THEIRS=OURS")


def show_shared(console: "Console", shared: "Shared", *, of: str = "") -> None:
    """What of the test set the model has learnt from, and the score without it; `of` begins the
    lines where there are several models or test sets."""
    what = f"{of}{shared.unit} that stand in the training data too"
    lines = [_shared_line(what, shared.count, shared.total, shared.main, distinct=shared.distinct)]
    if shared.in_part is not None and shared.in_part > shared.count:
        what = f"{of}documents of which a passage or a sentence stands there"
        lines.append(_shared_line(what, shared.in_part, shared.total, shared.main_without_parts))
    for line in lines:
        console.print(line, soft_wrap=True, markup=False)


def show_all_shared(console: "Console", found: "Mapping[str, Shared]") -> None:
    """The same of several scores, each by its name; what was not compared is said once."""
    for name, shared in found.items():
        if shared.sources:
            show_shared(console, shared, of=f"{name}: ")
    for sources, missing in {(one.sources, one.missing): None for one in found.values()}:
        show_not_compared(console, sources, missing)


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


def _shared_line(
    what: str, count: int, total: int, main: float | None, *, distinct: int | None = None
) -> str:
    line = f"{what}: {count} of {total}"
    if distinct is not None and distinct < count:
        line += f" ({distinct} distinct)"
    if main is not None:
        return f"{line}; without them {100 * main:.2f}"
    return f"{line}; without them there is nothing to score" if count else line


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
