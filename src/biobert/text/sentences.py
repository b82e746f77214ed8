"""Sentences of biomedical prose and clinical notes, with exact character offsets.

Rules, not a model: a boundary is proposed by punctuation and blank space, and withdrawn where the
words around it say that the sentence goes on. Time is linear in the text, whatever it holds.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from functools import partial
from itertools import chain

from biobert.core.document import Document, Span
from biobert.text.covering import covering, disjoint_passages

# A run of final punctuation with what may close it; possessive, so that no text backtracks.
FINAL = re.compile(r"(?<![.!?])[.!?]++[\"'”’)\]]*+(?=\s)")
LINE_BREAK = re.compile(r"\n\s*+")
WORD_BEFORE = re.compile(r"[^\s(\[{,;/\"“]*$")
NEXT_WORD = re.compile(r"\s*+([\"'“‘(\[]*+)([^\s]*)")
BULLET = re.compile(r"(?:[-*–—·]\s|[•‣▪◦●○■□➢►]|\(?\d{1,3}[.)]\s)\s*+")
LETTERED = re.compile(r"\s*+(\(?)([A-Za-z]|[ivx]{2,5}|[IVX]{2,5})([.)])\s\s*+")
LETTERED_LINE = re.compile(r"\n(?=[^\S\n]*+\(?[A-Za-z]{1,5}[.)]\s)")
ROMAN = "i ii iii iv v vi vii viii ix x xi xii xiii xiv xv xvi xvii xviii xix xx".split()
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
WRAPPED_LINE, LONGEST_WRAPPED_LINE = 60, 120


def sentences_of(document: Document) -> Sequence[Span]:
    """The document's own sentences, or those that the rules find in each of its passages.

    The rules split what lies outside of them all, too, and nothing is in two sentences.
    """
    text = document.text
    if document.sentences:
        return list(covering(text, document.sentences, partial(split_sentences, text)))
    items = _lettered_items(text, 0, len(text))
    return [
        sentence
        for passage in disjoint_passages(document)
        for sentence in _split(text, passage.start, passage.end, items)
    ]


def split_sentences(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """The sentences of `text[start:end]`, as spans of the whole text, in order.

    Every character that is not white space lies in exactly one of them; spans neither begin nor
    end with white space.
    """
    stop = len(text) if end is None else end
    return _split(text, start, stop, _lettered_items(text, start, stop))


def without_marks(text: str, sentences: Iterable[Span]) -> Iterator[Span]:
    """The sentences, each without the mark that makes it the item of a list, at a line's start."""
    items = _lettered_items(text, 0, len(text))
    for sentence in sentences:
        pattern = LETTERED if sentence.start in items else BULLET
        mark = pattern.match(text, sentence.start, sentence.end)
        before = text[max(0, sentence.start - LONGEST_WORD) : sentence.start]
        if mark is None or mark.end() >= sentence.end or before.rpartition("\n")[2].strip():
            yield sentence
        else:
            yield Span(mark.end(), sentence.end)


def _lettered_items(text: str, start: int, stop: int) -> Set[int]:
    """Where lines begin with the mark of an item, such as `a)`, `(b)` or `iv.`.

    Only with its neighbour at the beginning of another line, `b)` or `v.`: alone it may be a genus
    or a page.
    """
    if text.find("\n", start, stop) < 0:
        return frozenset()
    places: defaultdict[tuple[str, ...], dict[int, list[int]]] = defaultdict(dict)
    lines = (one.end() for one in LETTERED_LINE.finditer(text, start, stop))
    for line in chain([start], lines):
        mark = LETTERED.match(text, line, stop)
        if mark is None or _goes_on_from(text, max(start, line - 1), start, mark):
            continue
        for style, number in _places_in_lists(mark):
            places[style].setdefault(number, []).append(mark.start(1))
    return {
        place
        for numbers in places.values()
        for number, found in numbers.items()
        if number - 1 in numbers or number + 1 in numbers
        for place in found
    }


def _goes_on_from(text: str, line_end: int, start: int, mark: re.Match[str]) -> bool:
    """Whether the line before a mark is one that prose was wrapped at, or opens its bracket."""
    line = text[max(start, text.rfind("\n", start, line_end) + 1) : line_end].strip()
    if not mark[1] and line.count("(") > line.count(")"):
        return True
    is_as_wrapped = WRAPPED_LINE <= len(line) <= LONGEST_WRAPPED_LINE
    return is_as_wrapped and line[-1] not in ",;:.!?" and not LETTERED.match(line)


def _places_in_lists(mark: re.Match[str]) -> Iterator[tuple[tuple[str, ...], int]]:
    """The kinds of lists that a mark may be of, and the item: `i)` may be the first or ninth."""
    opened, word, closed = mark.groups()
    if opened and closed == ".":
        return
    style = (opened, closed, "upper" if word.isupper() else "lower")
    if word.lower() in ROMAN:
        yield ("roman", *style), 1 + ROMAN.index(word.lower())
    # `A. Smith` and `B. cereus` begin lines, too.
    if len(word) == 1 and (closed == ")" or word.islower()):
        yield ("letter", *style), ord(word)


def _split(text: str, start: int, stop: int, items: Set[int]) -> list[Span]:
    spans: list[Span] = []
    position = start
    for boundary in _boundaries(text, start, stop, items):
        _append(spans, text, position, boundary)
        position = boundary
    _append(spans, text, position, stop)
    return spans


def _boundaries(text: str, start: int, stop: int, items: Set[int]) -> list[int]:
    first = stop - len(text[start:stop].lstrip())
    lines = [first, *_line_boundaries(text, first, stop, items)]
    found = set(lines)
    for match in FINAL.finditer(text, start, stop):
        line = lines[bisect_right(lines, match.start()) - 1]
        is_of_mark = _closes_mark(text, match.start(), line, items)
        if not is_of_mark and _ends_sentence(text, match, line, stop):
            found.add(match.end())
    return sorted(found)


def _closes_mark(text: str, position: int, line: int, items: Set[int]) -> bool:
    """Whether a full stop belongs to the mark of an item, of which only letters stand before."""
    return line in items and position - line < LONGEST_WORD and text[line:position].isalpha()


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


def _line_boundaries(text: str, start: int, stop: int, items: Set[int]) -> Iterator[int]:
    if text.find("\n", start, stop) < 0:
        return  # most paragraphs of articles: far quicker than to look for it with the pattern
    line_start = start
    for match in LINE_BREAK.finditer(text, start, stop):
        line = text[line_start : match.start()].rstrip()
        if match.end() in items or _line_ends(text, line, match, stop):
            yield match.end()
        line_start = match.end()


def _line_ends(text: str, line: str, match: re.Match[str], stop: int) -> bool:
    """Whether the break behind a line ends a sentence, as that of a paragraph, a heading, a list
    item does."""
    if match.group().count("\n") > 1:
        return True
    following = text[match.end() : min(stop, match.end() + 8)]
    if BULLET.match(following) or line.endswith((":", ".", "!", "?")):
        return not (line.endswith(".") and following[:1].islower())
    if following[:1].islower():
        # In a text that is wrapped at this width or a larger one, a line is only left off where
        # the next word has no room: all that is wrapped so goes on.
        word = _next_word(text, match.end(), stop)[1]
        return len(line) + 1 + len(word) <= WRAPPED_LINE and _is_heading(line)
    return len(line) < WRAPPED_LINE


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
