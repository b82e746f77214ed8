"""The kinds of identifiers that HIPAA's Safe Harbor names, 45 CFR 164.514(b)(2)(i)(A) to (R)."""

from collections.abc import Mapping
from typing import Literal, get_args

Kind = Literal[
    "NAME",
    "LOCATION",
    "ZIP",
    "DATE",
    "AGE",
    "PHONE",
    "FAX",
    "EMAIL",
    "SSN",
    "MEDICAL_RECORD",
    "HEALTH_PLAN",
    "ACCOUNT",
    "LICENCE",
    "VEHICLE",
    "DEVICE",
    "URL",
    "IP_ADDRESS",
    "BIOMETRIC",
    "PHOTOGRAPH",
    "OTHER",
]
KINDS: tuple[Kind, ...] = get_args(Kind)

PARAGRAPHS: Mapping[Kind, str] = dict(zip(KINDS, "ABBCCDEFGHIJKLMNOPQR", strict=True))
"""The paragraph of the rule that names the kind; locations and dates have two kinds each."""
