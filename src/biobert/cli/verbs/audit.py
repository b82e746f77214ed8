"""`biobert audit`: whether a service's audit log is whole."""

from pathlib import Path
from typing import Annotated

import typer

from biobert.cli.answer import JsonFlag, VerbAnswer, answering


def register(app: typer.Typer) -> None:
    """Add the verb group."""
    group = typer.Typer(no_args_is_help=True, help="Check the audit log of a service.")
    # Without it a group of one verb would be that verb.
    group.callback()(_group)
    group.command("check")(check)
    app.add_typer(group, name="audit")


def _group() -> None:
    """Check the audit log of a service."""


@answering("audit check")
def check(
    files: Annotated[
        list[Path],
        typer.Argument(help="The log that `biobert serve` wrote; first those it was renamed to."),
    ],
    as_json: JsonFlag = False,
) -> VerbAnswer:
    """Check that no line was changed, removed or put in; the first that was is named.

    Several files are one log that was renamed on the way, the oldest first.
    """
    from biobert.serving.audit import check_log

    count = check_log(*files)
    data = {"files": [str(one) for one in files], "lines": count}
    return VerbAnswer(data, lambda: print(f"{count} lines, unbroken"))
