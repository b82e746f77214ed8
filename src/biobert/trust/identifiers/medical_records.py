"""Medical record numbers (H)."""

from biobert.trust.identifiers._labelled import NUMBERED, LabelledNumbers

find = LabelledNumbers(
    "MEDICAL_RECORD",
    sure=rf"mrn|m\.r\.n\.|mr ?(?:#|no\.?)|med(?:ical)?\.? ?rec(?:ord)?\.?(?:{NUMBERED})?|"
    rf"(?:hosp(?:ital)?|unit|chart|patient|pt|health record)\.?{NUMBERED}|nhs(?:{NUMBERED})?|"
    rf"chi{NUMBERED}|nhi|ur ?no",
    loose=r"chart|(?:hospital|medical) records?",
).finder()
