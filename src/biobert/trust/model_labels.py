"""What trained models call the kinds of identifiers."""

import re
from collections.abc import Mapping

from biobert.trust.calendar import WHOLE_YEAR
from biobert.trust.identifiers.ages import OVER_89
from biobert.trust.kinds import KINDS, Kind

OTHER_NAMES: Mapping[Kind, str] = {
    "NAME": "per person patient doctor staff",
    "LOCATION": (
        "loc gpe city street hospital fac facility org organization organisation location-other"
    ),
    "MEDICAL_RECORD": "mrn",
    "LICENCE": "license",
    "IP_ADDRESS": "ipaddr",
    "BIOMETRIC": "bioid",
    "OTHER": "id idnum username",
}
"""Besides the kinds' own, those of news corpora and of the i2b2 corpora of 2006 and 2014."""


def kind_of(label: str) -> Kind | None:
    """The kind of identifier that a model's label stands for, however it is written."""
    return _KINDS.get(_plain(label))


def must_go(kind: Kind, mention: str) -> bool:
    """Whether the rule wants it replaced: ages up to 89 and years alone may stay."""
    if kind == "AGE":
        return OVER_89.search(mention.lower()) is not None
    return kind != "DATE" or WHOLE_YEAR.fullmatch(mention) is None


def _plain(label: str) -> str:
    return re.sub(r"[\W_]", "", label).lower()


_KINDS: Mapping[str, Kind] = {
    _plain(name): kind for kind in KINDS for name in (kind, *OTHER_NAMES.get(kind, "").split())
}
