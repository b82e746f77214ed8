"""What is mended and what is dropped before text is learnt from."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from biobert.core.document import Document, Passage, Span
from biobert.core.errors import BadInputError
from biobert.core.shelf import unknown_name
from biobert.data.licences import LICENCES, licence_of
from biobert.text.covering import disjoint_passages
from biobert.text.sentences import sentences_of

# Control characters, line separators, what could not be read, lone surrogates, private glyphs.
INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffd\ud800-\udfff\ue000-\uf8ff]")
# Soft hyphens, zero-width and direction marks, byte-order marks: they part no words.
NOTHING = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
SENTENCE_END = re.compile(r"(?<=[.!?]) +(?=[^a-z])")
PARAGRAPH_END = re.compile(r"\r?\n[^\S\n]*\n")
# A whole heading, or one of a path of headings (`Methods > Ethics approval`): "Disclosure of HIV to
# partners" and "The supplementary motor area" are no boilerplate.
BOILERPLATE_HEADING = re.compile(
    r"(?:^|> )[\d. ]*(?:"
    r"acknowledge?ments?\b[^>]{0,40}|"
    r"(?:declaration of )?(?:competing|conflicting) interests?[^>]{0,40}|"
    r"(?:potential |declaration of )?conflicts? of interests?[^>]{0,60}|"
    r"(?:financial )?disclosures?(?: statements?| of interests?| and funding)?|"
    r"(?:sources? of )?funding(?: (?:sources?|statement|information|support))?|"
    r"authors?['’]? contributions?[^>]{0,20}|(?:list of )?abbreviations(?: used)?|"
    r"(?:electronic )?supplementa(?:l|ry) (?:digital |online )?"
    r"(?:materials?|data|information|files?|contents?)|"
    r"supporting information|(?:data availability|availability of data)[^>]{0,40}|"
    r"ethics(?: (?:approval|statement|committee|declaration)[^>]{0,40})?|"
    r"consent for publication|pre-?publication history|references"
    r")[\s.:]*(?=$| >)",
    re.IGNORECASE,
)
NOTICE = re.compile(r"^\W*(?:copyright\b|©|\(c\) ?\d{4})|all rights reserved", re.IGNORECASE)
"""A sentence that says whose the text is; the others of its paragraph stay."""
BOILERPLATE = (
    "click here for additional data",
    "this is an open access article",
    "this is an open-access article",
    "read and approved the final",
    "no competing interests",
    "had no role in study design",
    "had no role in the study design",
    "pre-publication history",
    "electronic supplementary material",
    "the authors declare",
)
LONGEST_BOILERPLATE = 600
"""In characters: a longer paragraph says more than the phrase it was caught by."""
LONGEST_PARAGRAPH = 100_000
"""In characters: a longer one is cut at a blank, so that no step holds much at once."""
LOOKED_AT = 1000
"""So many words tell the language and the kind of a text."""
LONGEST_LOOK = 8 * LOOKED_AT
LONGEST_GLANCE = 2 * LOOKED_AT
# The most frequent ones; of English those that no neighbour has (Dutch has `in`, `of`, `is`).
FUNCTION_WORDS = {
    language: words.split()
    for language, words in {
        "en": "the and to with for that by from at are were this which have has had it these been "
        "than between their can",
        "da": "og af at er til med på ikke det som fra efter blev hos eller kan ved",
        "de": "der die und das dem mit von bei eine einer wurde wurden nicht für ist auf im zu",
        "es": "el los las del y por para con fue más como sus también según",
        "fr": "le les des et du une dans est pour par sur avec chez ont aux été cette",
        "hu": "az és egy hogy nem volt vagy mint csak amely között esetén után során valamint",
        "it": "e il di che della dei delle degli nel nella è gli sono alla dal del una con",
        "nl": "het een van voor met zijn werd bij niet aan dat ook wordt deze naar door uit op te",
        "no": "og av å er til med på ikke det som fra etter ble hos eller kan ved",
        "pl": "w z się oraz jest nie przez są dla lub przy był była było które że",
        "pt": "e em com uma um os não foi foram ao são dos das pelo pela para por mais",
        "ro": "și şi în cu din pentru sunt prin sau fost după este mai ale",
        "sv": "och av är till med på inte det som från efter att för ett eller kan vid",
        "tr": "ve bir bu ile için olarak olan daha gibi çok sonra arasında veya her",
    }.items()
}
PROSE_SHARE = 0.05
"""Prose has 0.1 to 0.2 of its language's, English titles and lists 0.05."""
# What PubMed calls languages, where the first two letters are not the usual two.
LANGUAGES = {
    "bul": "bg",
    "chi": "zh",
    "cze": "cs",
    "dan": "da",
    "dut": "nl",
    "est": "et",
    "ger": "de",
    "gre": "el",
    "ice": "is",
    "jpn": "ja",
    "lav": "lv",
    "lit": "lt",
    "per": "fa",
    "pol": "pl",
    "por": "pt",
    "rum": "ro",
    "slo": "sk",
    "spa": "es",
    "swe": "sv",
    "tur": "tr",
    "ukr": "uk",
}
MOST_UNREADABLE = 0.001
"""Beyond this share of characters that could not be read, the file is in another encoding."""
Removed = Counter[str]


@dataclass(frozen=True, slots=True)
class FilterSettings:
    """Which documents are kept. `licences` None keeps all; `languages` are two-letter codes."""

    minimum_words: int = 20
    maximum_symbol_share: float = 0.4
    languages: tuple[str, ...] = ("en",)
    licences: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for licence in self.licences or ():
            if licence not in LICENCES:
                raise unknown_name("licence", licence, LICENCES)
        for language in self.languages:
            if len(language) != 2:
                raise BadInputError(
                    f"language {language!r}: write two letters, such as 'en'", code="usage"
                )


def cleaned(document: Document, removed: Removed) -> Document:
    """The document's prose alone: folded white space, no boilerplate, no annotations.

    What was left out is counted in `removed`. A document that has sentences of its own keeps them,
    as passages and as sentences.
    """
    parts: list[str] = []
    passages: list[Passage] = []
    position = 0
    if unread := _unread(document.text):
        removed["character that could not be read"] += unread
    for passage in _passages(document):
        if _is_boilerplate_heading(passage.heading):
            removed["boilerplate section's paragraph"] += 1
            continue
        for text in _paragraphs(document.text[passage.start : passage.end], removed):
            parts.append(text)
            passages.append(Passage(position, position + len(text), passage.kind, passage.heading))
            position += len(text) + 1
    own = tuple(Span(one.start, one.end) for one in passages) if document.sentences else ()
    return replace(
        document,
        text="\n".join(parts),
        passages=tuple(passages),
        entities=(),
        relations=(),
        sentences=own,
    )


def unreadable(text: str) -> bool:
    """Whether a text was read in an encoding that is not its own."""
    return _unread(text) > MOST_UNREADABLE * len(text)


def reason_to_drop(document: Document, settings: FilterSettings) -> str | None:
    """Why a cleaned document is not kept, or None."""
    if settings.licences is not None:
        licence = licence_of(document.metadata)
        if licence not in settings.licences:
            return f"licence {licence}"
    beginning = document.text[:LONGEST_LOOK]
    words = beginning.lower().split(maxsplit=LOOKED_AT)[:LOOKED_AT]
    if len(words) < settings.minimum_words:
        # A text without blanks is no prose, however long it is.
        return "too short" if len(beginning) < LONGEST_LOOK else "not prose"
    if _symbol_share(beginning[:LONGEST_GLANCE]) > settings.maximum_symbol_share:
        return "not prose"
    language = language_of(words, document.metadata)
    return None if language in settings.languages else f"language {language}"


def language_of(words: Sequence[str], metadata: Mapping[str, str]) -> str:
    """Two letters: by the function words among `words`, in lower case, else what the source of
    the text says of it, or `??`.

    The text comes first: PubMed states the language of the article, whose abstract is English.
    """
    counts = Counter(words)
    found = {one: sum(map(counts.__getitem__, own)) for one, own in FUNCTION_WORDS.items()}
    language = max(found, key=found.__getitem__)
    if found[language] > PROSE_SHARE * len(words):
        return language
    stated = metadata.get("language", "").lower()
    code = LANGUAGES.get(stated, stated[:2])
    return code if code not in ("", "en") else "??"


def _unread(text: str) -> int:
    return text.count("\ufffd") + text.count("\0")


def _passages(document: Document) -> Iterable[Passage]:
    if document.sentences:
        return [Passage(one.start, one.end, "sentence") for one in sentences_of(document)]
    return disjoint_passages(document)


def _paragraphs(text: str, removed: Removed) -> Iterator[str]:
    for paragraph in PARAGRAPH_END.split(text):
        short = len(paragraph) < LONGEST_BOILERPLATE
        for folded in map(_folded, _cut(paragraph)):
            if short and _is_boilerplate(folded):
                removed["boilerplate paragraph"] += 1
            elif kept := _without_notices(folded, removed):
                yield kept


def _folded(text: str) -> str:
    # Of blanks, only the plain one counts as printable.
    if not text.isprintable() or "\ufffd" in text:
        text = NOTHING.sub("", INVISIBLE.sub(" ", text))
    elif "  " not in text and not text.startswith(" ") and not text.endswith(" "):
        return text  # as most paragraphs are
    return " ".join(text.split())


@lru_cache(maxsize=1000)
def _is_boilerplate_heading(heading: str) -> bool:
    return BOILERPLATE_HEADING.search(heading) is not None


def _is_boilerplate(text: str) -> bool:
    lowered = text.lower()
    for phrase in BOILERPLATE:  # noqa: SIM110 - any() takes half as long again
        if phrase in lowered:
            return True
    return False


def _without_notices(text: str, removed: Removed) -> str:
    if not any(sign in text for sign in ("opyright", "©", "(c) ", "ights reserved", "(C) ")):
        return text  # as most paragraphs are
    sentences = SENTENCE_END.split(text)
    kept = [one for one in sentences if not NOTICE.search(one)]
    if len(kept) == len(sentences):
        return text
    removed["copyright notice"] += len(sentences) - len(kept)
    return " ".join(kept)


def _cut(text: str) -> Iterator[str]:
    """A paragraph in pieces of bearable length; a word without end is cut too."""
    start = 0
    while len(text) - start > LONGEST_PARAGRAPH:
        limit = start + LONGEST_PARAGRAPH
        blank = max(text.rfind(" ", start, limit), text.rfind("\n", start, limit))
        end = blank if blank > start else limit
        yield text[start:end]
        start = end
    yield text[start:]


def _symbol_share(text: str) -> float:
    letters = sum(map(str.isalpha, text)) + text.count(" ")
    return 1.0 - letters / max(1, len(text))
