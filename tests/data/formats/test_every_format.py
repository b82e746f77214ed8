"""What every format on the shelf promises, and what each carries there and back."""

import bz2
import gzip
import lzma
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from biobert.core.document import Argument, Document, Entity, Passage, Relation, Span
from biobert.core.errors import BadInputError, BiobertError
from biobert.core.files import InMemoryFile
from biobert.data.formats import SHELF
from biobert.data.reading import endings_by_format, format_of, read_documents, write_documents
from biobert.data.rejects import Rejects

TITLE, ABSTRACT = "Lithium and the heart.", "Lithium caused cardiac arrest; skin and liver failed."
TEXT = f"{TITLE}\n{ABSTRACT}"
AT = TEXT.index
DOCUMENT = Document(
    "12345",
    TEXT,
    passages=(Passage(0, len(TITLE), "title"), Passage(len(TITLE) + 1, len(TEXT), "abstract")),
    entities=(
        Entity(0, 7, "Chemical", ("mesh:D008094",), id="T1"),
        Entity(AT("cardiac"), AT("cardiac") + 14, "Disease", ("mesh:D006323",), id="T2"),
    ),
    relations=(
        Relation(
            "CID",
            (
                Argument("Arg1", "mesh:D008094", "concept"),
                Argument("Arg2", "mesh:D006323", "concept"),
            ),
        ),
    ),
)
SPLIT = Entity(
    AT("skin"),
    AT("failed") + 6,
    "Finding",
    fragments=(Span(AT("skin"), AT("skin") + 4), Span(AT("failed"), AT("failed") + 6)),
    id="T3",
)
WRITTEN = [name for name in SHELF.names() if hasattr(SHELF.load(name), "write")]
BOTH = [name for name in WRITTEN if hasattr(SHELF.load(name), "read")]
PAIRS = {
    "squad": ("question", "context"),
    "bioasq": ("question", "context"),
    "sts": ("first", "second"),
}
"""Formats that hold pairs of texts and nothing else, with the kinds of the two passages."""
LOSSLESS = ["pubtator", "bioc-xml", "bioc-json", "brat", "jsonl"]


def plain(format: str) -> Document:
    """A document without annotations that the format can hold."""
    bare = replace(DOCUMENT, entities=(), relations=())
    kinds = PAIRS.get(format, ("title", "abstract"))
    passages = [replace(one, kind=kind) for one, kind in zip(bare.passages, kinds, strict=True)]
    return replace(bare, passages=tuple(passages))


def target(folder: Path, format: str) -> Path:
    """A path with the format's first ending; BRAT is a folder."""
    return folder / ("brat" if format == "brat" else f"file{endings_by_format()[format][0]}")


def through(document: Document, format: str, folder: Path, compression: str = "") -> Document:
    path = target(folder, format)
    path = path.with_name(path.name + compression)
    assert write_documents([document], path, format) == 1
    rejects = Rejects()
    (found,) = read_documents(path, format, rejects)
    assert rejects.count == 0, rejects.kept
    return found


def mentions(document: Document) -> list[tuple[object, ...]]:
    return sorted(
        (one.start, one.end, one.label, one.concept_ids, one.fragments) for one in document.entities
    )


def test_the_shelf_holds_the_formats_that_are_promised() -> None:
    promised = """text jsonl pubtator bioc-xml bioc-json brat conll conll-pos pubmed jats tsv html
    squad bioasq sts evidence-spans evidence-inference chemprot ddi hoc pubmedqa pubmed-rct
    pubmed-rct-abstracts abstract-roles conclusions mentions prodigy pdf"""
    assert set(promised.split()) == set(SHELF.names())


@pytest.mark.parametrize("name", SHELF.names())
def test_modules_name_endings_and_verbs(name: str) -> None:
    module = SHELF.load(name)
    assert all(ending.startswith(".") for ending in module.ENDINGS)
    assert hasattr(module, "read") or hasattr(module, "write")


@pytest.mark.parametrize("format", BOTH)
def test_the_ending_tells_the_format(format: str, tmp_path: Path) -> None:
    assert format_of(target(tmp_path, format)) == format
    if format != "brat":
        assert format_of(f"{target(tmp_path, format)}.gz") == format


@pytest.mark.parametrize(
    ("content", "format"),
    [
        ("<PubmedArticleSet/>", "pubmed"),
        ("<article/>", "jats"),
        ("<collection/>", "bioc-xml"),
        ('<document id="1"/>', "ddi"),
        ('<!-- <article> --><!DOCTYPE article [<!ENTITY a "b">]>\n<collection>', "bioc-xml"),
        ("<html/>", "pubmed"),
        ("", "pubmed"),
        ("<!--" + "a" * 100_000 + "--><article/>", "pubmed"),
    ],
)
def test_the_root_element_tells_the_format_of_other_xml(
    content: str, format: str, tmp_path: Path
) -> None:
    (tmp_path / "a.xml").write_text(content)
    assert format_of(tmp_path / "a.xml") == format
    (tmp_path / "a.xml.gz").write_bytes(gzip.compress(content.encode()))
    assert format_of(tmp_path / "a.xml.gz") == format
    declared = f'<?xml version="1.0" encoding="UTF-16"?>{content}'
    assert format_of(InMemoryFile("a.xml", declared.encode("utf-16"))) == format
    (tmp_path / "a.bioc.xml").write_text(content)
    assert format_of(tmp_path / "a.bioc.xml") == "bioc-xml"
    assert format_of(tmp_path / "none.xml") == "pubmed"


@pytest.mark.parametrize("format", BOTH)
def test_text_survives(format: str, tmp_path: Path) -> None:
    found = through(plain(format), format, tmp_path)
    assert found.text.split() == TEXT.split()
    if format not in ("conll", "conll-pos", "text"):
        assert found.text == TEXT
        assert found.id == DOCUMENT.id


@pytest.mark.parametrize("format", LOSSLESS)
def test_mentions_concepts_and_relations_survive(format: str, tmp_path: Path) -> None:
    found = through(DOCUMENT, format, tmp_path)
    assert mentions(found) == mentions(DOCUMENT)
    (relation,) = found.relations
    assert relation.label == "CID"
    assert [one.target for one in relation.arguments] == ["mesh:D008094", "mesh:D006323"]


@pytest.mark.parametrize("format", ["bioc-xml", "bioc-json", "brat", "jsonl"])
def test_discontinuous_mentions_and_relations_of_mentions_survive(
    format: str, tmp_path: Path
) -> None:
    arguments = (Argument("Cause", "T1"), Argument("Effect", "T3"))
    entities = (*DOCUMENT.entities, SPLIT)
    document = replace(DOCUMENT, entities=entities, relations=(Relation("causes", arguments),))
    found = through(document, format, tmp_path)
    assert mentions(found) == mentions(document)
    (relation,) = found.relations
    by_id = {one.id: one for one in found.entities}
    ends = [found.mention(by_id[one.target]) for one in relation.arguments]
    assert ends == ["Lithium", "skin failed"]
    assert [one.role for one in relation.arguments] == ["Cause", "Effect"]


@pytest.mark.parametrize("format", ["bioc-xml", "bioc-json", "jsonl"])
def test_scores_and_passages_survive(format: str, tmp_path: Path) -> None:
    scored = replace(DOCUMENT, entities=(Entity(0, 7, "Chemical", score=0.9375),), relations=())
    found = through(scored, format, tmp_path)
    assert found.entities[0].score == pytest.approx(0.9375)
    assert [(one.start, one.end, one.kind) for one in found.passages] == [
        (one.start, one.end, one.kind) for one in DOCUMENT.passages
    ]


@pytest.mark.parametrize("format", ["bioc-xml", "bioc-json", "jsonl"])
def test_labels_and_text_outside_of_passages_survive(format: str, tmp_path: Path) -> None:
    document = Document(
        "1",
        "Title. Aspirin helps.",
        passages=(Passage(0, 6, "title"),),
        entities=(Entity(7, 14, "Drug", id="T1"),),
        labels=("good", "new"),
        label_scores={"good": 0.75, "bad=worse": 0.25},
        metadata={"pmid": "7"},
    )
    found = through(document, format, tmp_path)
    assert found.text == document.text
    assert mentions(found) == mentions(document)
    assert (found.labels, found.label_scores) == (document.labels, document.label_scores)
    assert found.metadata == document.metadata


def test_json_lines_keep_what_has_no_name(tmp_path: Path) -> None:
    parts = (Passage(0, 0, ""), Passage(0, 7, ""))
    document = Document("1", "Aspirin", parts, (Entity(0, 7, ""),), (Relation("", ()),))
    found = through(document, "jsonl", tmp_path)
    assert replace(found, provenance=document.provenance) == document


def test_pubtator_keeps_an_abstract_that_begins_where_the_title_ends(tmp_path: Path) -> None:
    passages = (Passage(0, 6, "title"), Passage(6, 20, "abstract"))
    document = Document("1", "Title.Aspirin helps.", passages, (Entity(6, 13, "Drug"),))
    found = through(document, "pubtator", tmp_path)
    assert found.text.rstrip("\n") == document.text
    assert mentions(found) == mentions(document)


@pytest.mark.parametrize("format", ["bioc-xml", "bioc-json"])
def test_characters_that_xml_cannot_hold_stop_no_run(format: str, tmp_path: Path) -> None:
    text = "page\x0cAspirin\x00 \ufffe\U0001f600"
    document = Document("1", text, entities=(Entity(5, 12, "Drug"),), metadata={"note": "a\x0cb"})
    found = through(document, format, tmp_path)
    assert mentions(found) == mentions(document)
    assert len(found.text) == len(text)
    assert found.text.endswith("\U0001f600")


@pytest.mark.parametrize("format", [one for one in BOTH if one != "brat"])
@pytest.mark.parametrize(
    ("compression", "opener"), [(".gz", gzip.open), (".bz2", bz2.open), (".xz", lzma.open)]
)
def test_compression_is_transparent(
    format: str, compression: str, opener: object, tmp_path: Path
) -> None:
    found = through(plain(format), format, tmp_path, compression)
    assert found.text.split() == TEXT.split()
    path = target(tmp_path, format)
    with opener(path.with_name(path.name + compression), "rt") as stream:  # type: ignore[operator]
        assert "Lithium" in stream.read()


@pytest.mark.parametrize("format", [one for one in WRITTEN if one not in ("brat", "html")])
def test_writing_streams_and_a_failure_leaves_no_half_file(format: str, tmp_path: Path) -> None:
    def failing() -> Iterator[Document]:
        yield plain(format)
        raise BiobertError("the source broke")

    path = target(tmp_path, format)
    path.write_text("what was there before")
    with pytest.raises(BiobertError, match="the source broke"):
        write_documents(failing(), path, format)
    assert path.read_text() == "what was there before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("format", [one for one in BOTH if one not in ("brat", "text")])
def test_an_empty_list_of_documents_survives(format: str, tmp_path: Path) -> None:
    path = target(tmp_path, format)
    write_documents([], path, format)
    assert list(read_documents(path, format)) == []


def test_wrong_formats_name_the_right_ones(tmp_path: Path) -> None:
    with pytest.raises(BiobertError, match="pubtator"):
        read_documents(tmp_path / "a", "pubtater")
    with pytest.raises(BadInputError, match="cannot be written"):
        write_documents([], tmp_path / "a", "jats")
    with pytest.raises(BadInputError, match=r"\.pubtator"):
        format_of("a.docx")
    with pytest.raises(BadInputError, match="no such file"):
        list(read_documents(tmp_path / "missing.txt"))


words = st.text(alphabet="abcXY019-αβé'.,()%<>&\"|", min_size=1, max_size=9)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Title and abstract with mentions that begin and end at words."""
    title, abstract = (" ".join(draw(st.lists(words, min_size=1, max_size=8))) for _ in range(2))
    text = f"{title}\n{abstract}"
    border = len(title)
    entities = []
    for number in range(draw(st.integers(0, 4))):
        low, high = (0, border) if draw(st.booleans()) else (border + 1, len(text))
        start = draw(st.integers(low, high - 1))
        end = draw(st.integers(start + 1, high))
        piece = text[start:end]
        if piece == piece.strip():
            concepts = draw(st.sampled_from([(), ("mesh:D001241",), ("omim:1", "mesh:C000002")]))
            entities.append(Entity(start, end, "Disease", concepts, id=f"T{number + 1}"))
    passages = (Passage(0, border, "title"), Passage(border + 1, len(text), "abstract"))
    return Document("7", text, passages=passages).with_entities(entities)


@pytest.mark.parametrize("format", LOSSLESS)
@given(document=documents())
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_and_mentions_survive(format: str, document: Document, tmp_path: Path) -> None:
    found = through(document, format, tmp_path)
    assert found.text == document.text
    assert mentions(found) == mentions(document)


@given(document=documents())
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_conll_tags_what_does_not_overlap(document: Document, tmp_path: Path) -> None:
    found = through(document, "conll", tmp_path)
    assert found.text.split() == document.text.split() or found.text.replace(" ", "").replace(
        "\n", ""
    ) == document.text.replace(" ", "").replace("\n", "")


def test_conll_cuts_words_where_mentions_begin_and_end(tmp_path: Path) -> None:
    title, text = (
        "Lidocaine-induced.",
        "Sch (naloxone) and clonidine. Skin failed after breast cancer.",
    )
    whole = f"{title}{text} Outside."
    at = whole.index
    named = ("Lidocaine", "naloxone", "clonidine", "breast cancer", "Outside")
    entities = [Entity(at(one), at(one) + len(one), "Drug") for one in named]
    inner = Entity(at("cancer"), at("cancer") + 6, "Disease")
    passages = (
        Passage(0, len(title), "title"),
        Passage(len(title), len(title) + len(text), "abstract"),
    )
    document = Document("1", whole, passages=passages).with_entities([*entities, inner])
    found = through(document, "conll", tmp_path)
    assert [found.mention(one) for one in found.entities] == list(named)
    assert [found.text[one.start : one.end] for one in found.sentences] == [
        "Lidocaine -induced.",
        "Sch ( naloxone ) and clonidine .",
        "Skin failed after breast cancer .",
        "Outside .",
    ]


@pytest.mark.parametrize("format", ["conll", "conll-pos"])
def test_a_mention_that_goes_over_sentences_is_written_once(format: str, tmp_path: Path) -> None:
    text = "It was vitamin. B6 is one. So it is. And it is."
    found = through(Document("1", text, entities=(Entity(7, 18, "Drug"),)), format, tmp_path)
    assert [found.mention(one).split() for one in found.entities] == [["vitamin.", "B6"]]
    assert [found.text[one.start : one.end] for one in found.sentences] == [
        "It was vitamin. B6 is one.",
        "So it is.",
        "And it is.",
    ]


TAGS = ["NN", "''", "``", "-LRB-", ",", ".", ":", "(", "PRP$", "O", "B", "B-NP", "NN|JJ"]


@st.composite
def tagged_documents(draw: st.DrawFn) -> Document:
    """Sentences of words that stand apart, each with a tag or without."""
    text, entities, sentences = "", [], []
    for _ in range(draw(st.integers(1, 4))):
        start = len(text)
        for word in draw(st.lists(words, min_size=1, max_size=8)):
            if tag := draw(st.sampled_from([*TAGS, ""])):
                entities.append(Entity(len(text), len(text) + len(word), tag))
            text += f"{word} "
        sentences.append(Span(start, len(text) - 1))
        text = f"{text[:-1]}\n"
    return Document("file-1", text[:-1], entities=tuple(entities), sentences=tuple(sentences))


@given(document=tagged_documents())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_conll_pos_keeps_every_word_and_tag(document: Document, tmp_path: Path) -> None:
    found = through(document, "conll-pos", tmp_path)
    assert found.text == document.text
    assert found.sentences == document.sentences
    assert found.entities == document.entities


def test_conll_pos_writes_each_entity_as_a_word(tmp_path: Path) -> None:
    text = "Both (IL-2), maybe."
    spans = {"(": "(", "IL-2": "NN", ")": ")", ",": ",", "maybe": "RB"}
    entities = [
        Entity(text.index(word), text.index(word) + len(word), spans[word]) for word in spans
    ]
    document = Document("1", text).with_entities([*entities, Entity(6, 8, "INNER")])
    write_documents([document], tmp_path / "a.pos")
    rows = (tmp_path / "a.pos").read_text().split("\n")
    assert rows[2:-2] == ["Both\t_", "(\t(", "IL-2\tNN", ")\t)", ",\t,", "maybe\tRB", ".\t_"]
