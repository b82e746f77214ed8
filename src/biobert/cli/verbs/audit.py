"""`biobert audit`: whether a service's audit log is whole."""

from pathlib import Path
from typing import Annotated

import typer

from biobert.cli.answer import Answer, JsonFlag, answering


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
    file: Annotated[Path, typer.Argument(help="The log that `biobert serve` wrote.")],
    as_json: JsonFlag = False,
) -> Answer:
    """Check that no line was changed, removed or put in; the first that was is named."""
    from biobert.serving.audit import check_log

    count = check_log(file)
    return Answer({"file": str(file), "lines": count}, lambda: print(f"{count} lines, unbroken"))
