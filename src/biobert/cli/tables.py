"""Rows and values as a terminal shows them."""

from collections.abc import Mapping, Sequence
from typing import Any


def show_table(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows below the names of their columns."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title or None, box=None, header_style="bold")
    for column in rows[0] if rows else ():
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    Console().print(table)


def show_values(values: Mapping[str, Any]) -> None:
    """A line for each value that says something."""
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False)
    for key, value in values.items():
        if value not in ("", (), [], {}):
            shown = ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
            console.print(f"[bold]{key}[/bold]: {escape(str(shown))}")
