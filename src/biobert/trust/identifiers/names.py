"""Names of persons (A): announced by words around them, known from lists, and met again."""

import re
from collections.abc import Iterator, Set

from biobert.trust.clinical import is_clinical, is_pill
from biobert.trust.identifiers._name_chain import (
    CAPITAL_WORD,
    CREDENTIAL,
    PARTICLE,
    SMALL_WORD,
    UPPER,
    Name,
    read_name,
)
from biobert.trust.lists import (
    alternatives,
    entries,
    folded,
    given_names,
    is_known_name,
    is_plain,
    parted,
    spelled,
)
from biobert.trust.note import Candidate, Certainty, NoteText

TITLES = (
    "dr drs mr mrs ms miss mx prof professor rev reverend pastor rabbi imam fr sir lady dame lord "
    "officer detective deputy sheriff sergeant sgt captain capt lt judge justice coach nurse "
    "attorney frau herr mme mlle monsieur madame senor senora señor señora sr sra rn sister "
    "brother father"
).split()
# `16 Fr` is a size.
TITLE = re.compile(rf"(?<![\w-])(?!(?<=\d )fr){alternatives(TITLES)}\.? {{1,2}}(?=[^\W\d_])")
# Magnetic resonance, multiple sclerosis, sustained release and left are written so too, `has MS.`
# at the end of a sentence.
AMBIGUOUS_TITLE = re.compile(r"(?:MR|MS|DR|SR|L[Tt]|lt)\.? {1,2}")
PLAIN_TITLE = re.compile(r"(?:Dr|Drs|Mr|Mrs|Ms|Miss|Mx|Prof|Professor) {1,2}")
SMALL_TITLE = re.compile(r"(?:dr|mr|mrs|ms|miss|prof)\.? ")
ROLES = parted(
    "attending; attending physician; surgeon; assistant; first assistant; second assistant; "
    "anesthesia; anesthesiologist; phys; physician; provider; prescriber; ordering; "
    "ordering provider; ordering physician; referring; referring provider; referring physician; "
    "pcp; gp; consultant; clinician; therapist; pharmacist; rph; nurse; next of kin; nok; hcp; "
    "poa; proxy; emergency contact; emergency contact on file; contact; guarantor; subscriber; "
    "insured; spouse; guardian; caregiver; accepting; subject; author; sender; witness; "
    "interpreter; doula; pediatrician"
)
HEADINGS = "name re from to cc attn attention by aka a.k.a.".split()
DEED = alternatives(
    (
        "dictated transcribed reported signed reviewed verified prepared written interpreted read "
        "seen authored referred ref performed ordered"
    ).split()
)
HANDED = "(?:phoned|called|reported|given) to"
OWNERS = "patient pt client member real full first last maiden legal preferred provider".split()
OWNER = rf"{alternatives(OWNERS)}(?:'?s)?"
FIELD = re.compile(
    rf"(?<![\w-])(?:{OWNER}(?: name)?|{alternatives((*HEADINGS, *ROLES))}|{DEED}(?: by)?|{HANDED})"
    r"[ \t.]{0,12}(?:(?:is |was )?[:=] {0,12}|\t)(?=[^\W\d_])"
)
ANNOUNCED = re.compile(
    rf"(?<![\w-])(?:{OWNER} name (?:is |was )?|{DEED} by |{HANDED} |aka )(?=[^\W\d_])"
)
INVERTED_LINE = re.compile(rf"^[ \t|]{{0,4}}(?={CAPITAL_WORD}, ?{CAPITAL_WORD})", re.MULTILINE)
KIN = "mother father son daughter sister brother parent parents child aunt uncle".split()
COMPANIONS = parted(
    "wife; husband; niece; nephew; cousin; partner; girlfriend; boyfriend; spouse; room-mate; "
    "roommate; friend; neighbor; neighbour; guardian; caregiver; fiance; fiancee; fiancé; fiancée; "
    "mom; mum; dad; grandma; grandpa; twin; widow; boss; colleague; carer; baby; in-law; in law; "
    "counselor; counsellor; doula; teacher; interpreter; case manager"
)
RELATIVE = re.compile(
    rf"(?<![\w-])(?:(?:grand|great-grand|step|god|foster )?{alternatives(KIN)}|"
    rf"{alternatives(COMPANIONS)})"
    r"(?:'s name is| is called| named|,| \(| -| =|:)? ?\(?(?=[^\W\d_])"
)
GREETINGS = parted(
    "hi; hello; hey; dear; thanks; thank you; good morning; named; called; nicknamed; née"
)
GREETING = re.compile(rf"(?<![\w-]){alternatives(GREETINGS)},? (?=[^\W\d_])")
CLOSINGS = parted(
    "sincerely; sincerely yours; regards; respectfully; faithfully; truly; wishes; thanks; "
    "thank you; cheers; mahalo"
)
CLOSING = re.compile(rf"{alternatives(CLOSINGS)}[,!.]{{0,2}}\s{{1,6}}(?=[^\W\d_])")
DEALINGS = parted(
    "by; per; told; tell; ask; asked; call; calls; called; calling; contact; met; given to; "
    "notified"
)
SPOKEN_WITH = re.compile(
    rf"(?<![\w-])(?i:(?P<deed>{alternatives(DEALINGS)}|"
    r"(?:spoke|spoken|discussed|seen|reviewed|met) (?:to|with|by)|signed)|"
    rf"from|to|with|and|of|for|see|saw|w/) (?=[{UPPER}])"
)
BEFORE_CREDENTIAL = re.compile(
    rf"(?<![\w.'’-])(?P<name>(?:(?:{PARTICLE} )?(?:[{UPPER}]\.|{CAPITAL_WORD}) ?){{1,4}}+)"
    r"(?P<comma>,)? {0,2}$"
)
LOOK_BACK = 80
WORD_OF_NAME = re.compile(rf"{CAPITAL_WORD}|[{UPPER}]\.")
SMALL_WITH_CREDENTIAL = re.compile(
    r"(?<![\w.])((?:[a-z]\. ?|[a-z]{2,20} )[a-z]{3,20}),? (?:md|rn|np|msw|lcsw|phd)(?![\w])"
)
BEFORE_AGE = re.compile(
    rf"^[ \t]{{0,4}}((?:{CAPITAL_WORD} ?){{1,3}})(?=,? ?[(|]?\d{{1,3}} ?(?:-?y|[MF](?!\w)))",
    re.MULTILINE,
)
INITIALS_AND_NAME = re.compile(
    r"(?<![\w.])(?!(?<=\d[ -])(?:Y\. ?O|[AP]\. ?M)\.|P\.R\.N\.|[BTQ]\.I\.D\.)"
    rf"(?:[{UPPER}]\. ?){{1,2}}(?:{PARTICLE} )?{CAPITAL_WORD}(?!\w)"
)
LETTERED_LINE = re.compile(r"^[ \t]{0,8}(?P<letter>[A-Z])\. ", re.MULTILINE)
SHORTEST_SURNAME = 3
EPONYM_NOUN = re.compile(
    rf"(?:['’]s)?(?:[- ](?:[{UPPER}][\w'’-]{{1,20}}[- ])?)(?:and )?(?:[a-z]{{0,16}} ?)?"
    rf"{alternatives(spelled('eponym_nouns'))}s?(?![a-z])"
)
MET_AGAIN = re.compile(rf"(?<![\w-]){CAPITAL_WORD}")
# `Will` and `June` met again are persons before these, never before `call` or `you`.
SAYS = (
    "denies|denied|reports|reported|states|stated|says|said|complains|complained|endorses|endorsed|"
    "admits|tells|told us"
)
SPEAKS = re.compile(
    rf" (?:also |again |now |still )?(?:{SAYS})(?![a-z])(?! (?:be|are|were)(?![a-z]))"
)
IS_SOMEBODY = re.compile(
    rf"['’]s(?![a-z])| (?:also |again |now |still |currently )?(?:{SAYS}|was|is|has|had|feels|felt|"
    r"lives|takes|took|came|went|presents|presented|arrived|underwent|tolerated|received|wants|"
    r"appears|agreed|agrees|describes|described|remains|needs|works|walks|drinks|smokes|does|did)"
    r"(?![a-z])(?! (?:be|are|were)(?![a-z]))"
)
FEWEST_LETTERS = 4
LONGEST_ACRONYM = 4
NO_INITIAL_BEHIND = re.compile(
    r"(?:degrees?|°|vitamin|hepatitis|type|group|grade|class|stage|factor) $"
)


def find(note: NoteText) -> Iterator[Candidate]:
    """Announced names, then listed ones, then every further mention of their parts and of those of
    names that were told."""
    parts: dict[str, Certainty] = {}
    for name, certainty in _all_names(note):
        for part in name.parts:
            parts[part] = max(certainty, parts.get(part, certainty))
        yield Candidate("NAME", name.start, name.end, certainty)
    for name in _told(note):
        parts = {**dict.fromkeys(name.parts, Certainty.SHAPED), **parts}
    for match in MET_AGAIN.finditer(note.text):
        word = match[0].removesuffix("'s").removesuffix("’s")
        certainty_of_part = parts.get(folded(word))
        end = match.start() + len(word)
        if certainty_of_part is not None and _is_met(note, word, end):
            again = min(certainty_of_part, Certainty.SHAPED)
            yield Candidate("NAME", match.start(), end, again)


def _told(note: NoteText) -> Iterator[Name]:
    """Of the names that a model found, those of a known given name and something behind it."""
    for mention in note.told:
        name = read_name(NoteText(mention), 0, "list")
        if name and len(name.parts) > 1 and name.parts[0] in given_names().all:
            yield name


def _is_met(note: NoteText, word: str, end: int) -> bool:
    """Whether a part of a name is one again: of ordinary words only what speaks or is somebody."""
    if not is_plain(word):
        return not _is_eponym(note, end)
    is_given = word.lower() == "may" or folded(word) in given_names().all
    return (IS_SOMEBODY if is_given else SPEAKS).match(note.lowered, end) is not None


def _all_names(note: NoteText) -> Iterator[tuple[Name, Certainty]]:
    for name in _announced(note):
        yield name, Certainty.STATED
    for name in (*_shaped(note), *_signed(note), *_spoken_with(note)):
        yield name, Certainty.SHAPED
    for name in _listed(note):
        yield name, Certainty.LISTED


def _announced(note: NoteText) -> Iterator[Name]:
    """Behind a title, a field's name, a relative, a greeting or a closing."""
    for match in TITLE.finditer(note.lowered):
        yield from _behind_title(note, match)
    for pattern in (FIELD, ANNOUNCED, RELATIVE, GREETING, CLOSING):
        for match in pattern.finditer(note.lowered):
            name = read_name(note, match.end(), "field" if pattern is FIELD else "words")
            name = name or _in_small_letters(note, match.end())
            if name is None or _is_eponym(note, name.end) or _is_acronym(note, name):
                continue
            # `Mother: Parkinson` is a history, `Surgeon: Parkinson` a name.
            is_no_name = _is_clinical if pattern is RELATIVE else _is_term
            if not is_no_name(note, name):
                yield name


def _spoken_with(note: NoteText) -> Iterator[Name]:
    for match in SPOKEN_WITH.finditer(note.text):
        name = read_name(note, match.end())
        if name is None or _is_eponym(note, name.end) or _is_acronym(note, name):
            continue
        is_name = _is_listed(name) or (len(name.parts) > 1 and match["deed"])
        if is_name and not _is_term(note, name):
            yield name


def _behind_title(note: NoteText, match: re.Match[str]) -> Iterator[Name]:
    name = read_name(note, match.end(), "title")
    if name is None and SMALL_TITLE.fullmatch(note.text[match.start() : match.end()]):
        small = SMALL_WORD.match(note.text, match.end())
        if small and not is_plain(small[0]):
            name = Name(*small.span(), (folded(small[0]),))
    if name and _is_titled(note, note.text[match.start() : match.end()], name):
        yield name


def _is_titled(note: NoteText, title: str, name: Name) -> bool:
    """Whether a title, as it is typed before the name, is one and not that of `MR Angiography`."""
    if PLAIN_TITLE.fullmatch(title):
        return True
    is_ambiguous = AMBIGUOUS_TITLE.fullmatch(title) is not None
    if (is_ambiguous or not title[:2].istitle()) and _is_eponym(note, name.end):
        return False
    if "." in title and not is_ambiguous:
        return True
    is_in_capitals = note.text[name.start : name.end].isupper()
    if is_ambiguous and "." not in title and not is_in_capitals:
        return any(is_known_name(one) and not is_plain(one) for one in name.parts)
    return not _is_term(note, name)


def _in_small_letters(note: NoteText, place: int) -> Name | None:
    """`real name antonio ferraro`: a known name without capitals, and one word behind it."""
    first = SMALL_WORD.match(note.text, place)
    if first is None or is_plain(first[0]) or not _is_certain(first[0]):
        return None
    second = SMALL_WORD.match(note.text, first.end() + 1)
    is_name = second and note.text[first.end()] == " " and not is_plain(second[0])
    end = second.end() if second and is_name else first.end()
    return Name(place, end, tuple(folded(note.text[place:end]).split()))


def _signed(note: NoteText) -> Iterator[Name]:
    """Before a credential, or before an age at the beginning of a line."""
    for credential in CREDENTIAL.finditer(note.text):
        if (name := _before_credential(note, credential.start())) is not None:
            yield name
    for match in SMALL_WITH_CREDENTIAL.finditer(note.text):
        words = [one for one in match[1].replace(".", " ").split() if len(one) > 1]
        if not any(map(is_plain, words)):
            yield Name(*match.span(1), tuple(map(folded, words)))
    for match in BEFORE_AGE.finditer(note.text):
        name = read_name(note, match.start(1))
        if name and not _is_eponym(note, name.end) and not _is_acronym(note, name):
            yield name


def _before_credential(note: NoteText, place: int) -> Name | None:
    """The words with capitals before a credential, without a heading such as `Surgeon`."""
    if note.text[place - 1 : place].isalnum():
        return None
    behind = max(0, place - LOOK_BACK)
    match = BEFORE_CREDENTIAL.search(note.text, behind, place)
    if match is None:
        return None
    words = [(one.start(), one[0]) for one in WORD_OF_NAME.finditer(note.text, *match.span("name"))]
    while len(words) > 1 and is_plain(words[0][1].rstrip(".")):
        words.pop(0)
    name = read_name(note, words[0][0])
    if name is None or _is_acronym(note, name) or (len(words) == 1 and not match["comma"]):
        return None
    return None if folded(note.text[name.start : name.end]) in entries("places").all else name


def _shaped(note: NoteText) -> Iterator[Name]:
    """Initials and a word with a capital; a line that begins with `SURNAME, Given`."""
    items = _lettered_items(note)
    for match in INITIALS_AND_NAME.finditer(note.text):
        last = folded(re.split(r"[ .]", match[0])[-1])
        name = read_name(note, match.start())
        is_short = len(last) < SHORTEST_SURNAME
        if name is None or not name.parts or is_short or last in entries("organisms").all:
            continue
        before = note.lowered[max(0, match.start() - 12) : match.start()]
        if NO_INITIAL_BEHIND.search(before) or (match.start() in items and not is_known_name(last)):
            continue
        if not _is_eponym(note, name.end) and not _is_term(note, name):
            yield name
    for match in INVERTED_LINE.finditer(note.text):
        name = read_name(note, match.end(), "field")
        if name and "," in note.text[name.start : name.end] and _is_person(note, name):
            yield name


def _lettered_items(note: NoteText) -> Set[int]:
    """Where lines begin with the letter of an item, another line with the letter beside it."""
    lines = list(LETTERED_LINE.finditer(note.text))
    letters = {ord(one["letter"]) for one in lines}
    return {
        one.start("letter")
        for one in lines
        if {ord(one["letter"]) - 1, ord(one["letter"]) + 1} & letters
    }


def _is_person(note: NoteText, name: Name) -> bool:
    """Of `Word, Word`: in capitals and no `MVC, GCS`, or with a known name."""
    text = note.text[name.start : name.end]
    first = folded(text.partition(",")[0])
    if first in entries("places").all:
        return False
    is_known = is_known_name(first) or any(one in given_names().all for one in name.parts)
    is_clinical_first = is_clinical("NAME", note.text, name.start, name.start + len(first))
    are_words = is_clinical_first or any(one in entries("vocabulary").all for one in name.parts)
    return is_known or (text.isupper() and not are_words)


def _listed(note: NoteText) -> Iterator[Name]:
    """Known given names with what stands behind them, and names that are hardly anything else."""
    given, surnames, eponyms = given_names(), entries("surnames"), entries("eponyms").all
    until = 0
    for start, end, lowered in note.words:
        word = lowered if lowered.isascii() else folded(lowered)
        if start < until or not (word in given.all or word in surnames.all):
            continue
        if not note.is_capital(start):
            if word in given.certain and len(word) >= FEWEST_LETTERS and not is_plain(word):
                yield Name(start, end, (word,))
            continue
        if start and note.text[start - 1] in "-'’_@./":
            continue
        name = read_name(note, start, "list")
        if name is None:
            continue
        if not _is_sure(note, name, word, eponyms):
            name = _before_comma(note, name)
        if name is None or not _is_sure(note, name, word, eponyms):
            continue
        if _is_eponym(note, name.end) or _is_acronym(note, name):
            continue
        if len(name.parts) == 1 and is_pill(note.text, name.start, name.end):
            continue
        until = name.end
        yield name


def _before_comma(note: NoteText, name: Name) -> Name | None:
    """The first word of `Word, Word`, which may be a name without the second."""
    first = MET_AGAIN.match(note.text, name.start)
    if first is None or note.text[first.end() : first.end() + 1] != ",":
        return None
    return Name(name.start, first.end(), (folded(first[0]),))


def _is_sure(note: NoteText, name: Name, word: str, eponyms: frozenset[str]) -> bool:
    given, surnames = given_names(), entries("surnames")
    text = note.text[name.start : name.end]
    others = [one for one in name.parts if one != word]
    if "," in text:
        is_unspaced = text.isupper() and ", " not in text
        is_surname = word in surnames.all and any(one in given.all for one in others)
        return is_surname or (is_unspaced and word in surnames.certain)
    if word in given.certain and word not in eponyms:
        return True
    if word in given.all and others:
        return any(one in surnames.all for one in others) or word in given.certain
    return word in surnames.certain and word not in eponyms


def _is_listed(name: Name) -> bool:
    return any(map(_is_certain, name.parts))


def _is_certain(word: str) -> bool:
    part = folded(word)
    known = part in given_names().certain or part in entries("surnames").certain
    return known and part not in entries("eponyms").all


def _is_acronym(note: NoteText, name: Name) -> bool:
    """One word of up to four capitals, such as a measure, or one that goes on with a number."""
    text = note.text[name.start : name.end]
    behind = note.text[name.end : name.end + 2].lstrip("-")[:1]
    return text.isupper() and " " not in text and (len(text) <= LONGEST_ACRONYM or behind.isdigit())


def _is_clinical(note: NoteText, name: Name) -> bool:
    return is_clinical("NAME", note.text, name.start, name.end)


def _is_term(note: NoteText, name: Name) -> bool:
    """Whether it is clinical language and not the surname of an eponym, such as `Dr. Crohn`'s."""
    is_of_eponym = any(one in entries("eponyms").all for one in name.parts)
    return not is_of_eponym and _is_clinical(note, name)


def _is_eponym(note: NoteText, end: int) -> bool:
    """Whether what follows makes the name that of a disease, a sign, a test or a tool."""
    return EPONYM_NOUN.match(note.text, end) is not None
