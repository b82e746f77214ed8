"""Places smaller than a state (B): streets, towns, counties, postal codes, institutions."""

import re
from collections.abc import Iterator
from functools import cache

from biobert.trust.identifiers._name_chain import CAPITAL_WORD, UPPER
from biobert.trust.lists import alternatives, entries, folded, is_plain, parted, states
from biobert.trust.note import Candidate, Certainty, NoteText

STREET_KINDS = (
    "Street St Avenue Ave Av Road Rd Boulevard Blvd Drive Dr Lane Ln Court Ct Place Pl Terrace Ter "
    "Way Circle Cir Highway Hwy Parkway Pkwy Square Sq Trail Trl Mews Close Crescent Row Walk "
    "Gardens Grove Loop Pike Turnpike Route Alley Quay Path Run Ridge Bend Plaza Broadway"
).split()
DIRECTION = r"(?:[NSEW]|NE|NW|SE|SW|North|South|East|West)"
UNIT = r"(?:,? (?:Apartment|Apt|Suite|Ste|Unit|Lot|Floor|Fl|Room|Rm|Box|#)\.? ?#?[\w-]{1,6})?"
STREETS = tuple(
    re.compile(shape)
    for shape in (
        rf"(?<![\w/.-])\d{{1,6}}[A-Z]?(?:[ -]\d/\d)? (?:{DIRECTION}\.? )?"
        rf"(?:(?:[{UPPER}][\w'’.-]{{0,24}}|\d{{1,3}}(?:st|nd|rd|th)|of|the) ){{1,4}}"
        rf"{alternatives(STREET_KINDS)}(?!\w)\.?(?:,? (?:[NSEW]|NE|NW|SE|SW)(?!\w)\.?)?{UNIT}",
        r"(?<!\w)(?:\d{1,4},? )?(?:[Rr]ue|Via|Calle|Avenida|Plaza|Rua|Strada|Piazza)"
        rf"(?: (?:de|du|des|della|del|la|le|los|las|dos|da|do|d'|l')){{0,2}} {CAPITAL_WORD}"
        rf"(?: {CAPITAL_WORD})?(?:,? \d{{1,4}})?",
        r"(?<!\w)(?:[Pp]\.? ?[Oo]\.?|[Pp]ost [Oo]ffice) ?[Bb]ox {1,2}#?\d{1,8}",
        r"(?<!\w)(?:[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}|[A-Z]\d[A-Z] \d[A-Z]\d)(?!\w)",
    )
)
UNNUMBERED_KINDS = "Street Avenue Ave Road Rd Boulevard Blvd Highway Hwy Parkway Pkwy".split()
UNNUMBERED = re.compile(rf"(?<= ){alternatives(UNNUMBERED_KINDS)}(?!\w)")
GERMAN = re.compile(r"(?:stra(?:ss|ß)e|gasse|platz|allee) \d{1,4}[a-z]?(?!\w)")
LAST_WORDS = re.compile(rf"(?<![\w.'’-])(?:{CAPITAL_WORD}[ ]?){{1,2}}+$")
STATE_NAMES = alternatives(states())
STATE_CODES = alternatives(states().values())
DEGREES_TOO = frozenset("MD PA DO MA ME OR IN HI OK LA CO ID DE PR".split())
"""Codes of states that are also credentials or words: these need a ZIP code or a known town."""
IDAHO = "ID"
"""Its code is the word for a number far more often: a town or a comma must stand before it."""
LONGEST_TOWN = 40
TOWN = rf"(?:(?:St|Ft|Mt)\. )?{CAPITAL_WORD}(?: (?:{CAPITAL_WORD}|of|on|upon)){{0,2}}"
TOWN_AND_STATE = re.compile(
    rf"(?<![\w.-])(?P<town>{TOWN})(?:(?P<comma>,) {{0,2}}| {{1,2}})"
    rf"(?:(?P<name>{STATE_NAMES})|(?P<code>{STATE_CODES}))"
    r"(?!\w)(?:,? {1,4}(?P<zip>\d{5}(?:-\d{4})?)(?![\w-]))?"
)
ZIP_BEHIND_STATE = re.compile(
    rf"(?<!\w)(?:{STATE_NAMES}|(?P<code>{STATE_CODES})),?\s{{1,4}}(?P<zip>\d{{5}}(?:-\d{{4}})?)"
    r"(?![\w-])"
)
ZIP_LABELLED = re.compile(
    r"(?<!\w)(?:zip(?: ?code)?|postal code)[ :#]{1,3}(\d{5}(?:-\d{4})?)(?![\w-])"
)
STATE_BEHIND = re.compile(rf",? {STATE_NAMES.lower()}(?![a-z])")
# A ward, a bed and a block of nerves are no places of a person's home.
DISTRICT = re.compile(
    r"(?<![a-z])(?:(?:voting |election |police )?precinct|census (?:tract|block(?: group)?)|"
    r"block group|enumeration district|"
    r"(?:voting|election|electoral|congressional|legislative|city|council) (?:district|ward))"
    r"(?: ?(?:no\.?|number|#))?[ :#]{1,3}\d{1,6}(?:\.\d{1,2})?[a-z]?(?![\w%]|[./]\d)|"
    r"(?<![\w.])\d{1,3}(?:st|nd|rd|th) (?:voting |police |election )?precinct(?![a-z])"
)
COUNTY = re.compile(
    rf"(?<!\w)(?:[Cc]ounty of (?P<of>{CAPITAL_WORD}(?: {CAPITAL_WORD})?)|"
    rf"(?P<named>{CAPITAL_WORD}(?: {CAPITAL_WORD}){{0,3}}) "
    r"(?:County|Parish|Township|Borough|Shire|Province|District)(?!\w))"
)
FACILITIES = parted(
    "Hospital; Hospitals; hospital; hospitals; HOSPITAL; Medical Center; Medical Centre; "
    "Medical Group; MEDICAL CENTER; Clinic; Clinics; clinic; clinics; CLINIC; Health Center; "
    "Health center; HealthCenter; Healthcenter; Health Centre; HealthCentre; Health System; "
    "HealthSystem; Health Care; HealthCare; Center; Centre; Infirmary; Hospice; Institute; "
    "University; College; Academy; High School; Middle School; Elementary School; "
    "Primary School; Grammar School; School; Elementary; Primary; Surgery; Pharmacy; Church; "
    "Parish; Temple; Synagogue; Mosque; Nursing Home; Care Home; Assisted Living; Manor; Rehab; "
    "Rehab Center; Rehab Hospital; Rehab Unit; Rehabilitation; Rehabilitation Center; "
    "Rehabilitation Hospital; Rehabilitation Unit; Associates; Partners; Orthopedics; "
    "Orthopaedics; Neurology; Imaging; Laboratory; Laboratories; Diagnostics; Jail; Prison; "
    "Shelter; Funeral Home; ED; ER; Mall; Dental; Dental Group"
)
FACILITY_NOUN = re.compile(
    rf"(?<!\w){alternatives(FACILITIES)}(?!\w)"
    rf"(?: of (?:the )?{CAPITAL_WORD}(?: {CAPITAL_WORD}){{0,3}}(?: (?:Hospital|Medical Center))?)?"
)
FACILITY_WORD = re.compile(rf"(?:of|the|and|for|de|&|{CAPITAL_WORD}(?:['’]s)?|St\.|[A-Z]{{2,12}})$")
LONGEST_FACILITY, LOOK_BACK = 6, 90
NO_FIRST_WORD = re.compile(r"(?:of|the|and|for|at|The|At|From|To|In|Seen|Admitted) ")
PLAIN_FIRST = re.compile(r"\S{1,40} ")
GENERIC = frozenset(
    (
        "the of and for a an our outpatient inpatient emergency department medical surgical cancer "
        "heart eye pain primary care health urgent day walk-in womens women's children's family "
        "community mental behavioral nursing rehabilitation rehab general central local public "
        "state county regional university teaching referring outside transferring receiving "
        "specialty dental memory wound infusion diabetes cardiac pediatric adult"
    ).split()
)
RESIDENCE = re.compile(
    r"(?<![a-z])(?:liv(?:es|ed|ing) (?:alone |now )?(?:in|at|near)|resid(?:es|ed|ing) (?:in|at)|"
    r"resident of|native of|moved (?:here |back )?(?:from|to)|relocated (?:from|to)|"
    r"born (?:and raised )?in|raised in|grew up in|visiting from|travell?(?:ed|ing) (?:from|to)|"
    r"came from|(?:mother|father|family|sister|brother|home|house) in|in|near|to|from|at) "
    r"(?=[^\W\d_])"
)
LOOSE = frozenset("in near to from at".split())
"""Before a place, and before much else: these need one that is listed."""
TRADES = "welder worker teacher driver nurse clerk cook engineer manager".split()
EMPLOYMENT = re.compile(
    r"(?<![a-z])(?:work(?:s|ed|ing)? (?:at|for|with)|employed (?:at|by|with)|teach(?:es|ing)? at|"
    rf"student at|retired from|{alternatives(TRADES)} (?:at|for)|works? as [a-z ]{{3,20}} at) "
    r"(?=[^\W\d_])"
)
PLACE_CHAIN = re.compile(rf"(?:the )?{CAPITAL_WORD}(?: (?:{CAPITAL_WORD}|of|the)){{0,4}}")
COUNTRIES = frozenset(
    (
        "usa us america mexico canada england scotland wales ireland france germany spain italy "
        "portugal poland russia ukraine china japan korea vietnam thailand india pakistan "
        "bangladesh iran iraq syria turkey israel egypt nigeria ghana kenya ethiopia somalia sudan "
        "congo brazil argentina chile peru colombia cuba haiti jamaica guatemala honduras "
        "australia philippines indonesia malaysia singapore taiwan greece sweden norway denmark "
        "finland europe africa asia"
    ).split()
)
NAMED_AFTER = re.compile(
    r" (?:Scientific|[Cc]riteria|[Ss]core|[Dd]efinition|[Cc]lassification|[Cc]oma|[Bb]race|"
    r"[Ss]houlder|[Rr]ules?|[Cc]hromosome|[Pp]rotocol|[Ss]taging|I{1,3}V?[AB]?)(?!\w)"
)


def find(note: NoteText) -> Iterator[Candidate]:
    """By shape, by the words around them, and from the list of cities."""
    for street in STREETS:
        for match in street.finditer(note.text):
            yield Candidate("LOCATION", *match.span(), Certainty.STATED)
    yield from _other_streets(note)
    yield from _postal(note)
    for match in DISTRICT.finditer(note.lowered):
        yield Candidate("LOCATION", *match.span(), Certainty.STATED)
    for match in COUNTY.finditer(note.text):
        start, end = match.span("of" if match["of"] else "named")
        start = _behind_plain(note, start, end)
        if start < end:
            yield Candidate("LOCATION", start, match.end(), Certainty.STATED)
    yield from _facilities(note)
    yield from _by_context(note)
    yield from _listed(note)


def _other_streets(note: NoteText) -> Iterator[Candidate]:
    """Streets without a number, and German ones, from their last part backwards."""
    for pattern in (UNNUMBERED, GERMAN):
        for match in pattern.finditer(note.text):
            words = LAST_WORDS.search(note.text, max(0, match.start() - LOOK_BACK), match.start())
            if words is None:
                continue
            start = _behind_plain(note, words.start(), match.start())
            if start < match.start():
                yield Candidate("LOCATION", start, match.end(), Certainty.SHAPED)


def _postal(note: NoteText) -> Iterator[Candidate]:
    """Towns before a state, and ZIP codes behind one."""
    for match in TOWN_AND_STATE.finditer(note.text):
        start, end = match.span("town")
        start = _behind_plain(note, start, end)
        known = folded(note.text[start:end]) in entries("places").all
        is_sure = match["comma"] and (match["name"] or match["code"] not in DEGREES_TOO)
        has_zip = match["zip"] and (match["code"] != IDAHO or match["comma"])
        if start < end and (has_zip or is_sure or known):
            yield Candidate("LOCATION", start, end, Certainty.STATED)
    for match in ZIP_BEHIND_STATE.finditer(note.text):
        if match["code"] != IDAHO or _is_behind_town(note, match.start()):
            yield Candidate("ZIP", *match.span("zip"), Certainty.STATED)
    for match in ZIP_LABELLED.finditer(note.lowered):
        yield Candidate("ZIP", *match.span(1), Certainty.STATED)


def _is_behind_town(note: NoteText, place: int) -> bool:
    """Whether a comma or a listed town stands before: `Boise ID 83702`, never `Donor ID 83702`."""
    before = note.text[max(0, place - LONGEST_TOWN) : place]
    words = re.split(r"[^\w.'’-]+", before.rstrip())
    names = (folded(" ".join(words[-count:])) for count in (1, 2, 3))
    return before.rstrip().endswith(",") or any(one in entries("places").all for one in names)


def _facilities(note: NoteText) -> Iterator[Candidate]:
    """From the noun of an institution back over the words of its name."""
    for noun in FACILITY_NOUN.finditer(note.text):
        start = _facility_start(note, noun.start())
        while (word := PLAIN_FIRST.match(note.lowered, start, noun.start())) and _is_heading(
            word[0]
        ):
            start = word.end()
        words = note.lowered[start : noun.end()].split()
        own = note.lowered[start : noun.start()].split()
        if any(one not in GENERIC and not is_plain(one.strip(".,")) for one in own):
            yield Candidate("LOCATION", start, noun.end(), Certainty.STATED)
        elif len(words) > len(own) + 1 and any(map(str.isupper, note.text[noun.start() :][:1])):
            yield Candidate("LOCATION", start, noun.end(), Certainty.SHAPED)


def _is_heading(word: str) -> bool:
    return is_plain(word.strip(" .,")) and word.strip() not in GENERIC


def _facility_start(note: NoteText, place: int) -> int:
    line = note.text.rfind("\n", max(0, place - LOOK_BACK), place) + 1
    before = note.text[max(line, place - LOOK_BACK) : place]
    words = list(re.finditer(r"\S{1,40}", before))
    start = len(before)
    for word in reversed(words[-LONGEST_FACILITY:]):
        if start - word.end() > 1 or not FACILITY_WORD.fullmatch(word[0]):
            break
        if word[0].isupper() and len(word[0]) == 1:
            break
        start = word.start()
    while (first := NO_FIRST_WORD.match(before, start)) is not None:
        start = first.end()
    return place - len(before) + start


def _by_context(note: NoteText) -> Iterator[Candidate]:
    """Where somebody lives, comes from or works."""
    for pattern in (RESIDENCE, EMPLOYMENT):
        for match in pattern.finditer(note.lowered):
            chain = PLACE_CHAIN.match(note.text, match.end())
            if chain is None:
                continue
            end = _before_plain(note, chain.start(), chain.end())
            text = folded(note.text[chain.start() : end])
            if end == chain.start() or text.title() in states() or text in COUNTRIES:
                continue
            is_loose = pattern is RESIDENCE and match[0].strip() in LOOSE
            certainty = Certainty.SHAPED if is_loose else Certainty.STATED
            if not is_loose or text in entries("places").all:
                yield Candidate("LOCATION", chain.start(), end, certainty)


def _listed(note: NoteText) -> Iterator[Candidate]:
    """Cities that are hardly anything else; with a state's name behind them, the others too."""
    places = entries("places")
    words = note.words
    for number, (start, _, lowered) in enumerate(words):
        if lowered not in _first_words():
            continue
        for count in (3, 2, 1):
            last = words[min(number + count, len(words)) - 1][1]
            name = folded(note.text[start:last])
            if name not in places.all or (count > 1 and number + count > len(words)):
                continue
            is_certain = name in places.certain and (note.is_capital(start) or len(name) > 5)
            is_certain = is_certain and not NAMED_AFTER.match(note.text, last)
            if is_certain or STATE_BEHIND.match(note.lowered, last):
                yield Candidate("LOCATION", start, last, Certainty.LISTED)
            break


@cache
def _first_words() -> frozenset[str]:
    return frozenset(re.split(r"\W", one)[0] for one in entries("places").all)


def _behind_plain(note: NoteText, start: int, end: int) -> int:
    """The start without ordinary words at the beginning, such as `From` or `The`."""
    for word in re.finditer(r"\S{1,60} ?", note.text[start:end]):
        if not is_plain(word[0].strip(" .,")):
            return start + word.start()
    return end


def _before_plain(note: NoteText, start: int, end: int) -> int:
    """The end without ordinary words behind the name."""
    last = start
    for word in re.finditer(r"\S{1,60}", note.text[start:end]):
        is_link = word[0] in ("of", "the")
        if is_plain(word[0].strip(".,")) and not is_link:
            break
        if not is_link:
            last = start + word.end()
    return last
