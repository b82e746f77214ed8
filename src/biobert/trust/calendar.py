"""Dates as notes write them: read into year, month and day, and written again in the same form."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

MONTHS = (
    "january february march april may june july august september october november december"
).split()
MONTH_NUMBERS: Mapping[str, int] = {
    **{name: number for number, name in enumerate(MONTHS, start=1)},
    **{name[:3]: number for number, name in enumerate(MONTHS, start=1)},
    "sept": 9,
}
MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
NTH_WORD = (
    r"(?:(?:(?:twenty|thirty)[- ])?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)|"
    r"tenth|eleventh|twelfth|(?:thir|four|fif|six|seven|eigh|nine)teenth|twentieth|thirtieth)"
)
WEEKDAY = r"(?:mon|tue(?:s)?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?"
WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
FIXED_FEASTS: Mapping[str, tuple[int, int]] = {
    "christmas eve": (12, 24),
    "christmas": (12, 25),
    "new year's eve": (12, 31),
    "new year": (1, 1),
    "valentine": (2, 14),
    "independence day": (7, 4),
    "halloween": (10, 31),
}
NUMERIC = re.compile(
    r"(?P<a>\d{1,4})(?P<sep> ?[-/.] ?)(?P<b>\d{1,2})(?:(?P=sep)['’]?(?P<c>\d{4}|\d{2}))?"
)
MONTH_YEAR = re.compile(
    r"(?P<first>\d{1,2})(?P<sep>[-/.])(?P<year>\d{4})|(?P<iso>\d{4}[-/])(?P<last>\d\d)"
)
COMPACT = re.compile(r"(?P<year>(?:19|20)\d\d)(?P<month>\d{2})(?P<day>\d{2})")
NAMED_MONTH = re.compile(rf"(?<![a-z]){MONTH}(?![a-z])")
NAMED_WEEKDAY = re.compile(rf"(?<![a-z]){WEEKDAY}(?![a-z])")
NTH = re.compile(rf"(?<![a-z]){NTH_WORD}(?![a-z])")
DAY = re.compile(r"(?<![\d:])\d{1,2}(?![\d:])(?P<ordinal>st|nd|rd|th)?")
YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)|(?<=['’])\d\d(?!\d)")
SHORT_YEAR = re.compile(r"(?<=[ /.a-z-])\d\d(?![\d:])")
"""Behind a day and a month: `14-Mar-24`, `14MAR24`."""
WHOLE_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
MIDDLE_OF_MONTH, FIRST_OF_CENTURY, OLD_AGE_YEARS = 15, 2000, 90
LATEST_UNKNOWN = 2030
"""Stands for the latest year of a note that names none of this century with four digits."""
YEAR_UNKNOWN = 2001
"""Stands for the year of dates in a note that names none; no leap year."""


@dataclass(frozen=True, slots=True)
class DateReading:
    """How a note is read: whether `03/04` is in April, the year of dates without one, and the
    latest year of the note: two digits for a later one are of the century before."""

    day_first: bool = False
    year: int = YEAR_UNKNOWN
    latest: int = LATEST_UNKNOWN


def reading_of(texts: Sequence[str]) -> DateReading:
    """Told by the dates of a note: one whose first number is beyond 12 puts the day first, and the
    latest year is that of the dates without one."""
    heads = [match for text in texts if (match := NUMERIC.match(text))]
    day_first = any(one["c"] and 12 < int(one["a"]) <= 31 and int(one["b"]) <= 12 for one in heads)
    named = [digits for text in texts if (digits := _year_digits(text))]
    recent = [int(one) for one in named if len(one) == 4 and int(one) >= FIRST_OF_CENTURY]
    latest = max(recent, default=LATEST_UNKNOWN)
    years = [full_year(one, latest) for one in named]
    return DateReading(day_first, max(years, default=YEAR_UNKNOWN), latest)


def tells_old_age(text: str, reading: DateReading) -> bool:
    """Whether the year of a date lies so far before the note that a birth then, or whatever else
    somebody remembers, tells of an age over 89."""
    digits = _year_digits(text)
    if digits is None:
        return False
    return full_year(digits, reading.latest) <= reading.latest - OLD_AGE_YEARS


def shifted(text: str, days: int, reading: DateReading) -> str | None:
    """The date so many days later, in the form of `text`; None where it cannot be read."""
    for move in (_compact, _month_year, _numeric, _named, _feast):
        moved = move(text, days, reading)
        if moved is not None:
            return moved
    return None


def read_numeric(text: str, reading: DateReading) -> tuple[int | None, int, int] | None:
    """Year (or None), month and day of `3/14/24`, `2024-03-14`, `3/14`; None for no date."""
    match = NUMERIC.fullmatch(text)
    if match is None:
        return None
    first, second, third = match["a"], int(match["b"]), match["c"]
    if len(first) == 4:
        year, month, day = int(first), second, int(third or 0)
    else:
        month, day = int(first), second
        if month > 12 or _puts_day_first(match, reading):
            month, day = day, month
        year = full_year(third, reading.latest) if third else None  # type: ignore[assignment]
    if not 1 <= month <= 12 or not 1 <= day <= 31:
        return None
    return year, month, day


def _puts_day_first(match: re.Match[str], reading: DateReading) -> bool:
    """`3.4.` without a year is in April whatever the note does elsewhere."""
    return reading.day_first or (match["sep"] == "." and not match["c"])


def full_year(digits: str, latest: int = LATEST_UNKNOWN) -> int:
    """`24` is 2024, `67` is 1967: of this century up to the year after the latest."""
    year = int(digits)
    if len(digits) == 4:
        return year
    return FIRST_OF_CENTURY + year - (100 if FIRST_OF_CENTURY + year > latest + 1 else 0)


def _year_digits(text: str) -> str | None:
    """The year that a date names, as it is written."""
    if whole := WHOLE_YEAR.search(text) or COMPACT.fullmatch(text):
        return whole[0][:4]
    if (head := NUMERIC.match(text)) and head["c"]:
        return head["c"]
    lowered = text.lower()
    month = NAMED_MONTH.search(lowered)
    year = _year_beside(lowered, month) if month else YEAR.search(lowered)
    return year[0] if year else None


def _year_beside(lowered: str, month: re.Match[str]) -> re.Match[str] | None:
    """Behind the month, or before it with four digits."""
    year = YEAR.search(lowered, month.end()) or WHOLE_YEAR.search(lowered, 0, month.start())
    if year is None and DAY.search(lowered, 0, month.start()):
        return SHORT_YEAR.search(lowered, month.end())
    return year


def _moved(year: int, month: int, day: int, days: int) -> date | None:
    try:
        return date(year, month, day) + timedelta(days=days)
    except (ValueError, OverflowError):
        return None


def _compact(text: str, days: int, reading: DateReading) -> str | None:
    del reading
    match = COMPACT.fullmatch(text)
    if match is None:
        return None
    new = _moved(int(match["year"]), int(match["month"]), int(match["day"]), days)
    return None if new is None else f"{new:%Y%m%d}"


def _month_year(text: str, days: int, reading: DateReading) -> str | None:
    del reading
    match = MONTH_YEAR.fullmatch(text)
    if match is None:
        return None
    year, month = match["year"] or match["iso"][:4], match["first"] or match["last"]
    new = _moved(int(year), int(month), MIDDLE_OF_MONTH, days)
    if new is None:
        return None
    number = f"{new.month:0{len(month)}d}"
    return (
        f"{new:%Y}{match['iso'][4]}{number}" if match["iso"] else f"{number}{match['sep']}{new:%Y}"
    )


def _numeric(text: str, days: int, reading: DateReading) -> str | None:
    """`3/14/24`, `2024-03-14` and, with its time of day left alone, `2024-03-14T08:30:00Z`."""
    head = NUMERIC.match(text)
    tail = text[head.end() :] if head else ""
    read = read_numeric(head[0], reading) if head and (not tail or tail[0] in "tT ") else None
    new = read and _moved(read[0] or reading.year, read[1], read[2], days)
    if head is None or read is None or new is None:
        return None
    if len(head["a"]) == 4:
        width = min(len(head["b"]), len(head["c"]))
        parts = [f"{new:%Y}", f"{new.month:0{width}d}", f"{new.day:0{width}d}"]
    else:
        width = min(len(head["a"]), len(head["b"]))
        is_day_first = int(head["a"]) > 12 or _puts_day_first(head, reading)
        pair = (new.day, new.month) if is_day_first else (new.month, new.day)
        parts = [f"{one:0{width}d}" for one in pair]
        if head["c"]:
            parts.append(f"{new:%Y}"[-len(head["c"]) :])
    return head["sep"].join(parts) + tail


def _named(text: str, days: int, reading: DateReading) -> str | None:
    """With the month's name: `14 March 2024`, `Tuesday, Mar 3rd`, `May 2019`, `October`."""
    lowered = text.lower()
    month = NAMED_MONTH.search(lowered)
    if month is None:
        return None
    year = _year_beside(lowered, month)
    all_days = [one for one in DAY.finditer(lowered) if not year or one.start() != year.start()]
    numbers = [int(re.sub(r"\D", "", one[0])) for one in all_days] or [MIDDLE_OF_MONTH]
    whole_year = full_year(year[0], reading.latest) if year else reading.year
    new = _moved(whole_year, MONTH_NUMBERS[month[0]], numbers[0], days)
    # Several days are a range, whose last may come to lie in another month.
    if new is None or len(numbers) > 1 or NTH.search(lowered):
        return None
    changes = [(month.span(), _month_like(text[slice(*month.span())], new.month))]
    changes += [(one.span(), _day_like(one, new.day)) for one in all_days]
    if year:
        changes.append((year.span(), f"{new:%Y}"[-len(year[0]) :]))
    if weekday := NAMED_WEEKDAY.search(lowered):
        named = WEEKDAYS[new.weekday()][: 9 if weekday[0].endswith("day") else 3]
        changes.append((weekday.span(), _case_like(text[slice(*weekday.span())], named)))
    for (start, end), put in sorted(changes, reverse=True):
        text = text[:start] + put + text[end:]
    return text


def _feast(text: str, days: int, reading: DateReading) -> str | None:
    """A feast of a fixed day becomes a month and a day; movable ones are not read."""
    lowered = text.lower().replace("’", "'")
    for name, (month, day) in FIXED_FEASTS.items():
        if name in lowered and (new := _moved(reading.year, month, day, days)):
            return f"{MONTHS[new.month - 1].capitalize()} {new.day}"
    return None


def _day_like(old: re.Match[str], day: int) -> str:
    digits = old[0].removesuffix(old["ordinal"] or "")
    if not old["ordinal"]:
        return f"{day:02d}" if digits.startswith("0") else str(day)
    ending = "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending}"


def _month_like(old: str, month: int) -> str:
    name = MONTHS[month - 1]
    is_short = len(old) <= 4 and old.lower() not in ("may", "june", "july")
    return _case_like(old, name[:3] if is_short else name)


def _case_like(old: str, new: str) -> str:
    if old.isupper():
        return new.upper()
    return new.capitalize() if old[:1].isupper() else new
