"""How many of the diseases that open articles name most the embedded tagger finds.

    BIOBERT_DATA=DATA python benchmarks/common_diseases.py

Names of the Disease Ontology that stand at least 8 times in the 4170 articles are looked up in up
to 8 of their sentences each; one counts as found where a disease is marked that overlaps it.
Without `task.terms` the same sentences are asked again.
"""

import random
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator

from corpora import PLACES
from machine import record

from biobert import Annotator
from biobert.core.document import Document, Span
from biobert.data.catalogue import find_split, load_corpus
from biobert.data.lexicons import read_ontology
from biobert.data.reading import read_documents
from biobert.data.rejects import Rejects
from biobert.pipeline.load import load_model
from biobert.text.sentences import sentences_of

LEAST, SENTENCES, KEPT = 8, 8, 200
SHORTEST, LONGEST_SENTENCE = 4, 400
WORD = re.compile(r"\w+")
Seen = dict[str, list[tuple[str, Span]]]
"""By name the sentences that it was seen in, and where."""


def main() -> None:
    seen = common(names())
    told = load_model()
    untold = load_model(changes={"terms": {}})
    figures = {
        "names": len(seen),
        "sentences": sum(map(len, seen.values())),
        "recall": recall(Annotator(told), seen),
        "recall_without_terms": recall(Annotator(untold), seen),
    }
    print(figures)
    record("common-diseases", figures)


def names() -> set[str]:
    """Those of the ontology, in small letters."""
    terms = find_split(load_corpus("Disease-Ontology"), "terms", PLACES)
    found = read_ontology(terms.path, Rejects())
    return {name.lower() for name in found if len(name) >= SHORTEST and WORD.match(name)}


def common(wanted: Iterable[str]) -> Seen:
    """The names that stand often enough, and some of their sentences."""
    articles = find_split(load_corpus("PMC-OA-articles"), "all", PLACES)
    by_first: dict[str, list[str]] = defaultdict(list)
    for name in sorted(wanted, key=len, reverse=True):
        by_first[WORD.findall(name)[0]].append(name)
    counts: dict[str, int] = defaultdict(int)
    seen: Seen = defaultdict(list)
    for document in read_documents(articles.path, "jats", Rejects()):
        sentences = sentences_of(document)
        starts = [one.start for one in sentences]
        for name, span in mentions(document.text.lower(), by_first):
            counts[name] += 1
            inside = sentences[max(0, bisect_right(starts, span.start) - 1)]
            short = inside.end - inside.start < LONGEST_SENTENCE
            if short and span.end <= inside.end and len(seen[name]) < KEPT:
                place = Span(span.start - inside.start, span.end - inside.start)
                seen[name].append((document.text[inside.start : inside.end], place))
    drawn = random.Random(1)
    often = sorted(name for name, some in seen.items() if some and counts[name] >= LEAST)
    return {name: drawn.sample(seen[name], min(SENTENCES, len(seen[name]))) for name in often}


def mentions(text: str, by_first: dict[str, list[str]]) -> Iterator[tuple[str, Span]]:
    """The longest name that begins at each word."""
    for word in WORD.finditer(text):
        for name in by_first.get(word[0], ()):
            end = word.start() + len(name)
            if text.startswith(name, word.start()) and not text[end : end + 1].isalnum():
                yield name, Span(word.start(), end)
                break


def recall(annotator: Annotator, seen: Seen) -> float:
    asked = [one for some in seen.values() for one in some]
    texts = [Document(str(number), text) for number, (text, _) in enumerate(asked)]
    found = [
        any(
            one.label == "Disease" and one.start < span.end and one.end > span.start
            for one in document.entities
        )
        for document, (_, span) in zip(annotator.annotate_many(texts), asked, strict=True)
    ]
    return round(sum(found) / len(found), 4)


if __name__ == "__main__":
    main()
