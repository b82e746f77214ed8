"""Ages over 89 (C): they may only be told as one class of 90 and older."""

import re
from collections.abc import Iterator

from biobert.trust.lists import is_plain
from biobert.trust.note import Candidate, Certainty, NoteText

OLD = r"(?:9\d|1[0-2]\d)"
ONES = r"(?:one|two|three|four|five|six|seven|eight|nine)"
TENS = rf"(?:ninety(?:[- ]{ONES})?|(?:one|a)[- ]hundred"
WORDS = rf"{TENS}(?:(?:[- ]and|)[- ](?:{ONES}|ten))?)"
OVER_89 = re.compile(rf"(?<!\d){OLD}(?!\d)|{WORDS}|nineties|ninetieth|nonagenarian|centenarian")
AGE = rf"({OLD}|{WORDS})"
NUMBER = rf"(?<![\w./$€£-])(?=[19noa]){AGE}"
NO_MEASURE = (
    r"(?![\w/%+]|\.\d|,\d{3}| ?(?:/|°|on )|[ -]?(?:kgs?|lbs?|cm|mm|m|meters?|metres?|feet|ft|miles|"
    r"beats|bpm|mmhg|percent|degrees?|seconds?|min|minutes?|hours?|hrs?|days?|weeks?|wks?|months?|"
    r"mos?|mg|mcg|ml|units?|points|times|systolic)(?![a-z]))"
)
YEARS = r"(?:years?|yrs?\.?)"
YEARS_OLD = (
    rf"(?:[- ]{{0,2}}{YEARS}(?:,? (?:and )?\d{{1,2}} months?)?[- ]{{1,2}}(?:old|of age)|"
    rf"[- ]{YEARS},? (?:and )?\d{{1,2}} months?(?![a-z])|"
    rf"[- ]?y(?:rs?)?[./ -]{{0,2}}o(?:ld)?[mf]?(?![a-z])|[- ]?y[mf]?(?![a-z/])|"
    r"yrs?(?![a-z]| (?:ago|after|later|of))|"
    rf"[- ]{{0,2}}{YEARS}[- ](?:m|f|man|woman|male|female|gentleman|lady|patient)(?![a-z]))"
)
SEX = r"(?:m|f|male|female)(?![\w/])"
PERSON = r"(?:female|male|woman|man|lady|gentleman|widow(?:er)?)"
PRESENTED = (
    r" (?:with|w/|who|presents|presented|presenting|admitted|here|s/p|h/o|c/o|brought|found|"
    r"seen|from|pmh|hx|patient)(?![a-z])"
)
SUBJECT = r"(?:he|she|they|who|patient|pt)"
KIN = r"(?:grand|great-grand)?(?:mother|father|parents?|aunt|uncle|sister|brother|wife|husband)"
ABOUT = r"(?: (?:now|almost|nearly|about|already|currently|still|over))?"
ALL_BUT = r"(?: (?:of|about|around|almost|nearly))?"
SHAPES = tuple(
    re.compile(shape)
    for shape in (
        # 91-year-old, (91 years), 91 male with cough, 92/F, 97 at death
        rf"{NUMBER}(?={YEARS_OLD}|(?<=\(\d\d) ?{YEARS}\)| ?{PERSON}{PRESENTED}|"
        rf"(?:y|yo|yrs?)? ?/ ?{SEX}| at (?:death|onset|diagnosis|the time of death))",
        # F/92
        rf"(?<![\w/])(?:m|f|male|female) ?/ ?({OLD})(?:y|yo|yrs?)?(?![\w/%.-])",
        rf"(?<![a-z]){PERSON}(?: of|,|, aged?) {AGE}(?=[,.;)\n]|$|{PRESENTED}| years)",
        # Age (years): 91, at the age of 91, ages 88, 91 and 93
        rf"(?<![a-z])age(?:s|d)?(?: ?\((?:in )?(?:years?|yrs?|y)\)| ?[/&] ?(?:sex|gender))?"
        rf"(?: is| was)?{ALL_BUT}[:.= -]{{1,16}}{AGE}(?:y|yrs?)?{NO_MEASURE}",
        rf"(?<![a-z])age(?:s|d) (?:\d{{1,3}}(?:,| and|, and| &) ){{1,4}}{AGE}{NO_MEASURE}",
        # she is now 95, pt is 95, will be 91, turned 92, mother's 93
        rf"(?<![a-z])(?:{SUBJECT}|{KIN})(?:['’]s| is| was| will be| would be){ABOUT} "
        rf"{AGE}{NO_MEASURE}",
        rf"(?<![a-z])(?:turn(?:s|ed|ing)?){ALL_BUT} {AGE}{NO_MEASURE}",
        rf"(?<![a-z])(?:patient|pt), {AGE},",
        rf"(?<![a-z])(?<!per )(?<!each )(?:patient|pt) \({AGE}(?:,? ?[mf])?\)",
        rf"(?<![a-z])at {AGE},? (?=(?:he|she|they|his|her)(?![a-z]))",
        rf"(?<![a-z])at {AGE} (?={YEARS}(?![a-z]| (?:after|ago|later|of)))",
        # died at 91, lived to be 102, mother d. 94
        rf"(?<![a-z])(?:died|dead|deceased|passed(?: away)?|expired|lived|living|alive|diagnosed|"
        rf"onset|widowed)(?: at| until| till| to| to be)(?: the)?(?: age)?{ALL_BUT}[. ]{{1,2}}{AGE}"
        rf"{NO_MEASURE}",
        rf"(?<![a-z])(?:died|deceased|{KIN}:? d\.)[ ,(]{{1,2}}{AGE}{NO_MEASURE}",
        # Mother: 93, alive; his father (94) is alive
        rf"(?<![a-z]){KIN}[ ,:(]{{1,3}}{AGE}(?=[),;.\n]|$| (?:and|alive|healthy|well|with|living|"
        rf"in|who|has|had|died)(?![a-z]))",
        # in her early 90's, a nonagenarian, her 95th birthday
        r"(?<![a-z])in(?:to)? (?:his|her|their|(?:the )?patient['’]?s) (?:early[ -]|mid[ -]?|"
        r"late[ -])?(90['’]?s|nineties)(?![a-z])",
        r"(?<![a-z])((?:nonagen|(?:super)?centen)arian)s?(?![a-z])",
        rf"(?<![\w.])({OLD}(?:st|nd|rd|th)|ninet(?:ieth|y-[a-z]{{4,7}})|"
        r"(?:one )?hundredth) birthday",
        rf"(?<![a-z])(?:his|her|their) ({OLD}(?:st|nd|rd|th)|ninetieth) year(?![a-z])",
    )
)
# "Anna, 94, widow": an apposition to a word with a capital and small letters.
APPOSITION = re.compile(
    rf"(?:([A-Z][a-z]{{2,30}})(?:, | \()|\d{{4}} \(|[/-]\d\d \()({OLD})"
    r"(?=,| ?(?:y|yo|yrs?|years?|F|M)?[),]| y)"
)
# "94F with CHF", "92 WF"; a temperature, a distance, a bed or a count may look the same.
WITH_SEX = re.compile(
    rf"(?<![\w./$€£-])({OLD}) ?(?:(?:W|B|H|AA?|C)?[MF](?![\w/°+-]|\.\d)|[mf](?={PRESENTED}))"
)
MEASURE_BEFORE = re.compile(
    r"(?<![a-z'’])(?:t|t-?max|tm|temps?\.?|temperatures?|fevers?|a?febrile (?:to|at)|vitals?|vs|"
    r"walk(?:s|ed|ing)?|ambulat(?:es|ed|ing|ion)|distance|room|bed)"
    r"[ :=,]{1,3}(?:(?:is|was|of|at|to|now|about|up|high) ){0,3}$"
)
MEASURE_BEHIND = re.compile(
    r" ?(?:\(\d|\(?(?:oral|rectal|axill|tympan)|cells|reads|copies|na(?:cl|oh)|k?cl|buffer|"
    r"solution|walk|dash)"
)
LOOK_BACK = 32


def find(note: NoteText) -> Iterator[Candidate]:
    """In figures and in words."""
    for shape in SHAPES:
        for match in shape.finditer(note.lowered):
            yield Candidate("AGE", *match.span(1), Certainty.STATED)
    for match in APPOSITION.finditer(note.text):
        if not is_plain(match[1] or ""):
            yield Candidate("AGE", *match.span(2), Certainty.SHAPED)
    for match in WITH_SEX.finditer(note.text):
        if not _is_measure(note, *match.span()):
            yield Candidate("AGE", *match.span(1), Certainty.SHAPED)


def _is_measure(note: NoteText, start: int, end: int) -> bool:
    before = note.lowered[max(0, start - LOOK_BACK) : start]
    return bool(MEASURE_BEFORE.search(before) or MEASURE_BEHIND.match(note.lowered, end))
