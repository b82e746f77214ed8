"""Identifiers of biometric records (P): a text can only name their numbers."""

from biobert.trust.identifiers._labelled import LabelledNumbers

find = LabelledNumbers(
    "BIOMETRIC",
    sure=r"(?:finger|thumb|palm|hand|voice|face|foot)[ -]?prints?|palm[ -]?vein|hand (?:scan|"
    r"geometry)|"
    r"(?:iris|retinal?|face|facial) (?:scan|id|template|recognition|code)|"
    r"biometrics?|gait (?:profile|id)|dna (?:profile|fingerprint)",
).finder()
