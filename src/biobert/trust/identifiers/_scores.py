"""Pairs of numbers such as `4/5` that are scores, doses, counts and fractions, and no dates."""

import re

from biobert.trust.note import NoteText

COUNT_BEFORE = re.compile(
    r"(?:(?<![a-z])(?:bp|page|pain|scores?|phq-?9?|gad-?7?|gcs|strength|mmse|moca|apgars?|braden|"
    r"norton|day|days|d|grade|stage|vas|nrs|sofa|apache|katz|gds|ratio|titre|titer|bishop|vision|"
    r"va|os|od|ou|iop|ef|class|scale|scored|about|fev1/fvc|pulses?|counts?|units?|dose|ymrs|lefs|"
    r"c-ssrs|lot|x|(?<!week )of|mood|bottles|bipap|settings|motor|power|mmt|reflexes|dtrs?|murmur|"
    r"tablets?|tabs?|takes?|taking|took)"
    r"|=|<|>|≥|≤)[\s:,(-]{0,3}(?:(?:is|was|of|at|now|from|between|improved from)\s)?$"
)
COUNT_BEHIND = re.compile(
    r" ?(?:strength|pain|bottles|mg|mcg|ml|mm|cm|points|of|percent|tabs?|tablets?|units?|chance|"
    r"canals|normal|growth|on (?:exam|the (?:left|right))|hip|feet|systolic|mmhg|bilaterally|cups?|"
    r"teaspoons?|tsp|pills?|motor|power|murmur|reflexes|nodes|cores|positive|pos)(?![a-z])"
)
LOOK_BACK = 24
SCORE_NEAR = re.compile(
    r"(?<![a-z])(?:apgars?|scores?|scale|pain|refills?|ratio|visual acuity|vision|strength|motor|"
    r"bipap|reflexes)(?![a-z])"
)
LOOK_BACK_FOR_SCORE = 48
FRACTIONS = frozenset("1/2 1/3 2/3 1/4 3/4 1/8 3/8".split())


def is_counted(note: NoteText, start: int, end: int) -> bool:
    """Whether the words right beside it say so: `strength 4/5`, `3/4 of`."""
    before = note.lowered[max(0, start - LOOK_BACK) : start]
    return bool(COUNT_BEFORE.search(before) or COUNT_BEHIND.match(note.lowered, end))


def is_near_score(note: NoteText, start: int) -> bool:
    """Whether a word for a score stands before it on its line."""
    before = note.lowered[max(0, start - LOOK_BACK_FOR_SCORE) : start]
    return SCORE_NEAR.search(before.rpartition("\n")[2]) is not None


def are_scores(first: str, last: str) -> bool:
    """Whether a range runs between two scores of one scale or two fractions: `4/5 to 5/5`."""
    is_one_scale = first.partition("/")[2] == last.partition("/")[2]
    return is_one_scale or {first, last} <= FRACTIONS
