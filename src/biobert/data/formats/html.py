"""A self-contained HTML page with highlighted entities, and relations with their evidence.

Written only. Nothing is fetched: style and script stand in the page, and its content security
policy allows those two alone, by their hashes.
"""

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from html import escape
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

from biobert.core.document import Document, Entity, Relation
from biobert.core.files import write_text

ENDINGS = (".html", ".htm")
# Colours of well-known types; others take the rest in order. Chosen to differ for the colour-blind.
HUES = {"Disease": 8, "Chemical": 205, "Gene": 130, "Species": 275, "Anatomy": 38}
OTHER_HUES = (330, 175, 60, 240, 95, 300, 20, 150)
PASSAGES_SHOWN = ("title", "heading")


def write(documents: Iterable[Document], path: Path | str) -> int:
    """One page for all documents, with a legend that switches types on and off."""
    shown = list(documents)
    counts = Counter(entity.label for document in shown for entity in document.entities)
    style = _asset("page.css") + _colours(counts)
    script = _asset("page.js")
    with write_text(path) as stream:
        stream.write(_head(style, script))
        stream.write(_legend(counts))
        for document in shown:
            stream.writelines(_article(document))
        stream.write(f"</main><script>{script}</script></body></html>\n")
    return len(shown)


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


def _hue(label: str, labels: Iterable[str]) -> int:
    others = [one for one in sorted(labels) if one not in HUES]
    return HUES[label] if label in HUES else OTHER_HUES[others.index(label) % len(OTHER_HUES)]


def _class(label: str) -> str:
    """A class name that is safe whatever the label holds."""
    return f"t{hashlib.sha256(label.encode()).hexdigest()[:8]}"


def _colours(counts: Counter[str]) -> str:
    return "".join(f".{_class(label)}{{--hue:{_hue(label, counts)}}}" for label in sorted(counts))


def _legend(counts: Counter[str]) -> str:
    buttons = "".join(
        f'<button type="button" class="type {_class(label)}" data-type="{_class(label)}" '
        f'aria-pressed="true">{escape(label)} <b>{count}</b></button>'
        for label, count in counts.most_common()
    )
    return f'<nav aria-label="Entity types">{buttons}</nav>'


def _article(document: Document) -> Iterator[str]:
    yield f'<article><p class="id">{escape(document.id)}</p>'
    for start, end, kind, heading in _blocks(document):
        tag = "h2" if kind == "title" else "h3" if kind == "heading" else "p"
        lead = f'<b class="heading">{escape(heading)}</b> ' if heading and tag == "p" else ""
        content = "".join(_marked(document, start, end))
        if content.strip():
            yield f"<{tag}>{lead}{content}</{tag}>"
    if document.relations:
        yield '<ul class="relations">'
        yield from (_relation(document, relation) for relation in document.relations)
        yield "</ul>"
    yield "</article>"


def _relation(document: Document, relation: Relation) -> str:
    ends = ", ".join(escape(document.argument_text(one)) for one in relation.arguments)
    score = "" if relation.score is None else f" {100 * relation.score:.0f}%"
    quotes = "".join(
        f"<q>{escape(document.text[one.start : one.end])}</q>" for one in relation.evidence
    )
    return f"<li><b>{escape(relation.label)}</b>{score}: {ends} {quotes}</li>"


def _blocks(document: Document) -> Iterator[tuple[int, int, str, str]]:
    """Stretches that cover the whole text: the passages, and lines where there are none."""
    if document.passages:
        headings = {""}
        for passage in document.passages:
            is_new = passage.heading not in headings and passage.kind not in PASSAGES_SHOWN
            headings.add(passage.heading)
            yield passage.start, passage.end, passage.kind, passage.heading if is_new else ""
        return
    position = 0
    for line in document.text.splitlines(keepends=True):
        yield position, position + len(line), "title" if position == 0 else "text", ""
        position += len(line)


def _marked(document: Document, start: int, end: int) -> Iterator[str]:
    """The text of a block; overlapping mentions become nested or split marks."""
    inside = [one for one in document.entities if one.start < end and one.end > start]
    cuts = sorted({start, end, *(cut for one in inside for cut in (one.start, one.end))})
    for first, last in pairwise(cuts):
        if first < start or last > end:
            continue
        over = [one for one in inside if one.start <= first and one.end >= last]
        over.sort(key=lambda one: one.start - one.end)
        text = escape(document.text[first:last])
        opening = "".join(_open(document, one, first, last) for one in over)
        yield f"{opening}{text}{'</mark>' * len(over)}"


def _open(document: Document, entity: Entity, first: int, last: int) -> str:
    classes = [_class(entity.label)]
    classes += ["begins"] if entity.start == first else []
    classes += ["ends"] if entity.end == last else []
    facts = [entity.label, *entity.concept_ids]
    if entity.score is not None:
        facts.append(f"{100 * entity.score:.0f}%")
    title = escape(f"{document.mention(entity)}: {', '.join(facts)}", quote=True)
    label = f' data-label="{escape(entity.label, quote=True)}"' if entity.end == last else ""
    return f'<mark class="{" ".join(classes)}" title="{title}"{label}>'
