"""What a verb gives back, and how it reaches a person or a program.

Every verb returns a `VerbAnswer`. With `--json` its data is one object on standard output;
otherwise `show` prints it. Messages and progress always go to standard error.
"""

import functools
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, NoReturn, ParamSpec

import typer

from biobert.core.errors import BadInputError, BiobertError

P = ParamSpec("P")

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]

FAILED_JOB, WRONG_CALL = 1, 2
NAMED = 5
"""So many inputs that cannot be read are named in the error."""


@dataclass(frozen=True, slots=True)
class VerbAnswer:
    """JSON-ready data, and how to show the same to a person.

    With a `problem` all but a part of the job is done: both are shown, and the verb ends as with
    any other error.
    """

    data: Mapping[str, Any]
    show: Callable[[], None]
    problem: BiobertError | None = None


def answering(command: str) -> Callable[[Callable[P, VerbAnswer]], Callable[P, None]]:
    """Turn a function that gives a `VerbAnswer` into a verb with `--json` and exit codes.

    The function must take a keyword `as_json: JsonFlag`.
    """

    def decorate(function: Callable[P, VerbAnswer]) -> Callable[P, None]:
        @functools.wraps(function)
        def verb(*args: P.args, **kwargs: P.kwargs) -> None:
            as_json = bool(kwargs.get("as_json"))
            try:
                answer = function(*args, **kwargs)
            except BiobertError as problem:
                fail(command, problem.code, str(problem), as_json=as_json)
            except OSError as problem:  # a full disk, a folder that may not be written
                fail(command, "io", str(problem) or type(problem).__name__, as_json=as_json)
            if not as_json:
                answer.show()
            if answer.problem is not None:
                code, message = answer.problem.code, str(answer.problem)
                fail(command, code, message, as_json=as_json, data=answer.data)
            if as_json:
                print_json({"ok": True, "command": command, "data": answer.data})

        return verb

    return decorate


def unreadable(problems: Iterable[tuple[str, str]], cure: str) -> BadInputError | None:
    """The error that names the inputs which could not be read, and why, when all others were."""
    named = [f"{path}: {problem}" for path, problem in problems]
    if not named:
        return None
    more = f"; and {len(named) - NAMED} more" if len(named) > NAMED else ""
    return BadInputError(
        f"set aside, as it cannot be read to the end: {'; '.join(named[:NAMED])}{more}. {cure}",
        code="unreadable",
    )


def fail(
    command: str,
    code: str,
    message: str,
    *,
    as_json: bool,
    data: Mapping[str, Any] | None = None,
) -> NoReturn:
    """Report an error and leave: code 2 for a wrong call, 1 for a failed job.

    `data` is what was done all the same.
    """
    if as_json:
        done = {} if data is None else {"data": data}
        error = {"code": code, "message": message}
        print_json({"ok": False, "command": command, "error": error, **done})
    print(f"biobert {command}: {message}", file=sys.stderr)
    raise SystemExit(WRONG_CALL if code in ("usage", "unknown-name") else FAILED_JOB)


def print_json(value: Mapping[str, Any]) -> None:
    """One JSON object on one line of standard output."""
    print(json.dumps(value, ensure_ascii=False))
