"""The formats of relation corpora, on invented samples in the form of each, and the real ones."""

import json
import zipfile
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biobert.core.document import Document, Relation, Span
from biobert.core.errors import BadInputError
from biobert.data.catalogue import load_corpus, read_split
from biobert.data.formats.chemprot import unmarked
from biobert.data.places import CorpusPlaces
from biobert.data.reading import read_documents, write_documents
from biobert.data.rejects import Rejects


def read(path: Path, format: str) -> tuple[list[Document], Rejects]:
    rejects = Rejects()
    return list(read_documents(path, format, rejects)), rejects


def ends(document: Document, relation: Relation) -> list[str]:
    return [document.argument_text(argument) for argument in relation.arguments]


# ChemProt


@pytest.mark.parametrize(
    ("marked", "text", "mentions"),
    [
        ("<< Salol >> blocks [[ ABC1 ]].", "Salol blocks ABC1.", ("Salol", "ABC1")),
        ("<< ABC1 >> meets (pre-[[ salol ]])", "ABC1 meets (pre-salol)", ("ABC1", "salol")),
        ("a << ABC kinase >>[[ ABC ]] kinase b", "a ABC kinase b", ("ABC kinase", "ABC")),
        ("<< pre ABC >>[[ ABC kinase ]] b", "pre ABC kinase b", ("pre ABC", "ABC kinase")),
        ("<< salol >>[[ ABC1 ]]", "salolABC1", ("salol", "ABC1")),
        ("<< Salol >> (a > b >> c) [[ ABC1 ]]", "Salol (a > b >> c) ABC1", ("Salol", "ABC1")),
    ],
)
def test_marks_go_and_mentions_stay(marked: str, text: str, mentions: tuple[str, str]) -> None:
    found, spans = unmarked(marked)
    assert found == text
    assert tuple(text[span.start : span.end] for span in spans) == mentions


plain = st.text(alphabet="ab α🧬-.,()", min_size=1, max_size=8)


@given(plain, plain, plain, plain, plain)
def test_whatever_is_marked_comes_back(
    before: str, first: str, between: str, second: str, after: str
) -> None:
    marked = f"{before}<< {first} >>{between}[[ {second} ]]{after}"
    text, spans = unmarked(marked)
    assert text == before + first + between + second + after
    assert [text[span.start : span.end] for span in spans] == [first, second]


def test_a_line_of_chemprot_is_a_sentence_with_a_relation(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    rows = [
        {"text": "<< Salol >> blocks [[ ABC1 ]].", "label": "INHIBITOR", "metadata": []},
        {"text": "<< Salol >> blocks nothing.", "label": "INHIBITOR"},
        {"text": "<< Salol >> and << ABC1 >> meet [[ ABC2 ]].", "label": "INHIBITOR"},
        {"text": "[[ ABC2 ]] first << Salol >>", "label": "INHIBITOR"},
        {"text": "<<  >> [[ ABC2 ]]", "label": "INHIBITOR"},
        {"text": "<< Salol >> meets [[ ABC1 ]].", "label": 7},
        {"text": "<< Salol >> meets [[ ABC1 ]]."},
        ["no", "object"],
    ]
    path.write_text("\n".join([*map(json.dumps, rows), "{broken", ""]))
    (document,), rejects = read(path, "chemprot")
    assert document.id == "train-1"
    assert document.sentences == (Span(0, len(document.text)),)
    (relation,) = document.relations
    assert (relation.label, ends(document, relation)) == ("INHIBITOR", ["Salol", "ABC1"])
    assert {reject.place for reject in rejects.kept} == {str(one) for one in range(2, 10)}
    path.write_text("")
    assert read(path, "chemprot")[0] == []


# DDI

DDI = """<?xml version="1.0" encoding="UTF-8"?>
<document id="DDI-Sample.d1">
  <sentence id="s0" text="Salol raises aspirin. ">
    <entity id="s0.e0" charOffset="0-4" type="drug" text="Salol"/>
    <entity id="s0.e1" charOffset="13-19" type="brand" text="aspirin"/>
    <pair id="s0.p0" e1="s0.e0" e2="s0.e1" ddi="true" type="mechanism"/>
  </sentence>
  <sentence id="s1" text="Use &#945;- and beta-blockers &lt; weekly."/>
  <sentence id="s2" text="Use alpha- and beta-blockers.">
    <entity id="s2.e0" charOffset="4-9;20-27" type="group" text="alpha-blockers"/>
    <entity id="s2.e1" charOffset="15-27" type="group" text="beta-blockers"/>
    <pair id="s2.p0" e1="s2.e0" e2="s2.e1" ddi="false"/>
  </sentence>
</document>"""
BROKEN = """<document id="d2"><sentence id="s0" text="Salol and aspirin.">
<entity id="e0" charOffset="0-4" type="drug" text="Salol"/>
<entity id="e1" charOffset="10-16" type="drug" text="aspirins"/>
<entity id="e2" charOffset="10-99" type="drug" text="aspirin"/>
<entity id="e3" charOffset="ten" type="drug" text="aspirin"/>
<entity id="e0" charOffset="10-16" type="drug" text="aspirin"/>
<entity id="e4" charOffset="10-16" type="drug" text="aspirin"/>
<pair id="p0" e1="e0" e2="e1" ddi="true" type="effect"/>
<pair id="p1" e1="e0" e2="e4" ddi="true"/>
<pair id="p2" e1="e0" e2="e4" ddi="true" type="effect"/>
<pair id="p3" e1="e0" e2="e0" ddi="true" type="effect"/>
</sentence></document>"""


def archive(path: Path, members: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in members.items():
            target.writestr(name, content)
    return path


def test_a_ddi_document_keeps_offsets_fragments_and_pairs(tmp_path: Path) -> None:
    (tmp_path / "a.ddi.xml").write_text(DDI)
    (document,), rejects = read(tmp_path / "a.ddi.xml", "ddi")
    assert rejects.count == 0
    assert document.id == "DDI-Sample.d1"
    assert [document.text[one.start : one.end].strip() for one in document.sentences] == [
        "Salol raises aspirin.",
        "Use α- and beta-blockers < weekly.",
        "Use alpha- and beta-blockers.",
    ]
    assert [document.mention(one) for one in document.entities] == [
        "Salol",
        "aspirin",
        "alpha- blockers",
        "beta-blockers",
    ]
    (relation,) = document.relations
    assert (relation.label, ends(document, relation)) == ("mechanism", ["Salol", "aspirin"])


def test_an_archive_tells_splits_by_its_folders(tmp_path: Path) -> None:
    path = archive(
        tmp_path / "corpus.zip",
        {
            "Corpus/Train/DrugBank/A drug_ddi.xml": DDI,
            "Corpus/Test/Test for DDI Extraction task/MedLine/2.xml": DDI.replace("d1", "d2"),
            "Corpus/Test/Test for DrugNER task/MedLine/3.xml": DDI.replace("d1", "d3"),
            "Corpus/Train/.hidden.xml": "rubbish",
            "Corpus/Train/broken.xml": "<document><sentence",
            "Corpus/Train/notes.txt": "no document",
        },
    )
    documents, rejects = read(path, "ddi")
    assert {one.id[-2:]: one.metadata["split"] for one in documents} == {
        "d1": "train",
        "d2": "test",
        "d3": "test-ner",
    }
    assert documents[0].provenance.source == "A drug_ddi.xml"
    assert [reject.file for reject in rejects.kept] == ["broken.xml"]


def test_wrong_mentions_and_their_pairs_are_set_aside(tmp_path: Path) -> None:
    (tmp_path / "b.ddi.xml").write_text(BROKEN)
    (document,), rejects = read(tmp_path / "b.ddi.xml", "ddi")
    assert [document.mention(one) for one in document.entities] == ["Salol", "aspirin"]
    assert [one.id for one in document.relations] == ["p2"]
    assert Counter(reject.place for reject in rejects.kept) == Counter(
        ["e1", "e2", "e3", "e0", "p0", "p1", "p3"]
    )


def test_hostile_archives_end_in_an_error_or_a_reject(tmp_path: Path) -> None:
    whole = archive(tmp_path / "whole.zip", {"Train/a.xml": DDI}).read_bytes()
    (tmp_path / "short.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInputError, match=r"short\.zip: damaged"):
        read(tmp_path / "short.zip", "ddi")
    bomb = archive(tmp_path / "bomb.zip", {"Train/a.xml": "<document>" + " " * 20_000_000})
    documents, rejects = read(bomb, "ddi")
    assert documents == []
    assert "too large" in rejects.kept[0].reason
    entities = DDI.replace("<document", '<!DOCTYPE d [<!ENTITY a "aaaa">]><document', 1)
    (tmp_path / "entities.ddi.xml").write_text(entities)
    documents, rejects = read(tmp_path / "entities.ddi.xml", "ddi")
    assert documents == []
    assert "declares XML entities" in rejects.kept[0].reason


# BioRED

BIORED = """1|t|Variants of ABC1 in salolosis.
1|a|The variant 12C>T of ABC1 and p.R5W.
1	0	8	Variants	SequenceVariant	-
1	12	16	ABC1	GeneOrGeneProduct	1234
1	20	29	salolosis	DiseaseOrPhenotypicFeature	D001234,D005678
1	43	48	12C>T	SequenceVariant	c|SUB|C|12|T
1	52	56	ABC1	GeneOrGeneProduct	1234
1	61	66	p.R5W	SequenceVariant	p|SUB|R|5|W,rs77
1	Positive_Correlation	c|SUB|C|12|T	D001234	Novel
1	Association	1234	D005678	No

"""
BIORED_JSON = {
    "documents": [
        {
            "id": "1",
            "passages": [
                {
                    "offset": 0,
                    "text": "ABC1 12C>T causes salolosis.",
                    "annotations": [
                        {
                            "id": str(number),
                            "infons": {"identifier": identifier, "type": kind},
                            "text": mention,
                            "locations": [{"offset": start, "length": len(mention)}],
                        }
                        for number, (start, mention, kind, identifier) in enumerate(
                            [
                                (0, "ABC1", "GeneOrGeneProduct", "1234"),
                                (5, "12C>T", "SequenceVariant", "c|SUB|C|12|T"),
                                (18, "salolosis", "DiseaseOrPhenotypicFeature", "D001234"),
                            ]
                        )
                    ],
                }
            ],
            "relations": [
                {
                    "id": f"R{number}",
                    "infons": {"entity1": one, "entity2": "D001234", "type": label, "novel": "No"},
                }
                for number, (one, label) in enumerate(
                    [("1234", "Association"), ("c|SUB|C|12|T", "Positive_Correlation")]
                )
            ],
        }
    ]
}


def targets(document: Document) -> set[tuple[str, ...]]:
    return {
        (one.label, *(argument.target for argument in one.arguments)) for one in document.relations
    }


def test_biored_as_pubtator_names_the_concepts_of_its_mentions(tmp_path: Path) -> None:
    path = tmp_path / "Train.PubTator"
    path.write_text(BIORED)
    (document,), rejects = read(path, "pubtator")
    assert rejects.count == 0
    variant = "tmvar:c%7CSUB%7CC%7C12%7CT"
    assert targets(document) == {
        ("Positive_Correlation", variant, "mesh:D001234"),
        ("Association", "ncbigene:1234", "mesh:D005678"),
    }
    concepts = [one.concept_ids for one in document.entities]
    assert concepts[0] == ()
    assert concepts[3] == (variant,)
    assert concepts[5] == ("tmvar:p%7CSUB%7CR%7C5%7CW", "dbsnp:rs77")
    write_documents([document], tmp_path / "again.pubtator")
    (again,), _ = read(tmp_path / "again.pubtator", "pubtator")
    assert targets(again) == targets(document)
    assert [one.concept_ids for one in again.entities] == concepts


def test_biored_as_bioc_names_the_same(tmp_path: Path) -> None:
    path = tmp_path / "Train.BioC.JSON"
    path.write_text(json.dumps(BIORED_JSON))
    (document,), rejects = read(path, "bioc-json")
    assert rejects.count == 0
    expected = {
        ("Association", "ncbigene:1234", "mesh:D001234"),
        ("Positive_Correlation", "tmvar:c%7CSUB%7CC%7C12%7CT", "mesh:D001234"),
    }
    assert targets(document) == expected
    for name in ("again.bioc.xml", "again.bioc.json"):
        write_documents([document], tmp_path / name)
        (again,), _ = read(tmp_path / name, "bioc-xml" if "xml" in name else "bioc-json")
        assert targets(again) == expected


# The real corpora: the counts that their README and papers give


@pytest.mark.data
@pytest.mark.parametrize(("split", "count"), [("train", 4169), ("devel", 2427), ("test", 3469)])
def test_every_sentence_of_chemprot_has_one_relation(corpora: Path, split: str, count: int) -> None:
    rejects = Rejects()
    documents = read_split("ChemProt", split, CorpusPlaces(corpora, corpora), rejects=rejects)
    assert (len(documents), rejects.count) == (count, 0)
    labels = {relation.label for document in documents for relation in document.relations}
    assert labels <= set(load_corpus("ChemProt").relations)
    for document in documents:
        assert len(document.relations) == 1
        first, second = document.entities
        # What the format's description says of the marks.
        assert first.start <= second.start


@pytest.mark.data
def test_ddi_has_the_pairs_of_its_paper(corpora: Path) -> None:
    rejects = Rejects()
    path = corpora / load_corpus("DDI2013").splits["train"].path
    everything = list(read_documents(path, "ddi", rejects))
    splits = Counter(document.metadata["split"] for document in everything)
    assert splits == {"train": 714, "test": 191, "test-ner": 112}
    assert [reject.place for reject in rejects.kept] == [
        "DDI-DrugBank.d236.s29.p0",
        "DDI-DrugBank.d216.s16.e2",
    ]
    found = {
        split: (
            sum(map(_pairs, some)),
            Counter(relation.label for document in some for relation in document.relations),
        )
        for split in ("train", "test")
        for some in [[one for one in everything if one.metadata["split"] == split]]
    }
    # 27792 pairs: four of them are with the mention that was set aside.
    assert found["train"][0] == 27792 - 4
    assert found["train"][1] == {"effect": 1687, "mechanism": 1319, "advise": 826, "int": 188}
    assert found["test"][0] == 5716
    assert found["test"][1] == {"effect": 360, "mechanism": 302, "advise": 221, "int": 96}


def _pairs(document: Document) -> int:
    return sum(
        sum(1 for _ in combinations(inside, 2))
        for sentence in document.sentences
        for inside in [
            [one for one in document.entities if sentence.start <= one.start < sentence.end]
        ]
    )


@pytest.mark.data
def test_the_splits_of_ddi_are_apart(corpora: Path) -> None:
    names = {
        split: {one.id for one in read_split("DDI2013", split, CorpusPlaces(corpora, corpora))}
        for split in ("train", "devel", "test")
    }
    assert {split: len(some) for split, some in names.items()} == {
        "train": 647,
        "devel": 67,
        "test": 191,
    }
    assert not names["train"] & names["devel"]
    assert not names["test"] & (names["train"] | names["devel"])


@pytest.mark.data
@pytest.mark.parametrize(("split", "count"), [("train", 1038), ("devel", 1012), ("test", 1066)])
def test_bc5cdr_has_its_relations(corpora: Path, split: str, count: int) -> None:
    documents = read_split("BC5CDR-pubtator", split, CorpusPlaces(corpora, corpora))
    assert len(documents) == 500
    relations = [relation for document in documents for relation in document.relations]
    assert len(relations) == count
    assert {relation.label for relation in relations} == {"CID"}
    for document in documents:
        known = {concept for one in document.entities for concept in one.concept_ids}
        for relation in document.relations:
            assert {argument.target for argument in relation.arguments} <= known
