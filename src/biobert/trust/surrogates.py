"""What stands in an identifier's place: a tag, or something made up that looks like it.

A key decides every choice through HMAC-SHA256, so the same name gets the same surrogate wherever
the key is the same, and nobody without the key can try names until one fits.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from biobert.trust.calendar import DateReading, shifted, tells_old_age
from biobert.trust.identifiers.places import DISTRICT
from biobert.trust.kinds import Kind
from biobert.trust.lists import entries, folded, is_plain, spelled

OLD_AGE = "90+"
RESTRICTED_ZIP_PREFIXES = frozenset(
    "036 059 063 102 203 556 692 790 821 823 830 831 878 879 884 890 893".split()
)
"""Areas of fewer than 20 000 people in the census of 2000, as the guidance of the Office for Civil
Rights of 2012 lists them: their first three digits become 000."""
LONGEST_SHIFT_DAYS = 364
LONGEST_LINK = 3
PARTICLES = frozenset(
    "al bin da das de del dem den der di dos du el ibn la las le los ter ten van von y zu".split()
)
"""They stay in a name with capitals: `de la Cruz`."""
WEEK = 7
WORD = re.compile(r"[^\W\d_]+")
COORDINATES = re.compile(
    r"[-+]?\d{1,3}[.°º][-+\d.,;:/°º'’′\"”″ nsew]{4,60}(?:long[a-z]{0,6}[-+\d.:= nsew°º]{4,30})?",
    re.IGNORECASE,
)
STREET_NAMES = (
    "Maple Cedar Juniper Walnut Chestnut Willow Sycamore Poplar Laurel Magnolia Spruce".split()
)
FACILITY_NAMES = (
    "Northgate Southfield Eastbrook Westhaven Lakemont Hillcrest Riverbend Oakdale".split()
)
FACILITY_NOUNS = (
    "Hospital",
    "Medical Center",
    "Clinic",
    "University",
    "School",
    "Pharmacy",
    "Church",
    "Center",
    "County",
)


def tag(kind: Kind) -> str:
    """`[NAME]`."""
    return f"[{kind}]"


@dataclass(frozen=True, slots=True)
class DateShift:
    """So many days are added to every date of a patient, and how the note is read."""

    days: int
    reading: DateReading


class Surrogates:
    """Made-up identifiers under a key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def days_for(self, patient: str, *, unit: int = 1) -> int:
        """How far the dates of a patient go back: 1 to 364 days, a multiple of `unit`."""
        steps = LONGEST_SHIFT_DAYS // unit
        return -unit * (1 + self._number("shift", patient) % steps)

    def surrogate(self, kind: Kind, text: str, shift: DateShift) -> str:
        """What stands in the place of `text`; a tag where the kind allows nothing better."""
        if kind == "AGE":
            return OLD_AGE
        if kind == "DATE":
            if tells_old_age(text, shift.reading):
                return tag(kind)
            return shifted(text, shift.days, shift.reading) or tag(kind)
        make = self._makers().get(kind, self._same_shape)
        return make(text)

    def _makers(self) -> Mapping[Kind, Callable[[str], str]]:
        return {
            "NAME": self._name,
            "LOCATION": self._location,
            "ZIP": _zip,
            "PHONE": self._phone,
            "FAX": self._phone,
            "EMAIL": lambda text: f"person{self._digits('email', text)}@example.org",
            "URL": lambda text: f"https://example.org/{self._digits('url', text)}",
            "IP_ADDRESS": self._address,
            "PHOTOGRAPH": self._photograph,
            "SSN": lambda text: "000" + self._same_shape(text)[3:],
        }

    def _name(self, text: str) -> str:
        """Word by word, so that `Smith` stays the same person as `SMITH, JOHN A.`"""
        kept: frozenset[str] = frozenset() if text.islower() else PARTICLES

        def made(match: re.Match[str]) -> str:
            word = match[0]
            return word if word in kept else case_like(word, self._name_word(word))

        return WORD.sub(made, text)

    def _name_word(self, word: str) -> str:
        plain = folded(word)
        if len(word) == 1:  # case_like gives it the case of the letter
            return chr(ord("A") + self._number("initial", plain) % 26)
        if is_link(word):
            return word
        for pool in ("given_names_female", "given_names_male"):
            if plain in entries(pool).all:
                return self._choice(pool, plain, spelled(pool))
        return self._choice("surnames", plain, spelled("surnames"))

    def _location(self, text: str) -> str:
        if COORDINATES.fullmatch(text):
            return re.sub(r"\d", "0", text)
        plain = folded(" ".join(text.split()))
        if DISTRICT.fullmatch(plain):
            return re.sub(r"\d+", lambda match: self._same_shape(match[0]), text)
        if text[:1].isdigit():
            street = self._choice("street", plain, STREET_NAMES)
            house = 1 + self._number("house", plain) % 999
            return f"{house} {words_like(text, f'{street} Street')}"
        for noun in FACILITY_NOUNS:
            if noun.lower() in plain:
                name = self._choice("facility", plain, FACILITY_NAMES)
                return words_like(text, f"{name} {noun}")
        return words_like(text, self._choice("places", plain, spelled("places")))

    def _phone(self, text: str) -> str:
        """With the exchange 555, which is kept for fiction, where the number has ten digits."""
        made = list(self._same_shape(text))
        places = [place for place, one in enumerate(made) if one.isdigit()]
        if len(places) >= 10:
            for place in places[-7:-4]:
                made[place] = "5"
        return "".join(made)

    def _address(self, text: str) -> str:
        """From the blocks for documentation, RFC 5737 and RFC 3849."""
        number = self._number("address", text)
        return f"2001:db8::{number % 0xFFFF:x}" if ":" in text else f"192.0.2.{1 + number % 254}"

    def _photograph(self, text: str) -> str:
        return f"image-{self._digits('photograph', text)}.{text.rpartition('.')[2]}"

    def _same_shape(self, text: str) -> str:
        """Other digits for digits, other letters for letters; the rest stays."""
        stream = self._stream("shape", folded(text), len(text))
        made = []
        for one, byte in zip(text, stream, strict=True):
            if one.isdigit():
                made.append(str(byte % 10))
            elif one.isalpha():
                letter = chr(ord("a") + byte % 26)
                made.append(letter.upper() if one.isupper() else letter)
            else:
                made.append(one)
        return "".join(made)

    def _choice(self, purpose: str, plain: str, pool: Sequence[str]) -> str:
        chosen = self._number(purpose, plain) % len(pool)
        if folded(pool[chosen]) == plain:
            chosen = (chosen + 1) % len(pool)
        return pool[chosen]

    def _digits(self, purpose: str, text: str) -> str:
        return f"{self._number(purpose, folded(text)) % 10**6:06d}"

    def _number(self, purpose: str, value: str) -> int:
        return int.from_bytes(self._stream(purpose, value, 8), "big")

    def _stream(self, purpose: str, value: str, size: int) -> bytes:
        """So many bytes that depend on the key, the purpose and the value."""
        blocks = (
            hmac.digest(self._key, f"{purpose}\0{number}\0{value}".encode(), hashlib.sha256)
            for number in range(1 + size // hashlib.sha256().digest_size)
        )
        return b"".join(blocks)[:size]


def _zip(text: str) -> str:
    prefix = text[:3]
    return "00000" if prefix in RESTRICTED_ZIP_PREFIXES else f"{prefix}00"


def is_link(word: str) -> bool:
    """Whether it is a small word inside a name, such as `of` and `de`."""
    return len(word) <= LONGEST_LINK and word.islower() and is_plain(word)


def words_like(old: str, new: str) -> str:
    """The new text with each word in the case of the old one at its place, or of the last."""
    words_of_old = WORD.findall(old)
    # `of` and `the` are small in names that are not.
    cases = [one for one in words_of_old if not is_link(one)] or words_of_old or [new]
    words = iter(range(len(new)))
    return WORD.sub(lambda match: case_like(cases[min(next(words), len(cases) - 1)], match[0]), new)


def case_like(old: str, new: str) -> str:
    """The new word in capitals or small letters where the old one is, else with a capital."""
    if old.isupper() and len(old) > 1:
        return new.upper()
    return new.lower() if old.islower() else new[:1].upper() + new[1:]
