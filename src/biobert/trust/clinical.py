"""What is taken for a name or a place and is part of clinical language: drugs, devices, eponyms of
diseases and tools, ordinary words, months, single letters."""

import re
from collections.abc import Mapping

from biobert.text.letters import letter_by_letter
from biobert.trust.calendar import MONTH
from biobert.trust.kinds import Kind
from biobert.trust.lists import entries, folded, given_names, is_known_name, is_plain
from biobert.trust.note import LETTERS

# Stems of the International Nonproprietary Names (World Health Organization, the Stem Book of 2018)
# that end no listed name.
DRUG = re.compile(
    r"[a-z]{2,20}(?:mab|[nl]ib|pril|sartan|statin|olol|azole|[csm]illin|[mt]hromycin|amycin|omycin|"
    r"omicin|floxacin|prazole|tidine|gliptin|gliflozin|glutide|dipine|azepam|zolam|setron|triptan|"
    r"cycline|oxetine|prost|heparin|xaban|gatran|fibrate|semide|thiazide|metasone|cortisone|nisolone|"
    r"steride|[cn]ovir|navir|tegravir|asvir|[bc]uvir|ciclovir|cyclovir|ocaine|curonium|profen|coxib|"
    r"platin|taxel|rubicin|tecan|trexate|fenac|formin|glitazone|bactam|penem|barbital)|cef[a-z]{4,12}"
)
# What directly follows the eponym of a disease or a tool, and not the name of a patient, who may
# well have a chart, a foot and a procedure.
CLINICAL_NOUN = re.compile(
    r"(?:['’]s)?[- ](?:disease|syndrome|sign|test|phenomenon|palsy|lymphoma|catheter|contracture|"
    r"fracture|scale|score|index|criteria|classification|esophagus|oesophagus|dystrophy|dementia|"
    r"thyroiditis|maneuver|manoeuvre|clamp|retractor|drain|forceps|reflex|stain|agar|cell|node|"
    r"ligament|triad|valve|panel|murmur|pouch|malformation|tetralogy|deformity|lesion|cyst|tumou?r|"
    r"sarcoma|carcinoma|chorea|ataxia|hernia|protocol|inventory|questionnaire|nevus|striae|"
    r"ointment|paste|brace|chromosome|rule|stag(?:e|ing))s?(?![a-z])"
)
# Endings of clinical and of ordinary words that end no listed name.
TERM = re.compile(
    r"[a-z]{2,24}(?:osis|oses|ectomy|ostomy|otomy|oscopy|oscopic|plasty|pexy|rrhage|rrhea|pathy|"
    r"pathic|graphy|algia|plegia|paresis|phagia|phasia|trophy|lysis|genic|ologist|ological|ology)|"
    r"[a-z]{4,24}(?:(?<!a)itis|emia|aemia|uria|tions?|sions?|tional|ates|ated|ating|izes|ized|izing|"
    r"ises|ised|ility|ically|ously|ively|fully|lessly)"
)
MONTH_MENTION = re.compile(rf"{MONTH}\.?(?:,? (?:of )?(?:19|20)\d\d)?")
BEFORE_MONTH = re.compile(
    r"(?<![a-z])(?:in|since|until|till|last|next|this|early|late|mid|through|during|between)[ -]$"
)
MODAL = re.compile(
    r" (?:be|have|not|also|need|repeat|follow|call|continue|return|require|take|start|stop|see|get|"
    r"give|try|benefit|consider|increase|decrease|discuss|monitor|recheck|check|obtain|order|likely|"
    r"schedule|plan|use|help|cause|lead|receive|refer|add|hold|resume|proceed)(?![a-z])"
)
BELIEF = re.compile(r" (?:faith|church|religion|beliefs?|values|denomination|upbringing|prayers?)")
MEANT_OTHERWISE: Mapping[str, re.Pattern[str]] = {
    "will": MODAL, "may": MODAL, "christian": BELIEF
}  # fmt: skip
"""Names that are also words, and what follows them where they are."""
# Pills are called by given names, such as Yasmin and Camila; people are taken daily *to* a place.
PILL_BEFORE = re.compile(
    r"(?<![a-z])(?:takes?|taking|took|prescribed|restarted|stopped|continues?|refill(?:ed)?|using|"
    r"(?:is|was|been|placed|started|now) on)(?: taking| with)? $"
)
PILL_BEHIND = re.compile(
    r" (?:\d{1,3}(?:\.\d{1,3})? ?m?c?g )?(?:daily|nightly|po|qd|qhs|tablets?|pills?|"
    r"for (?:contraception|birth control|acne))(?![a-z])(?! (?:to|at|in|from|with|by)(?![a-z]))"
)
PILL_LABEL = re.compile(
    r"(?<![a-z])(?:(?:contraception|contraceptives?|birth control|ocps?)(?: pills?)?: ?\(?|"
    r"oral contraceptive(?: pill)? )$"
)
# Types of diabetes, vertebrae, pregnancies, stages, gases and diets have a number.
CODED = re.compile(
    r"t[12]dm|dm[- ]?[12]|[clts]\d{1,2}(?:[-/][clts]?\d{1,2})?|g\d{1,2}p\d{1,4}(?:ab?\d{1,2})?|"
    r"p?t[0-4x][a-c]?(?:n[0-3x][a-c]?)?(?:m[01x])?|ckd ?\d[ab]?|(?:hb)?a1c|b12|[a-z]{1,3}o2|"
    r"x\d{1,3}|[12]\d00 ada"
)
LOOK_BACK = 32
HYPHENATED = re.compile(r"[^\W\d_]{2,20}(?:[-\u2013][^\W\d_]{2,20}){1,3}")
PROPER: tuple[Kind, ...] = ("NAME", "LOCATION")
LISTS = ("words", "vocabulary", "devices", "drugs", "eponyms", "organisms")


def is_clinical(kind: Kind, text: str, start: int, end: int) -> bool:
    """Whether the mention `text[start:end]` can be no name and no place.

    So it is where none of its words may be part of one, or where a disease, a sign or a tool
    follows those that may. A word that is a listed name or place too, such as `Grace`, may be part
    of one, and so may all that no list knows. Streets keep their numbers.
    """
    if kind not in PROPER:
        return False
    mention = letter_by_letter(text[start:end], str.lower)
    if _is_month(kind, text, start, end):
        return True
    if CODED.fullmatch(mention):
        return True
    if any(map(str.isdigit, mention)):
        return False
    words = list(LETTERS.finditer(mention))
    if not words:
        return sum(map(str.isalpha, mention)) == 1
    if CLINICAL_NOUN.match(_behind(text, end)) or is_pill(text, start, end):
        return True
    proper = _proper(text[start:end], words)
    # An institution may be called by ordinary words alone: `the women's health center`.
    is_institution = (
        kind == "LOCATION" and len(words) > 1 and all(is_plain(one[0]) for one in words)
    )
    if not proper:
        return not is_institution
    return all(_is_meant_otherwise(text, start, one) for one in proper)


def is_pill(text: str, start: int, end: int) -> bool:
    """Whether what stands around a given name makes it a contraceptive's: `takes Yasmin daily`."""
    before = text[max(0, start - LOOK_BACK) : start].lower()
    is_taken = PILL_BEFORE.search(before) and PILL_BEHIND.match(_behind(text, end))
    return bool(is_taken or PILL_LABEL.search(before))


def _behind(text: str, end: int) -> str:
    return letter_by_letter(text[end : end + LOOK_BACK], str.lower)


def _is_month(kind: Kind, text: str, start: int, end: int) -> bool:
    """Whether the mention is a month, which the rules for dates look after."""
    mention = text[start:end].lower()
    if not MONTH_MENTION.fullmatch(mention) or text[end : end + 1] in "'’":
        return False
    has_year = any(map(str.isdigit, mention))
    before = text[max(0, start - LOOK_BACK) : start].lower()
    return kind == "LOCATION" or has_year or BEFORE_MONTH.search(before) is not None


def _proper(mention: str, words: list[re.Match[str]]) -> list[re.Match[str]]:
    """The words of a mention that may be part of a name or a place."""
    pairs = [
        one.span()
        for one in HYPHENATED.finditer(mention)
        if folded(one[0].replace("\u2013", "-")) in entries("eponyms").all
    ]
    is_mixed = any(map(str.isupper, mention))
    return [
        one
        for one in words
        if _may_be_proper(folded(one[0]))
        and not any(start <= one.start() < end for start, end in pairs)
        and not (is_mixed and mention[one.start()].islower() and _is_ambiguous(folded(one[0])))
    ]


def _is_ambiguous(word: str) -> bool:
    """Whether a listed name is an ordinary word too: small beside capitals it is no name."""
    is_certain = word in given_names().certain or word in entries("surnames").certain
    return is_known_name(word) and not is_certain


def _is_meant_otherwise(text: str, start: int, word: re.Match[str]) -> bool:
    behind = _behind(text, start + word.end())
    otherwise = MEANT_OTHERWISE.get(folded(word[0]))
    return bool(CLINICAL_NOUN.match(behind) or (otherwise and otherwise.match(behind)))


def _may_be_proper(word: str) -> bool:
    is_of_the_clinic = (
        any(word in entries(name).all for name in LISTS)
        or DRUG.fullmatch(word) is not None
        or TERM.fullmatch(word) is not None
    )
    return not is_of_the_clinic or is_known_name(word) or word in entries("places").all
