"""Relations that point at what their document has."""

from collections.abc import Collection

from biobert.core.document import Relation
from biobert.core.errors import BadInputError


def check_arguments(relation: Relation, known: Collection[str | None]) -> None:
    """An error where an argument is none of the known identifiers of mentions and relations."""
    for argument in relation.arguments:
        if argument.kind == "entity" and argument.target not in known:
            raise BadInputError(
                f"relation {relation.label!r} points at {argument.target!r}, "
                "which the document lacks"
            )
