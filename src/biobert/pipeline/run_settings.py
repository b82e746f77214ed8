"""The tables that a run was asked for by, kept beside what it leaves: none goes on with another."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from biobert.core.errors import BadInputError
from biobert.core.files import read_json, write_text
from biobert.core.settings import differences

ASKED = "asked.json"


def keep_asked(folder: Path, tables: Mapping[str, Any]) -> None:
    """Write down what the run in this folder is asked for by."""
    with write_text(folder / ASKED) as stream:
        json.dump(tables, stream, indent=2, ensure_ascii=False)


def check_asked(folder: Path, tables: Mapping[str, Any], *, notes: Collection[str] = ()) -> None:
    """An error where a folder holds a run that was asked for by other tables.

    One that has left nothing but `notes`, files of these names, may be asked for anew.
    """
    left = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    changed = _changes(folder / ASKED, tables) if left - {ASKED, *notes} else []
    if changed:
        raise BadInputError(
            f"{folder} holds a run of other settings ({'; '.join(changed)}); "
            "choose another --output"
        )


def _changes(asked: Path, tables: Mapping[str, Any]) -> list[str]:
    if not asked.is_file():
        return [f"no {ASKED} tells them"]
    return differences(read_json(asked, missing=""), tables)
