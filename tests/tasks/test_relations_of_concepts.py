"""Relations between concepts: all their mentions in a document are one argument."""

from dataclasses import replace

import pytest

from biobert.core.document import Argument, Document, Relation
from biobert.core.errors import BadInputError
from biobert.tasks.relations import HEAD, RelationExtraction
from tests.tasks.relation_cases import TOKENIZER, answered, entity, marked_text, task

ABSTRACT = "Lithium and asthma. It was safe. Cancer came with lithium; X-rays did not."
INDUCES = Relation(
    "CID", (Argument("Arg1", "mesh:D1", "concept"), Argument("Arg2", "mesh:D4", "concept"))
)
LINKED = Document(
    "7",
    ABSTRACT,
    entities=(
        entity(ABSTRACT, "Lithium", "Chemical", 1, concept_ids=("mesh:D1",)),
        entity(ABSTRACT, "asthma", "Disease", 2, concept_ids=("mesh:D3",)),
        entity(ABSTRACT, "Cancer", "Disease", 3, concept_ids=("mesh:D4", "mesh:D5")),
        entity(ABSTRACT, "lithium", "Chemical", 4, concept_ids=("mesh:D1",)),
        entity(ABSTRACT, "X-rays", "Chemical", 5),
    ),
    relations=(INDUCES,),
)


def cid(**settings: object) -> RelationExtraction:
    pairs = [["Chemical", "Disease"]]
    return task(labels=["CID"], pairs=pairs, scope="document", **settings)


def test_concepts_are_paired_across_sentences_with_all_their_mentions() -> None:
    one = cid()
    examples = one.examples(LINKED)
    found = [tuple(mentions[0].concept_ids for mentions in one.arguments) for one in examples]
    lithium = ("mesh:D1",)
    assert found == [
        (lithium, ("mesh:D3",)),
        (lithium, ("mesh:D4",)),
        (lithium, ("mesh:D5",)),
    ]
    assert [len(mentions) for mentions in examples[1].arguments] == [2, 1]
    assert marked_text(LINKED, one)[1] == (
        " << Lithium >>  and asthma. It was safe.  [[ Cancer ]]  came with  << lithium >> ; "
        "X-rays did not."
    )
    windows = one.encode(examples, TOKENIZER)
    targets = [one.targets(*pair)[0][HEAD].tolist() for pair in zip(examples, windows, strict=True)]
    assert targets == [[0], [1], [0]]


def test_the_context_may_be_the_sentences_that_mention_either() -> None:
    assert marked_text(LINKED, cid(context="mentions"))[:2] == [
        " << Lithium >>  and  [[ asthma ]] . Cancer came with  << lithium >> ; X-rays did not.",
        " << Lithium >>  and asthma.  [[ Cancer ]]  came with  << lithium >> ; X-rays did not.",
    ]


def test_the_evidence_is_where_both_stand_or_the_nearest() -> None:
    found = answered(cid(), LINKED, ["CID", "CID", "none"])
    quotes = [
        [ABSTRACT[span.start : span.end] for span in relation.evidence]
        for relation in found.relations
    ]
    assert quotes == [["Lithium and asthma."], ["Cancer came with lithium; X-rays did not."]]
    assert found.relations[1].arguments == (
        Argument("Chemical", "mesh:D1", "concept"),
        Argument("Disease", "mesh:D4", "concept"),
    )
    apart = replace(LINKED, entities=(LINKED.entities[1], LINKED.entities[3]), relations=())
    (relation,) = answered(cid(), apart, ["CID"]).relations
    assert [ABSTRACT[one.start : one.end].split()[0] for one in relation.evidence] == [
        "Lithium",
        "Cancer",
    ]


def test_relations_of_mentions_count_for_their_concepts() -> None:
    ends = (Argument("Arg1", "T4"), Argument("Arg2", "T3"))
    gold = replace(LINKED, relations=(Relation("CID", ends),))
    found = answered(cid(), LINKED, ["none", "CID", "CID"])
    assert cid().score([gold], [found]).main == 1.0


def test_without_any_concepts_mentions_of_one_text_are_one_thing() -> None:
    bare = tuple(replace(one, concept_ids=()) for one in LINKED.entities)
    ends = (Argument("Arg1", "T4"), Argument("Arg2", "T3"))
    document = replace(LINKED, entities=bare, relations=(Relation("CID", ends),))
    one = cid()
    examples = one.examples(document)
    assert [len(example.arguments[0]) for example in examples] == [2, 2, 1, 1]
    found = answered(one, document, ["none", "CID", "none", "none"])
    assert found.relations[0].arguments == (Argument("Chemical", "T1"), Argument("Disease", "T3"))
    assert one.score([document], [found]).main == 1.0


def test_relations_of_concepts_need_a_whole_document() -> None:
    concepts = replace(LINKED, relations=(replace(INDUCES, label="INHIBITOR"),))
    with pytest.raises(BadInputError, match=r"scope = 'document'"):
        task().score([concepts], [concepts])
