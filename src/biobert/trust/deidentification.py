"""De-identification: the identifiers of HIPAA's Safe Harbor found in a document and replaced.

The kinds are those of 45 CFR 164.514(b)(2)(i). Nothing here promises that a text is free of them;
`docs/how-to/deidentify.md` says how many were missed in notes that the rules had not seen.
"""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal, get_args

from biobert.core.arguments import check_list
from biobert.core.document import Document, Entity, Span
from biobert.core.editing import Edit, edited
from biobert.core.errors import BadInputError
from biobert.core.shelf import unknown_name
from biobert.trust.calendar import reading_of
from biobert.trust.clinical import is_clinical
from biobert.trust.fields import TEXT, Field, fields_of, with_values
from biobert.trust.finding import Check, find_identifiers, go_on
from biobert.trust.kinds import Kind
from biobert.trust.model_labels import kind_of, must_go
from biobert.trust.note import Candidate, Certainty, as_typed
from biobert.trust.reach import end_of_name, outside_orders
from biobert.trust.surrogates import WEEK, DateShift, Surrogates, tag

Replacement = Literal["tags", "surrogates"]
DateUnit = Literal["days", "weeks"]
Tagger = Callable[[str], Document]
"""Gives the text with its entities, such as `Annotator(model).annotate`."""
SHORTEST_KEY_BYTES = 16


@dataclass(frozen=True, slots=True)
class Identifier:
    """An identifier of the original text by its place there, and what was put in its place.

    `field` is the path of a heading, kind, label or metadata where it stood in one, such as
    `metadata.attending`. The identifier itself is not kept, so that this may be counted, logged
    and shown.
    """

    kind: Kind
    start: int
    end: int
    surrogate: str
    field: str = TEXT


@dataclass(frozen=True, slots=True)
class Deidentified:
    """The document without the identifiers that were found, and where they stood: those of its
    text, then those beside it."""

    document: Document
    found: tuple[Identifier, ...]
    beside_text: tuple[Identifier, ...] = ()


@dataclass(frozen=True, slots=True)
class _Searched:
    field: Field
    found: tuple[Identifier, ...]

    def edits(self) -> list[Edit]:
        return [
            Edit(one.start, one.end, self.field.written(one.start, one.surrogate))
            for one in self.found
        ]


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
        check: Check = go_on,
    ) -> None:
        """`key` (16 bytes or more) makes surrogates the same across documents and runs; without
        one they are so within this object. `date_unit` weeks keeps the days of the week. `names`
        is a model that finds identifiers besides the rules. Entities of a document whose label is
        one of `veto_labels` are not taken for names that only a list knows. `check` is called all
        the time: what it raises ends the search.
        """
        check_list("veto_labels", veto_labels)
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
        self._check = check

    def deidentify(self, document: Document | str, *, patient: str | None = None) -> Deidentified:
        """The document with every identifier replaced and all annotations moved along.

        Dates of the same `patient` move by the same number of days; by default each document is a
        patient of its own. Headings, kinds of passages, labels of the document and metadata are
        searched and replaced too, metadata that are `patient` always. Labels and identifiers of
        entities and relations, concepts, and identifiers of documents stay as they are.
        """
        if isinstance(document, str):
            document = Document("1", document)
        text, *others = self._searched(document, patient)
        values = {
            one.field.path: edited(Document("", one.field.value), one.edits()).text
            for one in others
            if one.found
        }
        clean = with_values(edited(document, text.edits()), values)
        return Deidentified(
            clean, text.found, tuple(found for one in others for found in one.found)
        )

    def marked(self, document: Document) -> Document:
        """The document as it is, with its identifiers as its entities: to look at, or to score."""
        return document.with_entities(
            Entity(one.start, one.end, one.kind) for one in self.find(document)
        )

    def find(self, document: Document, *, patient: str | None = None) -> tuple[Identifier, ...]:
        """The identifiers of a document's text, in order, with what would replace them."""
        return self._searched(document, patient)[0].found

    def _searched(self, document: Document, patient: str | None) -> list[_Searched]:
        """The fields of the document, its text first, and what is found in each.

        The dates of all fields together tell how they are to be read.
        """
        found: list[tuple[Field, list[Candidate]]] = []
        # An article has hundreds of passages of a few kinds: each is searched once.
        known: dict[tuple[bool, str, str], list[Candidate]] = {}
        for one in fields_of(document):
            key = (one.path == TEXT, one.lead, one.value)
            if key not in known:
                known[key] = self._candidates(one, document, patient)
            found.append((one, known[key]))
        dates = [
            _typed(field, one)
            for field, candidates in found
            for one in candidates
            if one.kind == "DATE"
        ]
        owner = document.id if patient is None else patient
        shift = DateShift(self._surrogates.days_for(owner, unit=self._unit), reading_of(dates))
        return [
            _Searched(field, tuple(self._identifier(field, one, shift) for one in candidates))
            for field, candidates in found
        ]

    def _candidates(self, field: Field, document: Document, patient: str | None) -> list[Candidate]:
        shown, place = field.searched, len(field.lead)
        further = self._from_model(shown)
        vetoes = []
        if field.path == TEXT:
            vetoed = document.entities_labelled(self._veto_labels)
            vetoes = [Span(one.start, one.end) for one in vetoed]
        elif patient is not None and field.value == str(patient):
            further.append(Candidate("OTHER", place, len(shown), Certainty.STATED))
        found = find_identifiers(shown, further, vetoes=vetoes, check=self._check)
        behind = (_behind(place, one) for one in found if one.end > place)
        return [
            replace(one, start=span.start, end=span.end)
            for one in behind
            for span in field.without_signs(one.start, one.end)
        ]

    def _identifier(self, field: Field, one: Candidate, shift: DateShift) -> Identifier:
        surrogate = tag(one.kind)
        if self._replacement == "surrogates":
            surrogate = self._surrogates.surrogate(one.kind, _typed(field, one), shift)
        return Identifier(one.kind, one.start, one.end, surrogate, field.path)

    def _from_model(self, text: str) -> list[Candidate]:
        if self._names is None:
            return []
        found = ((kind_of(one.label), one) for one in self._names(text).entities)
        return [
            candidate
            for kind, one in found
            if kind is not None
            and must_go(kind, text[one.start : one.end])
            and (candidate := _as_candidate(kind, text, one)) is not None
        ]


def _as_candidate(kind: Kind, text: str, found: Entity) -> Candidate | None:
    """What a model found, as far as it reaches; None for an age and for clinical language."""
    span = outside_orders(kind, text, found.start, found.end)
    if span is None or is_clinical(kind, text, span.start, span.end):
        return None
    end = end_of_name(kind, text, span.start, span.end)
    return Candidate(kind, span.start, end, Certainty.SHAPED)


def _typed(field: Field, one: Candidate) -> str:
    return as_typed(field.value[one.start : one.end])


def _behind(place: int, one: Candidate) -> Candidate:
    """What of a candidate lies behind the place, counted from there."""
    return replace(one, start=max(0, one.start - place), end=one.end - place)
