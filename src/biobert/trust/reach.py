"""How far a name or a place that a model has found reaches: `J.K.` of `J.K.R.`, and nothing of
`58 y.o.`"""

import re

from biobert.core.document import Span
from biobert.text.letters import letter_by_letter
from biobert.trust.clinical import PROPER, is_clinical
from biobert.trust.identifiers._name_chain import CREDENTIAL
from biobert.trust.kinds import Kind

# `62 y.o. man`, `58-yr-old`, `6 mo. old`
AGE = (
    r"\d{1,3}(?:[- ]?y\.? ?[/-]?o(?:ld(?!\w)|\.|[mf]?(?!\w))|"
    r"[- ]?(?:years?|yrs?)\.?(?:[- ]old)?(?!\w)|"
    r"[- ]?(?:months?|mos?|m|weeks?|wks?|days?|d)\.?[- ]?o(?:ld|\.)(?!\w))"
    r"(?: (?:(?:wo)?man|gentleman|lady|(?:fe)?male|boy|girl|[mf])(?!\w))?"
)
TIME = r"\d{1,2}(?:(?::\d\d)? ?[ap](?:\. ?m\.|m(?!\w))|:\d\d(?!\w))"
# `p.r.n.`, `b.i.d.`, `q.h.s.`, `q.4-6h.`
ORDER = (
    r"(?:p\. ?r\. ?n|[btq]\. ?i\. ?d|"
    r"q\. ?(?:\d{1,2}(?:-\d{1,2})?\.? ?)?"
    r"(?:[ap]\. ?[cm]|h\. ?s|[oe]\. ?d|hs|[ap]m|hrs?|wks?|[adhp]))"
    r"(?:\.(?!\w)|(?![\w.]))"
)
AGE_TIME_OR_ORDER = re.compile(rf"(?<![\w.,/])(?:{AGE}|{TIME})|(?<![\w.]){ORDER}")
ORDER_REACH = 16
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


def outside_orders(kind: Kind, text: str, start: int, end: int) -> Span | None:
    """What is left of a name or a place without the ages, times of day and orders that it begins
    or ends in; None for nothing."""
    if kind not in PROPER:
        return Span(start, end)
    behind = max(0, start - ORDER_REACH)
    lowered = letter_by_letter(text[behind : end + ORDER_REACH], str.lower)
    for match in AGE_TIME_OR_ORDER.finditer(lowered):
        first, last = (behind + place for place in match.span())
        if first <= start < last:
            start = last
        elif first < end <= last:
            end = first
    while start < end and not text[start].isalnum():
        start += 1
    while start < end and text[end - 1] in " ,;(\n":
        end -= 1
    return Span(start, end) if start < end else None
