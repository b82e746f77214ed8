"""`biobert keys`: who may ask a service."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from biobert.cli.answer import JsonFlag, VerbAnswer, answering
from biobert.cli.choices import choice, of_options

if TYPE_CHECKING:
    from collections.abc import Sequence

FileOption = Annotated[Path, typer.Option("--file", help="The key file.")]
KEYS = Path("keys.json")


def register(app: typer.Typer) -> None:
    """Add the verb group."""
    group = typer.Typer(no_args_is_help=True, help="Make, list and revoke keys of a service.")
    group.command("create")(create)
    group.command("list")(list_keys)
    group.command("revoke")(revoke)
    app.add_typer(group, name="keys")


@answering("keys create")
def create(
    name: Annotated[str, typer.Argument(help="Whose key it is.")],
    file: FileOption = KEYS,
    role: Annotated[str, typer.Option(help="reader, or admin, who may reload models.")] = "reader",
    days: Annotated[float | None, typer.Option(help="How long it is valid; else for ever.")] = None,
    requests_per_minute: Annotated[
        int | None, typer.Option(help="Its own rate; else the service's.")
    ] = None,
    as_json: JsonFlag = False,
) -> VerbAnswer:
    """Make a key and print it once: only its digest is kept."""
    from biobert.serving.keys import create_key, shown

    chosen = choice("--role", role, ("reader", "admin"))
    with of_options():
        key, text = create_key(
            file, name, role=chosen, days=days, requests_per_minute=requests_per_minute
        )
    data = {**shown(key), "key": text, "file": str(file)}
    return VerbAnswer(data, lambda: print(text))


@answering("keys list")
def list_keys(file: FileOption = KEYS, as_json: JsonFlag = False) -> VerbAnswer:
    """List the keys of a file, without what they are."""
    from biobert.serving.keys import read_keys, shown

    rows = [shown(key) for key in read_keys(file).values()]
    return VerbAnswer({"keys": rows}, lambda: _table(rows))


@answering("keys revoke")
def revoke(
    id: Annotated[str, typer.Argument(help="The id, as `biobert keys list` shows it.")],
    file: FileOption = KEYS,
    as_json: JsonFlag = False,
) -> VerbAnswer:
    """Take a key out; a running service refuses it within a second."""
    from biobert.serving.keys import revoke_key, shown

    key = revoke_key(file, id)
    return VerbAnswer(shown(key), lambda: print(f"revoked: {key.id} of {key.name}"))


def _table(rows: "Sequence[dict[str, Any]]") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None)
    for column in ("id", "name", "role", "created", "expires", "per minute"):
        table.add_column(column, overflow="fold")
    for row in rows:
        # Times to the minute, so that a row fits into a terminal.
        created, expires = (str(row.get(time) or "")[:16] for time in ("created", "expires"))
        rate = str(row.get("requests_per_minute") or "")
        table.add_row(row["id"], row["name"], row["role"], created, expires, rate)
    Console(highlight=False).print(table)
