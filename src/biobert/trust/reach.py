"""How far a name reaches that a model has found the beginning of: `J.K.` of `J.K.R.`"""

import re

from biobert.trust.clinical import is_clinical
from biobert.trust.identifiers._name_chain import CREDENTIAL
from biobert.trust.kinds import Kind

ENDS_WITH_INITIAL = re.compile(r"(?<![^\W_])[^\W\d_]\.?$")
FURTHER_INITIALS = re.compile(r"\.?(?: ?[A-Z]\.(?!\w{2})){1,3}")
INITIALS_BEHIND = re.compile(r",? (?:[A-Z]\.){2,4}")
GIVEN_BEHIND = re.compile(r",([A-Z][A-Z'’-]{1,24})(?![\w.])")


def end_of_name(kind: Kind, text: str, start: int, end: int) -> int:
    """Where the name `text[start:end]` is over: behind its last initial, and behind the given name
    of `NGUYEN,THI`."""
    if kind != "NAME":
        return end
    mention = text[start:end]
    initials = FURTHER_INITIALS if ENDS_WITH_INITIAL.search(mention) else INITIALS_BEHIND
    behind = initials.match(text, end)
    if behind and not CREDENTIAL.match(text, end + len(behind[0]) - len(behind[0].lstrip(", "))):
        return behind.end()
    given = GIVEN_BEHIND.match(text, end) if mention.isupper() else None
    if given and not is_clinical("NAME", text, *given.span(1)):
        return given.end()
    return end
