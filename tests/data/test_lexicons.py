"""Lists of terms, from files as people have them."""

from pathlib import Path

import pytest

from biobert.core.document import Document, Entity, Span
from biobert.core.errors import BadInputError
from biobert.data.lexicons import read_lexicon, read_ontology, read_synonyms, terms_of
from biobert.data.rejects import Rejects

OBO = """format-version: 1.2
name: not a term

[Term]
id: X:1
name: angina pectoris
synonym: "stenocardia \\"old\\"" EXACT []
synonym: "heart pain" BROAD []

[Term]
id: X:2
name: gone disease
is_obsolete: true

[Typedef]
name: part of

[Term]
id: X:3
name: gout
"""


def test_a_lexicon_has_labels_and_terms(tmp_path: Path) -> None:
    path = tmp_path / "terms.tsv"
    path.write_text("Disease\tgout\nDrug\taspirin \nno label\nDisease\tgout\nDrug\t" + "x" * 400)
    rejects = Rejects()
    assert read_lexicon(path, rejects) == {"Disease": ("gout",), "Drug": ("aspirin",)}
    assert [one.place for one in rejects.kept] == ["3", "5"]


def test_synonyms_belong_to_single_words(tmp_path: Path) -> None:
    path = tmp_path / "synonyms.tsv"
    path.write_text("Shows\tdemonstrates\treveals\ntwo words\tpair\nalone\n")
    rejects = Rejects()
    assert read_synonyms(path, rejects) == {"shows": ("demonstrates", "reveals")}
    assert rejects.count == 2


def test_an_ontology_gives_names_and_exact_synonyms_of_living_terms(tmp_path: Path) -> None:
    (tmp_path / "a.obo").write_text(OBO)
    (tmp_path / "a.tsv").write_text('id\tlabel\n"X:1"\t"gout, acute"\nX:2\tangina\nX:3\n')
    rejects = Rejects()
    found = read_ontology(tmp_path / "a.obo", rejects)
    assert found == ("angina pectoris", 'stenocardia "old"', "gout")
    assert not rejects.count
    assert read_ontology(tmp_path / "a.tsv", rejects) == ("gout, acute", "angina")
    assert [one.place for one in rejects.kept] == ["4"]


def test_an_empty_list_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty.tsv").write_text("\n")
    with pytest.raises(BadInputError, match="label TAB term"):
        read_lexicon(tmp_path / "empty.tsv", Rejects())


def test_the_mentions_of_documents_are_terms_too() -> None:
    text = "Skin and liver cancer, gout\nflare and gout."
    entities = (
        Entity(0, 21, "Disease", fragments=(Span(0, 4), Span(15, 21))),
        Entity(23, 33, "Disease"),
        Entity(38, 42, "Disease"),
    )
    assert terms_of([Document("d", text, entities=entities)]) == {"Disease": ("gout",)}
