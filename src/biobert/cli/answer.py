"""What a verb gives back, and how it reaches a person or a program.

Every verb returns an `Answer`. With `--json` its data is one object on standard output;
otherwise `show` prints it. Messages and progress always go to standard error.
"""

import functools
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, NoReturn, ParamSpec

import typer

from biobert.core.errors import BiobertError

P = ParamSpec("P")

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]

FAILED_JOB, WRONG_CALL = 1, 2


@dataclass(frozen=True, slots=True)
class Answer:
    """JSON-ready data, and how to show the same to a person."""

    data: Mapping[str, Any]
    show: Callable[[], None]


def answering(command: str) -> Callable[[Callable[P, Answer]], Callable[P, None]]:
    """Turn a function that gives an `Answer` into a verb with `--json` and exit codes.

    The function must take a keyword `as_json: JsonFlag`.
    """

    def decorate(function: Callable[P, Answer]) -> Callable[P, None]:
        @functools.wraps(function)
        def verb(*args: P.args, **kwargs: P.kwargs) -> None:
            as_json = bool(kwargs.get("as_json"))
            try:
                answer = function(*args, **kwargs)
            except BiobertError as problem:
                fail(command, problem.code, str(problem), as_json=as_json)
            except OSError as problem:  # a full disk, a folder that may not be written
                fail(command, "io", str(problem) or type(problem).__name__, as_json=as_json)
            if as_json:
                print_json({"ok": True, "command": command, "data": answer.data})
            else:
                answer.show()

        return verb

    return decorate


def fail(command: str, code: str, message: str, *, as_json: bool) -> NoReturn:
    """Report an error and leave: code 2 for a wrong call, 1 for a failed job."""
    if as_json:
        error = {"code": code, "message": message}
        print_json({"ok": False, "command": command, "error": error})
    print(f"biobert {command}: {message}", file=sys.stderr)
    raise SystemExit(WRONG_CALL if code in ("usage", "unknown-name") else FAILED_JOB)


def print_json(value: Mapping[str, Any]) -> None:
    """One JSON object on one line of standard output."""
    print(json.dumps(value, ensure_ascii=False))
