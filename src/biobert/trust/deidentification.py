"""De-identification: the identifiers of HIPAA's Safe Harbor found in a document and replaced.

The kinds are those of 45 CFR 164.514(b)(2)(i). Nothing here promises that a text is free of them;
`docs/how-to/deidentify.md` says how many were missed in notes that the rules had not seen.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from biobert.core.document import Document, Entity, Span
from biobert.core.editing import Edit, edited
from biobert.core.errors import BadInputError
from biobert.core.shelf import unknown_name
from biobert.trust.calendar import reading_of
from biobert.trust.finding import find_identifiers
from biobert.trust.kinds import Kind
from biobert.trust.note import Candidate, Certainty
from biobert.trust.surrogates import WEEK, DateShift, Surrogates, tag

Replacement = Literal["tags", "surrogates"]
DateUnit = Literal["days", "weeks"]
Tagger = Callable[[str], Document]
"""Gives the text with its entities, such as `Annotator(model).annotate`."""
SHORTEST_KEY_BYTES = 16
MODEL_LABELS: Mapping[str, Kind] = {
    "per": "NAME",
    "person": "NAME",
    "name": "NAME",
    "patient": "NAME",
    "doctor": "NAME",
    "staff": "NAME",
    "loc": "LOCATION",
    "location": "LOCATION",
    "gpe": "LOCATION",
    "city": "LOCATION",
    "hospital": "LOCATION",
    "fac": "LOCATION",
    "facility": "LOCATION",
    "org": "LOCATION",
    "organization": "LOCATION",
}


@dataclass(frozen=True, slots=True)
class Identifier:
    """An identifier of the original text by its place there, and what was put in its place.

    The identifier itself is not kept, so that this may be counted, logged and shown.
    """

    kind: Kind
    start: int
    end: int
    surrogate: str


@dataclass(frozen=True, slots=True)
class Deidentified:
    """The document without the identifiers that were found, and where they stood."""

    document: Document
    found: tuple[Identifier, ...]


class Deidentifier:
    """Finds and replaces identifiers; one object may serve many threads.

    >>> deidentifier = Deidentifier()
    >>> deidentifier.deidentify("Mrs. Sullivan, seen on 3/14/2024, takes warfarin.").document.text
    'Mrs. [NAME], seen on [DATE], takes warfarin.'
    """

    def __init__(
        self,
        *,
        replacement: Replacement = "tags",
        key: bytes | None = None,
        date_unit: DateUnit = "days",
        names: Tagger | None = None,
        veto_labels: Iterable[str] = (),
    ) -> None:
        """`key` (16 bytes or more) makes surrogates the same across documents and runs; without
        one they are so within this object. `date_unit` weeks keeps the days of the week. `names`
        is a model that finds persons and places besides the rules. Entities of a document whose
        label is one of `veto_labels` are not taken for names that only a list knows.
        """
        if replacement not in get_args(Replacement):
            raise unknown_name("replacement", replacement, get_args(Replacement))
        if date_unit not in get_args(DateUnit):
            raise unknown_name("unit of dates", date_unit, get_args(DateUnit))
        if key is not None and len(key) < SHORTEST_KEY_BYTES:
            raise BadInputError(
                f"a key of {len(key)} bytes can be guessed; give it {SHORTEST_KEY_BYTES} or more, "
                "such as those of `openssl rand -hex 32`",
                code="usage",
            )
        self._replacement = replacement
        self._surrogates = Surrogates(secrets.token_bytes(32) if key is None else key)
        self._unit = WEEK if date_unit == "weeks" else 1
        self._names = names
        self._veto_labels = frozenset(veto_labels)

    def deidentify(self, document: Document | str, *, patient: str | None = None) -> Deidentified:
        """The document with every identifier replaced and all annotations moved along.

        Dates of the same `patient` move by the same number of days; by default each document is a
        patient of its own. Headings and metadata are searched and replaced too. Identifiers of
        documents, entities and relations stay as they are.
        """
        if isinstance(document, str):
            document = Document("1", document)
        owner = document.id if patient is None else patient
        found = self.find(document, patient=owner)
        edits = [Edit(one.start, one.end, one.surrogate) for one in found]
        return Deidentified(self._clean(edited(document, edits), owner), found)

    def marked(self, document: Document) -> Document:
        """The document as it is, with its identifiers as its entities: to look at, or to score."""
        return document.with_entities(
            Entity(one.start, one.end, one.kind) for one in self.find(document)
        )

    def find(self, document: Document, *, patient: str | None = None) -> tuple[Identifier, ...]:
        """The identifiers of a document's text, in order, with what would replace them."""
        vetoes = [Span(one.start, one.end) for one in document.entities_labelled(self._veto_labels)]
        candidates = find_identifiers(document.text, self._from_model(document), vetoes=vetoes)
        return self._replaced(
            document.text, candidates, document.id if patient is None else patient
        )

    def _replaced(
        self, text: str, candidates: Sequence[Candidate], patient: str
    ) -> tuple[Identifier, ...]:
        dates = [text[one.start : one.end] for one in candidates if one.kind == "DATE"]
        shift = DateShift(self._surrogates.days_for(patient, unit=self._unit), reading_of(dates))
        return tuple(
            Identifier(one.kind, one.start, one.end, self._text_for(one, text, shift))
            for one in candidates
        )

    def _text_for(self, one: Candidate, text: str, shift: DateShift) -> str:
        if self._replacement == "tags":
            return tag(one.kind)
        return self._surrogates.surrogate(one.kind, text[one.start : one.end], shift)

    def _from_model(self, document: Document) -> list[Candidate]:
        if self._names is None:
            return []
        tagged = self._names(document.text)
        pairs = ((MODEL_LABELS.get(one.label.lower()), one) for one in tagged.entities)
        return [_candidate(kind, entity) for kind, entity in pairs if kind is not None]

    def _clean(self, document: Document, patient: str) -> Document:
        """Its headings, metadata and source without identifiers."""

        def cleaned(values: Mapping[str, str]) -> dict[str, str]:
            return {name: self._clean_text(value, patient) for name, value in values.items()}

        passages = tuple(
            replace(
                one,
                heading=self._clean_text(one.heading, patient),
                metadata=cleaned(one.metadata),
            )
            for one in document.passages
        )
        return replace(document, passages=passages, metadata=cleaned(document.metadata))

    def _clean_text(self, value: str, patient: str) -> str:
        if not isinstance(value, str) or not value:
            return value
        found = self._replaced(value, find_identifiers(value), patient)
        edits = [Edit(one.start, one.end, one.surrogate) for one in found]
        return edited(Document("", value), edits).text


def _candidate(kind: Kind, entity: Entity) -> Candidate:
    return Candidate(kind, entity.start, entity.end, Certainty.SHAPED)
