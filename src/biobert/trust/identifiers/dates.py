"""Elements of dates smaller than a year (C). A year alone may stay."""

import re
from collections.abc import Iterator

from biobert.trust.calendar import MONTH, WEEKDAY, DateReading, read_numeric
from biobert.trust.note import Candidate, Certainty, NoteText

TIME = r"(?:t\d\d:?\d\d(?::?\d\d(?:\.\d{1,9})?)?(?:z|[+-]\d\d:?\d\d)?)?"
WEEKDAY_BEFORE = rf"(?:(?<![a-z]){WEEKDAY}\.?,? {{1,2}}(?:the )?)?"
NO_LETTER = r"(?<![a-z0-9/])"
YEAR = r"(?:19|20)\d\d"
DAY = r"(?:0?[1-9]|[12]\d|3[01])"
CLOCK = r"(?: \d\d:\d\d:\d\d)?"
TEXT_SHAPES = tuple(
    re.compile(shape)
    for shape in (
        # 14 March 2024, 14th of March, 15-Mar-2022, 3-5 June
        rf"{WEEKDAY_BEFORE}{NO_LETTER}(?:the )?{DAY}(?:st|nd|rd|th)?(?: ?[-–] ?{DAY}(?:st|nd|rd|"
        rf"th)?)?"
        rf"(?:[ ./-]{{1,2}}(?:of )?|(?=[a-z])){MONTH}(?![a-z])(?:[.,]?[ ./-]{{1,2}}(?:{YEAR}|"
        rf"'?\d\d(?![\d:/])))?"
        rf"{CLOCK}",
        # March 14, 2024, Mar 14th, March 14-16
        rf"{WEEKDAY_BEFORE}{NO_LETTER}{MONTH}\.?[ -]{{1,2}}{DAY}(?:st|nd|rd|th)?(?![\d:%]|/\d|\.\d)"
        rf"(?: ?(?:[-–]|to|and|&) ?{DAY}(?:st|nd|rd|th)?(?![\d:/%]))?(?:,? {{1,2}}(?:{YEAR}(?!\d)|"
        rf"'\d\d))?"
        rf"{CLOCK}",
        # March 2024
        rf"{NO_LETTER}{MONTH}\.?,? ?(?:of |/|-)? ?{YEAR}(?!\d)",
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
    r"(?<![a-z])(?:on|by|until|till|since|for|from|before|after) (the \d{1,2}(?:st|nd|rd|"
    r"th))(?! [a-z]{1,20}(?:ile|day|time))"
)
COMPACT = re.compile(
    r"(?<![\w.-])(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\w|[.-]\d)"
)
FULL = re.compile(
    rf"{WEEKDAY_BEFORE}(?<![\w/.])(?:{YEAR}([-/.])\d{{1,2}}\1\d{{1,2}}{TIME}|"
    rf"\d{{1,2}}([-/.])\d{{1,2}}\2(?:{YEAR}|\d\d))"
    r"(?![\w/]|[.-]\d)"
)
DOTTED_SHORT = re.compile(r"\d\.\d{1,2}\.\d\d|\d\d\.\d\.\d\d")
MONTH_AND_YEAR = re.compile(rf"(?<![\w/.-])(?:0?[1-9]|1[0-2])[/-]{YEAR}(?![\w/-])")
SHORT = re.compile(r"(?<![\w/.:+-])(\d{1,2})/(\d{1,2})(?![\w/%]|\.\d)")
DAYS_NEAR = 21
"""A pair of numbers that would be a date this near to another date of the note is one."""
DATE_BEFORE = re.compile(
    r"(?:(?<![a-z])(?:on|since|until|till|by|dated?|admit(?:ted)?|discharged?|d/c|visit|appt|"
    r"appointment|"
    r"return|returns|rtc|f/u|follow-?up|due|last|next|started|stopped|begun|arr|arrived|seen|dob|"
    r"born|"
    r"surgery|released?|filled|collected|performed|before|after|denied|approved|tomorrow|today|"
    r"yesterday)"
    r"|[-–] ?\d{1,2}/\d{1,2})[\s:,(-]{1,3}$"
)
RANGE_BEFORE = re.compile(r"(?<!\d)(\d{1,2})/(\d{1,2}) ?(?:-|–|to) ?$")
COUNT_BEFORE = re.compile(
    r"(?:(?<![a-z])(?:bp|page|pain|score|phq-?9?|gad-?7?|gcs|strength|mmse|moca|apgar|braden|"
    r"norton|day|days|d|"
    r"grade|stage|vas|sofa|apache|katz|gds|ratio|titre|titer|bishop|vision|va|os|od|iop|ef|class|"
    r"scale|"
    r"scored|about|fev1/fvc|pulse|counts?|units?|dose|ymrs|lefs|c-ssrs|lot|x|of|mood|bottles)"
    r"|=|<|>|≥|≤)[\s:,(-]{0,3}(?:(?:is|was|of|at|now)\s)?$"
)
COUNT_BEHIND = re.compile(
    r" ?(?:strength|pain|bottles|mg|mcg|ml|mm|cm|points|of|percent|tabs?|units?|chance|canals|"
    r"normal|"
    r"growth|on (?:exam|the (?:left|right))|hip|feet|systolic|mmhg|bilaterally)(?![a-z])"
)
TIME_BEHIND = re.compile(r",? (?:at |@ ?)?\d{1,2}:?\d\d(?![\d/.])")
LOOK_BACK = 24
SCORE_NEAR = re.compile(
    r"(?<![a-z])(?:apgar|scores?|scale|pain|refills?|ratio|visual acuity)(?![a-z])"
)
LOOK_BACK_FOR_SCORE = 48
LONGEST_HEADER = 80


def find(note: NoteText) -> Iterator[Candidate]:
    """In figures and in words."""
    yield from _in_words(note)
    full = list(_in_figures(note))
    yield from full
    yield from _short(note, full)


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
    for pattern in (FULL, COMPACT, MONTH_AND_YEAR):
        for match in pattern.finditer(note.lowered):
            is_date = pattern is not FULL or _is_full_date(match[0].rpartition(" ")[2])
            if is_date and not DOTTED_SHORT.fullmatch(match[0]):
                yield Candidate("DATE", *match.span(), Certainty.STATED)


def _is_full_date(text: str) -> bool:
    head = text.partition("t")[0]
    return any(read_numeric(head, DateReading(day_first=first)) for first in (False, True))


def _short(note: NoteText, full: list[Candidate]) -> Iterator[Candidate]:
    """Month and day alone: what stands before and behind tells them from scores and doses."""
    known = {day for one in full if (day := _day_of_year(_numbers(note, one)))}
    header = note.text.find("\n", 0, LONGEST_HEADER)
    for match in SHORT.finditer(note.lowered):
        day = _day_of_year(match[0])
        if day is None or COUNT_BEHIND.match(note.lowered, match.end()):
            continue
        before = note.lowered[max(0, match.start() - LOOK_BACK) : match.start()]
        if COUNT_BEFORE.search(before):
            continue
        is_announced = DATE_BEFORE.search(before) or RANGE_BEFORE.search(before)
        is_timed = TIME_BEHIND.match(note.lowered, match.end()) or match.end() <= header
        is_near = _is_near(day, known) and not _is_score(note, match)
        if is_announced or is_timed or is_near:
            yield Candidate("DATE", *match.span(), Certainty.SHAPED)
            known.add(day)


def _numbers(note: NoteText, date: Candidate) -> str:
    """Without the day of the week and the time of day."""
    return note.lowered[date.start : date.end].rpartition(" ")[2]


def _is_score(note: NoteText, match: re.Match[str]) -> bool:
    before = note.lowered[max(0, match.start() - LOOK_BACK_FOR_SCORE) : match.start()]
    return SCORE_NEAR.search(before.rpartition("\n")[2]) is not None


def _is_near(day: int, known: set[int]) -> bool:
    distances = (abs(day - one) for one in known)
    return any(min(one, 365 - one) <= DAYS_NEAR for one in distances)


def _day_of_year(text: str) -> int | None:
    """About the number of the day in its year, from 31 on; None for no date with figures."""
    read = read_numeric(text.partition("t")[0], DateReading())
    return None if read is None else read[1] * 30 + read[2]
