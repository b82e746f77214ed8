"""Documents whose text is made of parts: what the readers of pairs share."""

from collections.abc import Iterable
from dataclasses import dataclass

from biobert.core.document import Passage


@dataclass(frozen=True, slots=True)
class Part:
    """A passage to be, with its text."""

    kind: str
    text: str
    heading: str = ""


def joined(parts: Iterable[Part]) -> tuple[str, tuple[Passage, ...]]:
    """One text of the parts, each on a line of its own, and its passages; blank parts are none."""
    texts: list[str] = []
    passages: list[Passage] = []
    start = 0
    for part in parts:
        text = part.text.strip()
        if text:
            texts.append(text)
            passages.append(Passage(start, start + len(text), part.kind, part.heading))
            start += len(text) + 1
    return "\n".join(texts), tuple(passages)
