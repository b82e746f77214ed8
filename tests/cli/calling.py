"""Calling verbs as a shell does: arguments in, exit code and both streams out."""

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from biobert.cli.main import run


@dataclass(frozen=True)
class Call:
    """What a call left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object on standard output."""
        values: dict[str, Any] = json.loads(self.out)
        return values


def call(*arguments: object, stdin: str | bytes = "") -> Call:
    """Run `biobert ARGUMENTS` in this process."""
    out, err = io.StringIO(), io.StringIO()
    content = stdin.encode() if isinstance(stdin, str) else stdin
    given = io.TextIOWrapper(io.BufferedReader(io.BytesIO(content)), encoding="utf-8")
    with (
        patch.object(sys, "argv", ["biobert", *map(str, arguments)]),
        patch.object(sys, "stdin", given),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            run()
            code = 0
        except SystemExit as leaving:
            code = int(leaving.code or 0)
    return Call(code, out.getvalue(), err.getvalue())


def trained(folder: Path, recipe: str) -> Call:
    """Train a recipe, written into the folder, to the model folder `model` beside it."""
    (folder / "toy.toml").write_text(recipe)
    found = call("train", folder / "toy.toml", "--output", folder / "model", "--json")
    assert found.code == 0, found.err
    return found
