"""What a model takes for a name or a place and is part of clinical language: drugs, eponyms of
diseases and tools, ordinary words, single letters."""

import re

from biobert.trust.kinds import Kind
from biobert.trust.lists import entries, folded, is_known_name, is_plain
from biobert.trust.note import LETTERS, letter_by_letter

# Stems of the International Nonproprietary Names (World Health Organization, the Stem Book of 2018)
# that end no listed name.
DRUG = re.compile(
    r"[a-z]{2,20}(?:mab|[nl]ib|pril|sartan|statin|olol|azole|[csm]illin|[mt]hromycin|amycin|omycin|"
    r"omicin|floxacin|prazole|tidine|gliptin|gliflozin|glutide|dipine|azepam|zolam|setron|triptan|"
    r"cycline|oxetine|heparin|xaban|gatran|fibrate|semide|thiazide|metasone|cortisone|nisolone|"
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
LONGEST_NOUN = 24
PROPER: tuple[Kind, ...] = ("NAME", "LOCATION")


def is_clinical(kind: Kind, text: str, start: int, end: int) -> bool:
    """Whether the mention `text[start:end]` can be no name and no place.

    So it is where none of its words may be part of one, or where a disease, a sign or a tool
    follows it. A word that is a listed name or place too, such as `Grace`, may be part of one, and
    so may all that no list knows. Streets keep their numbers.
    """
    mention = letter_by_letter(text[start:end], str.lower)
    if kind not in PROPER or any(map(str.isdigit, mention)):
        return False
    words = [folded(word) for word in LETTERS.findall(mention)]
    if not words:
        return sum(map(str.isalpha, mention)) == 1
    if CLINICAL_NOUN.match(text[end : end + LONGEST_NOUN].lower()):
        return True
    # An institution may be called by ordinary words alone: `the women's health center`.
    is_institution = kind == "LOCATION" and len(words) > 1 and all(map(is_plain, words))
    return not is_institution and not any(map(_may_be_proper, words))


def _may_be_proper(word: str) -> bool:
    is_of_the_clinic = (
        is_plain(word)
        or any(word in entries(name).all for name in ("drugs", "eponyms"))
        or DRUG.fullmatch(word) is not None
    )
    return not is_of_the_clinic or is_known_name(word) or word in entries("places").all
