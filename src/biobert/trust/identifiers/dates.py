"""Elements of dates smaller than a year (C). A year alone may stay, but for one in which somebody
of 90 or more was born."""

import re
from collections.abc import Iterator

from biobert.trust.calendar import (
    MONTH,
    NTH_WORD,
    NUMERIC,
    WEEKDAY,
    DateReading,
    read_numeric,
    reading_of,
    tells_old_age,
)
from biobert.trust.identifiers._date_ranges import TO, YEAR, range_halves
from biobert.trust.identifiers._scores import is_counted, is_near_score
from biobert.trust.note import Candidate, Certainty, NoteText

TIME = r"(?:t\d\d:?\d\d(?::?\d\d(?:\.\d{1,9})?)?(?:z|[+-]\d\d:?\d\d)?)?"
WEEKDAY_BEFORE = rf"(?:(?<![a-z]){WEEKDAY}\.?,? {{1,2}}(?:the )?)?"
NO_LETTER = r"(?<![a-z0-9/])"
# `3 may be given`, `May 10 mg be given`
NO_VERB = (
    r"(?!(?<=may) (?:be|have|not|also|need|require|cause|lead|help|take|receive|continue|use|"
    r"occur|show|return|develop)(?![a-z]))"
)
NO_MEASURE = (
    r"(?! ?(?:mg|mcg|ug|µg|ml|cc|g|kg|mm|cm|units?|tabs?|tablets?|caps?|capsules?|puffs?|drops|"
    r"doses?|times|percent|days|weeks?|months?|hours?|hrs?|min|minutes|patients)(?![a-z]))"
)
DAY = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
SEASON = r"(?:spring|summer|autumn|fall|winter)"
CLOCK = r"(?: \d\d:\d\d:\d\d)?"
TEXT_SHAPES = tuple(
    re.compile(shape)
    for shape in (
        # 14 March 2024, 14th of March, 15-Mar-2022, 14MAR24, 3-5 June, 3rd of May '21
        rf"{WEEKDAY_BEFORE}{NO_LETTER}(?:the )?{DAY}(?:{TO}{DAY})?"
        rf"(?:[ ./-]{{1,2}}(?:of )?| ?, ?|(?=[a-z])){MONTH}(?![a-z]){NO_VERB}"
        rf"(?:[ ,./-]{{0,3}}{YEAR}(?!\d)|[.,]?[ ./-]{{1,2}}['’]?\d\d(?![\d:/]){NO_MEASURE}|"
        rf"['’]?\d\d(?!\w))?{CLOCK}",
        # March 14, 2024, Mar 14th, Mar/14/2024, March 14-16, May the 3rd
        rf"{WEEKDAY_BEFORE}{NO_LETTER}{MONTH}[ ./-]{{1,3}}(?:the )?{DAY}"
        rf"(?![\d:%]|[/.](?!{YEAR})\d){NO_MEASURE}(?:{TO}{DAY}(?![\d:/%]))?"
        rf"(?:[ ,./-]{{1,3}}{YEAR}(?!\d)|,? {{0,2}}['’]\d\d|, ?\d\d(?=[.,;)\n]|$))?{CLOCK}",
        # 2024-Mar-14, 2024MAR14
        rf"(?<![\w/.-]){YEAR}[ ,./-]{{0,2}}{MONTH}[ ./-]{{0,2}}{DAY}(?![\d:%]|[/.]\d){NO_MEASURE}",
        # the third of May 2021, June third; `may first` needs a year
        rf"{NO_LETTER}(?:the )?{NTH_WORD} (?:day )?of {MONTH}(?![a-z])(?:,? {YEAR}(?!\d))?",
        rf"{NO_LETTER}(?:(?!ma[yr]){MONTH} (?:the )?{NTH_WORD}(?![a-z])(?:,? {YEAR}(?!\d))?|"
        rf"{MONTH} (?:the )?{NTH_WORD},? {YEAR}(?!\d))",
        # March 2024, Nov '23, Aug/Sept 2020
        rf"(?:{NO_LETTER}|(?<=[a-z]/)){MONTH}"
        rf"\.?,? ?(?:(?:of |/|-)? ?{YEAR}(?!\d)|(?:of )?['’]\d\d(?!\d))",
        # Q1 2024, the first quarter of 2024, spring of '22
        rf"(?<![\w/.-])(?:q[1-4](?:{TO}q[1-4])?(?: of)?[ /-]?(?:{YEAR}|[ /-]?['’]\d\d)|"
        rf"{YEAR}[ /-]?q[1-4]|"
        rf"(?:first|second|third|fourth|last|1st|2nd|3rd|4th) quarter of {YEAR}|"
        rf"{SEASON}(?:(?:{TO}|/){SEASON})?,? (?:of )?(?:{YEAR}|['’]\d\d))(?!\w){NO_MEASURE}",
        # February; those that are also words or names need more
        rf"{NO_LETTER}(?:january|february|july|september|october|november|december)(?![a-z])",
    )
)
MONTH_IN_CONTEXT = re.compile(
    r"(?<![a-z])(?:in|since|last|next|until|till|by|early|late|mid|during|through|this|of|from|"
    r"between|"
    r"and|to)[ -](?:the (?:end|middle|beginning) of )?"
    rf"({MONTH})(?![a-z'’]| [A-Z])"
)
WORDS_AS_MONTHS = frozenset("may mar march sun dec".split())
FEASTS = re.compile(
    r"(?<![a-z])(?:christmas(?: eve| day)?|thanksgiving(?: day)?|new year['’]?s?(?: eve| day)?|"
    r"easter"
    r"(?: sunday| monday)?|good friday|halloween|labou?r day|memorial day|independence day|"
    r"columbus day|"
    r"veterans['’]? day|valentine['’]?s(?: day)?|(?:mother|father)['’]?s day|"
    r"st\.? patrick['’]?s day|"
    r"boxing day|ramadan|diwali|hanukkah|passover|rosh hashanah|yom kippur|"
    r"eid(?: al-\w{4,5})?)(?![a-z])"
)
NOT_FEASTS = re.compile(r" (?:disease|tree|factor)")
DAY_OF_MONTH = re.compile(
    r"(?<![a-z])(?:on|by|until|till|since|for|from|before|after|admitted|discharged) "
    r"(the \d{1,2}(?:st|nd|rd|th))(?! [a-z]{1,20}(?:ile|day|time))"
)
COMPACT = re.compile(
    r"(?<![\w.-])(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\w|[.-]\d)"
)
# The dates of an interval, `2024-03-14/2024-03-20`; the last may be short, `2024-03-14/20`.
WITH_HYPHENS = rf"(?:{YEAR}-\d{{1,2}}-\d{{1,2}}|\d{{1,2}}-\d{{1,2}}-\d\d)"
SHORT_END = r"/(?:\d\d-)?\d\d(?![\w/-])"
FULL = re.compile(
    rf"{WEEKDAY_BEFORE}(?=\d)(?:(?<![\w/.])|(?<=[\dz]/)(?={WITH_HYPHENS}))"
    rf"(?:{YEAR}-\d{{1,2}}-\d{{1,2}}(?:{SHORT_END}|{TIME})|"
    rf"{YEAR}([/.])\d{{1,2}}\1\d{{1,2}}{TIME}(?!/)|"
    rf"(?:\d{{1,2}}([-/.])\d{{1,2}}\2(?:{YEAR}|['’]?\d\d)|"
    rf"\d{{1,2}}( ?[-/.] )\d{{1,2}}\3{YEAR})(?!/(?!{WITH_HYPHENS})))"
    # Another date may follow behind a hyphen.
    r"(?!\w|\.\d|-\d(?!\d?/\d))"
)
DOTTED_SHORT = re.compile(r"\d\.\d{1,2}\.\d\d|\d\d\.\d\.\d\d")
"""These are also versions and numbers of sections: they need more."""
MONTH_AND_YEAR = re.compile(
    rf"(?:(?<![\w/.-])|(?<=/\d{{4}}-))(?:(?:0?[1-9]|1[0-2])(?:[/-]{YEAR}|/['’]\d\d)|"
    rf"(?:0[1-9]|1[0-2])\.{YEAR}|{YEAR}[-/](?:0[1-9]|1[0-2])(?!-\d\d/))"
    rf"(?![\w/]|\.\d|-(?!\d?\d/))(?! ?%){NO_MEASURE}"
)
BIRTH = (
    r"(?<![a-z])(?:d\.?o\.?b\.?|y\.?o\.?b\.?|born|birth ?(?:date|year)|(?:date|year) of birth)"
    r"(?: (?:is|was))?[ :,(=-]{1,4}(?:(?:in|on) )?(?:the )?"
)
BIRTH_DATE = re.compile(
    rf"{BIRTH}(\d{{6}}|\d{{8}}|\d{{1,2}} \d{{1,2}} (?:{YEAR}|\d\d)|"
    rf"{MONTH}\.? ?(?:3[2-9]|[4-9]\d))(?![\w/%-]|\.\d){NO_MEASURE}"
)
BIRTH_YEAR = re.compile(rf"{BIRTH}({YEAR}|['’]\d\d)(?=s?(?![\w/-]|\.\d))")
SHORT = re.compile(r"(?<![\w/.:+-])(\d{1,2})/(\d{1,2})(?![\w/%]|\.\d)")
# `discharged on 4-9.`, and no `on 3-4 tablets`: nothing that is counted may follow.
HYPHENATED = re.compile(
    r"(?=\d{1,2}-)(?<![\w/.:+-])(\d{1,2})-(\d{1,2})(?=[.,;:)\n](?!\d)|$| (?:and|at|for|with|w/|by|"
    r"in|to|the|s?he|they|patient|pt|was|were|no|when|after|before|showed|again|seen|had|came|"
    r"fell)(?![a-z]))"
)
# Before what could be a range, `3-4`: no word for what has a length or a number.
STATED_BEFORE = re.compile(
    r"(?<![a-z])(?:on|since|until|till|dated?|admit(?:ted)?|discharged?|d/c|visit|appt|"
    r"appointment|week of|doa|dos|lmp|edd|edc|seen|surgery|released?|d\.?o\.?b\.?|born|"
    r"mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:rs(?:day)?)?|fri(?:day)?|saturday|"
    r"sunday)\.?[\s:,(]{1,3}$"
)
WIDEST_RANGE = 10
DAYS_NEAR = 21
"""A pair of numbers that would be a date this near to another date of the note is one."""
DATE_BEFORE = re.compile(
    r"(?:(?<![a-z])(?:on|since|until|till|by|dated?|admit(?:ted)?|discharged?|d/c|visit|appt|"
    r"appointment|week of|edd|edc|lmp|doa|dos|onset|"
    r"return|returns|rtc|f/u|follow-?up|due|last|next|started|stopped|begun|arr|arrived|seen|"
    r"d\.?o\.?b\.?|born|mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:rs(?:day)?)?|fri(?:day)?|"
    r"saturday|sunday|"
    r"surgery|released?|filled|collected|performed|before|after|denied|approved|tomorrow|today|"
    r"yesterday|labs?|cxr|ct|cta|mri|mra|tte|tee|echo|ekg|ecg|eeg|ua|cath|egd|x-?ray|imaging)\.?"
    r"|[-–] ?\d{1,2}/\d{1,2})[\s:,(-]{1,3}$"
)
# `seen on 14.03.`: a month of one digit could be a measure at the end of a sentence.
TWO_DIGITS = r"(?:0[1-9]|[12]\d|3[01])\.(?:0[1-9]|1[0-2])"
DAY_AND_MONTH = re.compile(
    r"(?<![a-z])(?:on|since|until|till|from|dated?|seen|admitted|visit|appointment|appt)"
    rf"(?: the)?[ :]{{1,2}}(?P<first>{TWO_DIGITS})\."
    rf"(?: ?[-–] ?(?P<last>{TWO_DIGITS})\.)?(?!\w)|"
    r"(?<![a-z])(?:seen|admitted|discharged|visited|presented|returned|again|examined|operated) on "
    r"(?:the )?(?P<seen>(?:0?[1-9]|[12]\d|3[01])\.(?:0?[1-9]|1[0-2]))\.(?!\w)"
)
TIME_BEHIND = re.compile(r",? (?:at |@ ?)?\d{1,2}:?\d\d(?![\d/.])")
LOOK_BACK = 24
LONGEST_HEADER = 80
LINE_BEFORE = re.compile(r"(?<![^\n])[ \t*•>-]{0,6}$")
LONGEST_BULLET = 6
HEADING_BEHIND = re.compile(r"(?:: ?| [-–—] )(?=[a-z])")


def find(note: NoteText) -> Iterator[Candidate]:
    """In figures and in words."""
    full = list(_in_figures(note))
    halves = list(range_halves(note))
    hyphenated = list(_with_hyphen(note))
    short = _short(note, [*full, *halves, *hyphenated])
    found = [*_in_words(note), *full, *halves, *hyphenated, *short]
    yield from found
    yield from _births(note, reading_of([note.text[one.start : one.end] for one in found]))


def _in_words(note: NoteText) -> Iterator[Candidate]:
    for shape in TEXT_SHAPES:
        for match in shape.finditer(note.lowered):
            yield Candidate("DATE", *match.span(), Certainty.STATED)
    for pattern in (MONTH_IN_CONTEXT, DAY_OF_MONTH):
        for match in pattern.finditer(note.lowered):
            start, end = match.span(1)
            is_acronym = len(match[1]) == len("OCT") and note.text[start:end].isupper()
            if is_acronym or (match[1] in WORDS_AS_MONTHS and not note.is_capital(start)):
                continue
            yield Candidate("DATE", start, end, Certainty.SHAPED)
    for match in FEASTS.finditer(note.lowered):
        if note.is_capital(match.start()) and not NOT_FEASTS.match(note.lowered, match.end()):
            yield Candidate("DATE", *match.span(), Certainty.SHAPED)


def _in_figures(note: NoteText) -> Iterator[Candidate]:
    for match in FULL.finditer(note.lowered):
        figures = _figures(match[0])
        is_bare = DOTTED_SHORT.fullmatch(figures) and not DATE_BEFORE.search(_before(note, match))
        if _is_full_date(figures) and not is_bare:
            yield Candidate("DATE", *match.span(), Certainty.STATED)
    for match in DAY_AND_MONTH.finditer(note.lowered):
        for name, value in match.groupdict().items():
            if value:
                yield Candidate("DATE", *match.span(name), Certainty.SHAPED)
    for pattern in (COMPACT, MONTH_AND_YEAR):
        for match in pattern.finditer(note.lowered):
            yield Candidate("DATE", *match.span(), Certainty.STATED)


def _births(note: NoteText, reading: DateReading) -> Iterator[Candidate]:
    """Behind a word for birth: dates in forms that mean nothing elsewhere, and years so long ago
    that whoever was born then may be over 89."""
    for match in BIRTH_DATE.finditer(note.lowered):
        yield Candidate("DATE", *match.span(1), Certainty.STATED)
    for match in BIRTH_YEAR.finditer(note.lowered):
        if tells_old_age(match[1], reading):
            yield Candidate("DATE", *match.span(1), Certainty.STATED)


def _figures(text: str) -> str:
    """Of a date in figures, without the day of the week and the time of day."""
    numeric = NUMERIC.search(text)
    return numeric[0] if numeric else text


def _is_full_date(text: str) -> bool:
    return any(read_numeric(text, DateReading(day_first=first)) for first in (False, True))


def _before(note: NoteText, match: re.Match[str]) -> str:
    return note.lowered[max(0, match.start() - LOOK_BACK) : match.start()]


def _short(note: NoteText, full: list[Candidate]) -> Iterator[Candidate]:
    """Month and day alone: what stands before and behind tells them from scores and doses."""
    dates = (_figures(note.lowered[one.start : one.end]) for one in full)
    known = {day for one in dates if (day := _day_of_year(one))}
    header = note.text.find("\n", 0, LONGEST_HEADER)
    for match in SHORT.finditer(note.lowered):
        day = _day_of_year(match[0])
        if day is None or is_counted(note, *match.span()):
            continue
        before = _before(note, match)
        is_announced = DATE_BEFORE.search(before) or _is_heading(note, match)
        is_timed = TIME_BEHIND.match(note.lowered, match.end()) or match.end() <= header
        is_near = _is_near(day, known) and not is_near_score(note, match.start())
        if is_announced or is_timed or is_near:
            yield Candidate("DATE", *match.span(), Certainty.SHAPED)
            known.add(day)


def _with_hyphen(note: NoteText) -> Iterator[Candidate]:
    """Month and day as `3-14` behind a word for a date; most such pairs are ranges."""
    for match in HYPHENATED.finditer(note.lowered):
        if _day_of_year(match[0]) is None or is_counted(note, *match.span()):
            continue
        may_be_range = 0 < int(match[2]) - int(match[1]) <= WIDEST_RANGE
        if (STATED_BEFORE if may_be_range else DATE_BEFORE).search(_before(note, match)):
            yield Candidate("DATE", *match.span(), Certainty.SHAPED)


def _is_heading(note: NoteText, match: re.Match[str]) -> bool:
    """Whether it begins a line and what happened then follows: `6/12: doing well`."""
    behind = HEADING_BEHIND.match(note.lowered, match.end())
    if behind is None or is_counted(note, match.start(), behind.end()):
        return False
    lead = max(0, match.start() - LONGEST_BULLET)
    return LINE_BEFORE.search(note.lowered, lead, match.start()) is not None


def _is_near(day: int, known: set[int]) -> bool:
    distances = (abs(day - one) for one in known)
    return any(min(one, 365 - one) <= DAYS_NEAR for one in distances)


def _day_of_year(text: str) -> int | None:
    """About the number of the day in its year, from 31 on; None for no date with figures."""
    read = read_numeric(text, DateReading())
    return None if read is None else read[1] * 30 + read[2]
