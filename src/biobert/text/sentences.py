"""Sentences of biomedical prose and clinical notes, with exact character offsets.

Rules, not a model: a boundary is proposed by punctuation and blank space, and withdrawn where the
words around it say that the sentence goes on. Time is linear in the text, whatever it holds.
"""

import re
from collections.abc import Iterator, Sequence

from biobert.core.document import Document, Passage, Span

# A run of final punctuation with what may close it; possessive, so that no text backtracks.
FINAL = re.compile(r"(?<![.!?])[.!?]++[\"'”’)\]]*+(?=\s)")
LINE_BREAK = re.compile(r"[^\S\n]*+\n\s*+")
WORD_BEFORE = re.compile(r"[^\s(\[{,;/\"“]*$")
NEXT_WORD = re.compile(r"\s*+([\"'“‘(\[]*+)([^\s]*)")
BULLET = re.compile(r"(?:[-*–—·]\s|[•‣▪◦●○■□➢►]|\(?\d{1,3}[.)]\s)\s*+")
INITIAL = re.compile(r"[A-Z]\.")
ALWAYS_INSIDE = frozenset(
    "e.g i.e vs viz cf ca approx fig figs tab eq eqs ref refs al resp incl excl dr prof mr mrs ms "
    "st sp spp subsp ssp var cv nov gen i.v i.m i.p s.c p.o i.c.v i.d b.i.d t.i.d q.i.d q.d p.r.n "
    "a.k.a ed eds vol pp suppl ph.d m.d temp conc max avg ave wt jr sr bros".split()
)
BEFORE_NUMBER = frozenset("no nos n p pp sec chap ch art ex para pt pts tables sect".split())
# Of headings in clinical notes and articles, the last words that are often in small letters.
HEADING_ENDS = frozenset(
    "abstract aims allergies assessment background complaint complaints comorbidities conclusion "
    "conclusions course diagnosis diagnoses discussion examination exam findings history "
    "impression indication indications introduction investigations labs medication medications "
    "methods objective objectives plan problems procedure procedures prognosis results symptoms "
    "treatment vitals".split()
)
HEADING_WORDS, SMALL_WORDS = 5, frozenset("a and at by for in of on or the to with".split())
LONGEST_ABBREVIATION = 5
LONGEST_WORD = 24
WRAPPED_LINE = 60


def sentences_of(document: Document) -> Sequence[Span]:
    """The document's own sentences, or those that the rules find in each of its passages."""
    if document.sentences:
        return document.sentences
    passages = document.passages or (Passage(0, len(document.text), "text"),)
    return [
        sentence
        for passage in passages
        for sentence in split_sentences(document.text, passage.start, passage.end)
    ]


def split_sentences(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """The sentences of `text[start:end]`, as spans of the whole text, in order.

    Every character that is not white space lies in exactly one of them; spans neither begin nor
    end with white space.
    """
    stop = len(text) if end is None else end
    spans: list[Span] = []
    position = start
    for boundary in _boundaries(text, start, stop):
        _append(spans, text, position, boundary)
        position = boundary
    _append(spans, text, position, stop)
    return spans


def without_mark(text: str, sentence: Span) -> Span:
    """The sentence without the mark that makes it the item of a list, at a line's beginning."""
    mark = BULLET.match(text, sentence.start, sentence.end)
    before = text[max(0, sentence.start - LONGEST_WORD) : sentence.start]
    if mark is None or mark.end() >= sentence.end or before.rpartition("\n")[2].strip():
        return sentence
    return Span(mark.end(), sentence.end)


def _boundaries(text: str, start: int, stop: int) -> list[int]:
    found = {
        match.end()
        for match in FINAL.finditer(text, start, stop)
        if _ends_sentence(text, match, start, stop)
    }
    found.update(_line_boundaries(text, start, stop))
    return sorted(found)


def _append(spans: list[Span], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    if start < end:
        spans.append(Span(start, end))


def _ends_sentence(text: str, match: re.Match[str], start: int, stop: int) -> bool:
    opening, following = _next_word(text, match.end(), stop)
    if not following and not opening:
        return False
    if _goes_on(following):
        return False
    if match.group()[0] != "." or len(match.group()) > 1:
        return True
    return not _is_abbreviation(text, match.start(), start, following)


def _next_word(text: str, position: int, stop: int) -> tuple[str, str]:
    match = NEXT_WORD.match(text, position, min(stop, position + 80))
    return (match.group(1), match.group(2)) if match else ("", "")


def _goes_on(following: str) -> bool:
    """A word in lower case goes on with the sentence, but `p53` and `mRNA` may begin one."""
    if following[:1] and following[0] in ",;:%)]=<>±":
        return True
    word = following.rstrip(".,;:)").partition("-")[0]
    return word.isalpha() and word.islower()


def _word_before(text: str, position: int, start: int) -> str:
    """The word that ends at `position`, with its inner full stops (`i.v`)."""
    window = text[max(start, position - LONGEST_WORD) : position]
    found = WORD_BEFORE.search(window)
    return found.group() if found else ""


def _is_abbreviation(text: str, position: int, start: int, following: str) -> bool:
    """Whether the full stop at `position` belongs to the word before it."""
    word = _word_before(text, position, start)
    if word.lower() in ALWAYS_INSIDE:
        return True
    if word.lower() in BEFORE_NUMBER:
        return following[:1].isdigit()
    if word.isdigit():
        # The number of a list item stands alone at the start of its line.
        before = text[max(start, position - LONGEST_WORD) : position - len(word)]
        return not before.rpartition("\n")[2].strip()
    if len(word) == 1 and word.isupper():
        # A single capital is an initial (`J. Smith`) unless a common word leads up to it.
        if INITIAL.match(following):
            return True
        leading = text[max(start, position - LONGEST_WORD) : position - 1].split()
        return not leading or not leading[-1].islower()
    return False


def _line_boundaries(text: str, start: int, stop: int) -> Iterator[int]:
    if text.find("\n", start, stop) < 0:
        return  # most paragraphs of articles: far quicker than to look for it with the pattern
    line_start = start
    for match in LINE_BREAK.finditer(text, start, stop):
        if _line_ends(text, line_start, match, stop):
            yield match.end()
        line_start = match.end()


def _line_ends(text: str, line_start: int, match: re.Match[str], stop: int) -> bool:
    """Whether a line break ends a sentence: it does after a paragraph, a heading, a list item."""
    if match.group().count("\n") > 1:
        return True
    following = text[match.end() : min(stop, match.end() + 8)]
    last = text[match.start() - 1 : match.start()]
    if BULLET.match(following) or last in ":.!?":
        return not (last == "." and following[:1].islower())
    if following[:1].islower():
        # In a text that is wrapped at this width or a larger one, a line is only left off where
        # the next word has no room: all that is wrapped so goes on.
        word = _next_word(text, match.end(), stop)[1]
        has_room = match.start() - line_start + 1 + len(word) <= WRAPPED_LINE
        return has_room and _is_heading(text[line_start : match.start()])
    return match.start() - line_start < WRAPPED_LINE


def _is_heading(line: str) -> bool:
    """Whether a short line is one by its letters, or by its last word."""
    words = line.split()
    if not 0 < len(words) <= HEADING_WORDS or not words[0][0].isupper():
        return False
    if line.isupper():
        return line[-1].isalpha() and len(line) > LONGEST_ABBREVIATION
    if words[-1].lower() in HEADING_ENDS:
        return True
    are_capitals = all(one[0].isupper() or one in SMALL_WORDS for one in words)
    # `Vitamin D`, `Group A` and the like hardly end one.
    return are_capitals and words[-1].isalpha() and len(words[-1]) > 2
