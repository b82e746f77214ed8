"""A self-contained HTML page with highlighted entities, and relations with their evidence.

Written only. Nothing is fetched: style and script stand in the page, and its content security
policy allows those two alone, by their hashes.
"""

import base64
import hashlib
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from html import escape
from importlib.resources import files
from itertools import cycle, pairwise
from pathlib import Path

from biobert.core.document import Document, Entity, Relation, RelationEnds
from biobert.core.errors import BadInputError
from biobert.core.files import write_text
from biobert.text.covering import disjoint_passages

ENDINGS = (".html", ".htm")
HOLDS = ("entities", "relations")
# Colours of well-known types; others take the rest in order. Chosen to differ for the colour-blind.
HUES = {"Disease": 8, "Chemical": 205, "Gene": 130, "Species": 275, "Anatomy": 38}
OTHER_HUES = (330, 175, 60, 240, 95, 300, 20, 150)
PASSAGES_SHOWN = ("title", "heading")
MOST_FURTHER_PIECES = 100_000
LONGEST_TITLE = 200
"""Of the words of a mention: what is longer is read in the text."""


def write(documents: Iterable[Document], path: Path | str) -> int:
    """One page for all documents, with a legend that switches types on and off.

    Raises BadInputError where mentions cut each other into more than MOST_FURTHER_PIECES.
    """
    counts: Counter[str] = Counter()
    articles, room = [], MOST_FURTHER_PIECES
    for document in documents:
        counts.update(entity.label for entity in document.entities)
        marks = _Marks(document, room)
        articles.append("".join(_article(document, marks)))
        room = marks.room
    style = _asset("page.css") + _colours(counts)
    script = _asset("page.js")
    with write_text(path) as stream:
        stream.write(_head(style, script))
        stream.write(_legend(counts))
        stream.writelines(articles)
        stream.write(f"</main><script>{script}</script></body></html>\n")
    return len(articles)


def _asset(name: str) -> str:
    return (files("biobert.data.formats") / "_html" / name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _head(style: str, script: str) -> str:
    policy = f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Annotated documents</title><style>{style}</style></head><body><main>"
    )


def _class(label: str) -> str:
    """A class name that is safe whatever the label holds."""
    return f"t{hashlib.sha256(label.encode()).hexdigest()[:8]}"


def _colours(labels: Iterable[str]) -> str:
    ordered = sorted(labels)
    others = [one for one in ordered if one not in HUES]
    hues = {**HUES, **dict(zip(others, cycle(OTHER_HUES)))}
    return "".join(f".{_class(label)}{{--hue:{hues[label]}}}" for label in ordered)


def _legend(counts: Counter[str]) -> str:
    buttons = "".join(
        f'<button type="button" class="type {_class(label)}" data-type="{_class(label)}" '
        f'aria-pressed="true">{escape(label)} <b>{count}</b></button>'
        for label, count in counts.most_common()
    )
    return f'<nav aria-label="Entity types">{buttons}</nav>'


def _article(document: Document, marks: "_Marks") -> Iterator[str]:
    yield f'<article><p class="id">{escape(document.id)}</p>'
    for start, end, kind, heading in _blocks(document):
        tag = "h2" if kind == "title" else "h3" if kind == "heading" else "p"
        lead = f'<b class="heading">{escape(heading)}</b> ' if heading and tag == "p" else ""
        content = "".join(marks.around(start, end))
        if content.strip():
            yield f"<{tag}>{lead}{content}</{tag}>"
    if document.relations:
        ends = RelationEnds(document)
        yield '<ul class="relations">'
        yield from (_relation(relation, ends) for relation in document.relations)
        yield "</ul>"
    yield "</article>"


def _relation(relation: Relation, ends: RelationEnds) -> str:
    words = ", ".join(escape(ends.words(one)) for one in relation.arguments)
    score = "" if relation.score is None else f" {100 * relation.score:.0f}%"
    quotes = "".join(
        f"<q>{escape(ends.document.text[one.start : one.end])}</q>" for one in relation.evidence
    )
    return f"<li><b>{escape(relation.label)}</b>{score}: {words} {quotes}</li>"


def _blocks(document: Document) -> Iterator[tuple[int, int, str, str]]:
    """Stretches of the text in order, none of them twice: its passages, or its lines."""
    if document.passages:
        headings = {""}
        for passage in disjoint_passages(document):
            is_new = passage.heading not in headings and passage.kind not in PASSAGES_SHOWN
            headings.add(passage.heading)
            if passage.start < passage.end:
                yield passage.start, passage.end, passage.kind, passage.heading if is_new else ""
        return
    position = 0
    for line in document.text.splitlines(keepends=True):
        yield position, position + len(line), "title" if position == 0 else "text", ""
        position += len(line)


class _Marks:
    """The mentions of a document around its text; overlapping ones become nested or split marks.

    `room` is how many pieces may be added to the first one of each mention: of some hundred
    mentions in each other every one is cut by all the others.
    """

    def __init__(self, document: Document, room: int) -> None:
        self.room = room
        self._document = document
        ordered = sorted(document.entities, key=lambda one: (one.start, -one.end))
        self._waiting = deque(ordered)
        self._open: list[Entity] = []

    def around(self, start: int, end: int) -> Iterator[str]:
        """The text of a block with its marks; blocks come in text order."""
        inside = deque(one for one in self._open if one.end > start)
        self._take_room(len(inside))
        while self._waiting and self._waiting[0].start < end:
            if self._waiting[0].end > start:
                inside.append(self._waiting[0])
            self._waiting.popleft()
        self._open = [one for one in inside if one.end > end]
        cuts = {start, end, *(cut for one in inside for cut in (one.start, one.end))}
        over: list[Entity] = []
        for first, last in pairwise(sorted(one for one in cuts if start <= one <= end)):
            over = [one for one in over if one.end > first]
            self._take_room(len(over))
            opening = [self._mark(one, first, last) for one in over]
            while inside and inside[0].start <= first:
                over.append(inside.popleft())
                opening.append(self._mark(over[-1], first, last, self._title(over[-1])))
            text = escape(self._document.text[first:last])
            yield f"{''.join(opening)}{text}{'</mark>' * len(over)}"

    def _take_room(self, pieces: int) -> None:
        self.room -= pieces
        if self.room < 0:
            raise BadInputError(
                f"document {self._document.id!r}: mentions lie in each other, and cut each other "
                f"into more than {MOST_FURTHER_PIECES} pieces; leave types out, or write a format "
                "that holds them apart from the text, such as BioC",
                code="too-large",
            )

    def _mark(self, entity: Entity, first: int, last: int, title: str = "") -> str:
        classes = [_class(entity.label)]
        classes += ["begins"] if entity.start == first else []
        classes += ["ends"] if entity.end == last else []
        label = f' data-label="{escape(entity.label)}"' if entity.end == last else ""
        return f'<mark class="{" ".join(classes)}"{title}{label}>'

    def _title(self, entity: Entity) -> str:
        facts = [entity.label, *entity.concept_ids]
        if entity.score is not None:
            facts.append(f"{100 * entity.score:.0f}%")
        words = self._document.mention(entity)
        if len(words) > LONGEST_TITLE:
            words = f"{words[:LONGEST_TITLE]}..."
        title = escape(f"{words}: {', '.join(facts)}")
        return f' title="{title}"'
