"""Structured logs: one JSON object a line, without texts, keys or messages of unknown origin."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

LOGGER = "biobert.serving"
FIELDS = "fields"
LEVELS = {
    LOGGER: logging.INFO,
    "uvicorn": logging.INFO,
    "asyncio": logging.WARNING,
    # It says where spans could not be sent; what went wrong is in the exception.
    "opentelemetry": logging.WARNING,
}


class JsonLines(logging.Formatter):
    """A record as JSON; of an exception its type and places, for its message may hold a text."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        values: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage().strip(),
            **getattr(record, FIELDS, {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            problem = record.exc_info[1]
            values["exception"] = type(problem).__qualname__
            values["places"] = _places(problem)
        return json.dumps(values, ensure_ascii=False, default=str)


class StandardError(logging.StreamHandler[TextIO]):
    """Writes to what standard error is at the time, not to what it was when this was made."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        """Standard error."""
        return sys.stderr


def log(event: str, *, level: int = logging.INFO, **fields: Any) -> None:
    """Write one line."""
    logging.getLogger(LOGGER).log(level, event, extra={FIELDS: fields})


def configure() -> None:
    """Write everything of a service as JSON lines to standard error, and nothing elsewhere."""
    handler = StandardError()
    handler.setFormatter(JsonLines())
    for name, level in LEVELS.items():
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level)
        logger.propagate = False


def _places(problem: BaseException) -> list[str]:
    found = []
    trace = problem.__traceback__
    while trace is not None:
        found.append(f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}")
        trace = trace.tb_next
    return found
