"""Any other unique identifying number, characteristic or code (R)."""

import re
from collections.abc import Iterator

from biobert.trust.identifiers._labelled import NUMBERED, LabelledNumbers
from biobert.trust.note import Candidate, Certainty, NoteText

UNIVERSAL = re.compile(r"(?<![\w-])[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?![\w-])")
LONG_NUMBER = re.compile(r"(?<![\w.,/+-])\d{8,40}(?!\w|[.,/%-]\w)")
MIXED = re.compile(
    r"(?<![\w.,/>+-])(?=[A-Z-]{1,6}\d)[A-Z0-9](?:[A-Z0-9]|-(?=[A-Z0-9])){7,30}(?![\w>+]|\.\w)"
)
FEWEST_DIGITS = 6
# Registers of trials, papers, genes and proteins: public, and nobody's own.
PUBLIC = re.compile(
    r"(?:NCT|ISRCTN|EUCTR|ACTRN|CHEMBL|PMC|PMID|DOI|RS|NM|NP|NC|ENS[A-Z]{0,8}|GSE|GSM|SRR|MESH|"
    r"OMIM|ICD|CAS)[-_]?\d"
)
PUBLIC_BEFORE = re.compile(
    r"(?:pmid|pubmed|doi|omim|orpha|hgnc|entrez|umls|snomed|loinc|icd|cas)[^\w\n]{0,4}$"
)
LOOK_BACK = 16
# Of a dictation; an ordinary word, so that a count or a year must not follow.
JOB = re.compile(r"(?<![a-z])job[ :.]{1,3}([a-z]{0,3}-?\d{5,12})(?![\w%/-]|[.,]\d| dollars)")
labelled = LabelledNumbers(
    "OTHER",
    sure=rf"accession(?:{NUMBERED})?|specimen(?:{NUMBERED})?|barcode|encounter|enc|docket|badge|"
    rf"inmate|(?:visit|case|claim|employee|student|study|subject|participant|donor|recipient|order|"
    rf"sample|lab|incident|confirmation|receipt|ticket|prescription|run|report|tracking|session|"
    rf"user|client|tax|job|document|dictation|transcription)\.?{NUMBERED}|rx(?: ?#)?|"
    rf"ref(?:erence)?\.?(?:{NUMBERED})?|requisition|auth(?:orization)?\.?(?:{NUMBERED})?|"
    r"pedigree|ein|(?:study|trial) subject|receipt",
    loose=r"id|no|number|claim|case|intake|incident|report|visit|sample|order|study|subject|"
    r"participant|student|employee|serial",
).finder()


def find(note: NoteText) -> Iterator[Candidate]:
    """By label; unlabelled ones where they are too long to be a count or a measure."""
    yield from labelled(note)
    for match in JOB.finditer(note.lowered):
        yield Candidate("OTHER", *match.span(1), Certainty.STATED)
    for match in UNIVERSAL.finditer(note.lowered):
        yield Candidate("OTHER", *match.span(), Certainty.SHAPED)
    for pattern in (LONG_NUMBER, MIXED):
        for match in pattern.finditer(note.text):
            digits = sum(map(str.isdigit, match[0]))
            if digits >= FEWEST_DIGITS and not _is_public(note, match):
                yield Candidate("OTHER", *match.span(), Certainty.LISTED)


def _is_public(note: NoteText, match: re.Match[str]) -> bool:
    before = note.lowered[max(0, match.start() - LOOK_BACK) : match.start()]
    return bool(PUBLIC.match(match[0]) or PUBLIC_BEFORE.search(before))
