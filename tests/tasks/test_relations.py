"""Relations between mentions: candidates, rows, targets, decoding."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biobert.core.document import Argument, Document, Entity, Relation, Span
from biobert.core.errors import BadInputError
from biobert.core.task import Pieces, Window
from biobert.tasks import _marked_windows, _pair_texts, relations
from biobert.tasks._candidates import PairType
from biobert.tasks._marking import MarkedText, mark
from biobert.tasks.relations import HEAD
from biobert.text.tokenizer import Tokenizer
from tests.tasks.relation_cases import TOKENIZER, answered, entity, marked_text, task

BRACKET = "[UNK]"
"""The tiny vocabulary has no `[`."""
NARROW = {"maximum_tokens": 24, "overlap_tokens": 4}


def signs_at_marks(window: Window) -> list[str | None]:
    return [TOKENIZER.backend.id_to_token(int(window.token_ids[place])) for place in window.marks]


TEXT = "Aspirin inhibits COX-2. Lithium activates GSK-3 and COX-2."
DRUGS = Document(
    "1",
    TEXT,
    entities=(
        entity(TEXT, "Aspirin", "Chemical", 1),
        entity(TEXT, "COX-2", "Gene", 2),
        entity(TEXT, "Lithium", "Chemical", 3),
        entity(TEXT, "GSK-3", "Gene", 4),
        Entity(TEXT.rindex("COX-2"), len(TEXT) - 1, "Gene", id="T5"),
    ),
    relations=(
        Relation("INHIBITOR", (Argument("Arg1", "T1"), Argument("Arg2", "T2"))),
        Relation("ACTIVATOR", (Argument("Arg1", "T4"), Argument("Arg2", "T3"))),
    ),
)


def test_pairs_are_those_of_a_sentence_in_role_order() -> None:
    text = "COX-2 binds aspirin. Lithium too."
    entities = (
        entity(text, "COX-2", "Gene", 1),
        entity(text, "aspirin", "Chemical", 2),
        entity(text, "Lithium", "Chemical", 3),
    )
    (example,) = task().examples(Document("1", text, entities=entities))
    assert [one[0].id for one in example.arguments] == ["T2", "T1"]
    assert text[example.start : example.end] == "COX-2 binds aspirin."


def test_a_pair_of_one_type_is_unordered() -> None:
    entities = [Entity(place, place + 1, "Drug", id=str(place)) for place in (4, 0, 2)]
    one = task(pairs=[["Drug", "Drug"]])
    found = one.examples(Document("1", "a b c", entities=tuple(entities)))
    pairs = [tuple(mentions[0].id for mentions in example.arguments) for example in found]
    assert pairs == [("0", "2"), ("0", "4"), ("2", "4")]


def test_several_labels_may_stand_behind_a_type() -> None:
    entities = (Entity(0, 1, "brand"), Entity(2, 3, "group"), Entity(4, 5, "Gene"))
    one = task(pairs=[["Drug", "Drug"]], types={"Drug": ["brand", "group"]})
    (example,) = one.examples(Document("1", "a b c", entities=entities))
    assert [mentions[0].label for mentions in example.arguments] == ["brand", "group"]


@given(st.lists(st.sampled_from("ABCX"), max_size=9))
def test_pairs_come_in_text_order_whatever_their_types(labels: list[str]) -> None:
    entities = [Entity(2 * n, 2 * n + 1, one, id=str(n)) for n, one in enumerate(labels)]
    one = task(pairs=[["A", "B"], ["C", "A"], ["B", "B"]])
    found = one.examples(Document("1", "a " * 10, entities=tuple(entities)))
    assert [frozenset(mentions[0] for mentions in each.arguments) for each in found] == [
        frozenset(pair)
        for pair in combinations(entities, 2)
        if "".join(sorted(one.label for one in pair)) in ("AB", "AC", "BB")
    ]
    orders = {tuple(mentions[0].label for mentions in each.arguments) for each in found}
    assert orders <= {("A", "B"), ("C", "A"), ("B", "B")}


def test_mentions_of_types_that_do_not_go_together_are_not_paired(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Their pairs grow with the square, and a request may bring a hundred thousand of them."""
    asked: list[Entity] = []
    monkeypatch.setattr(PairType, "fits", lambda self, *ends: bool(asked.extend(ends)))
    entities = [Entity(place, place + 1, "Chemical") for place in range(100)]
    assert task().examples(Document("1", "a" * 100, entities=tuple(entities))) == []
    assert asked == []


def test_markers_stand_round_the_mentions() -> None:
    assert marked_text(DRUGS, task()) == [
        " << Aspirin >>  inhibits  [[ COX-2 ]] .",
        " << Lithium >>  activates  [[ GSK-3 ]]  and COX-2.",
        " << Lithium >>  activates GSK-3 and  [[ COX-2 ]] .",
    ]


def test_names_may_be_blinded() -> None:
    assert marked_text(DRUGS, task(blinding="others"))[1:] == [
        " << Lithium >>  activates  [[ GSK-3 ]]  and gene.",
        " << Lithium >>  activates gene and  [[ COX-2 ]] .",
    ]
    assert marked_text(DRUGS, task(blinding="all"))[2] == (
        " << chemical >>  activates gene and  [[ gene ]] ."
    )
    assert marked_text(DRUGS, task(blinding="others", marking="anonymous"))[2] == (
        "@CHEMICAL$ activates gene and @GENE$."
    )


def test_blinded_mentions_may_nest_and_overlap() -> None:
    text = "x beta-blocker therapy y"
    places = [(0, 1, "Chemical"), (2, 14, "Chemical"), (7, 22, "Gene"), (23, 24, "Gene")]
    entities = [Entity(a, b, label, id=str(n)) for n, (a, b, label) in enumerate(places)]
    document = Document("1", text, entities=tuple(entities))
    shown = marked_text(document, task(blinding="others"))
    assert shown[0] == " << x >>  beta- [[ blocker therapy ]]  gene"
    assert shown[1] == " << x >>  chemical therapy  [[ y ]] "
    assert marked_text(document, task(blinding="all"))[2] == (
        "chemical  << beta- [[ blocker >>  therapy ]]  gene"
    )


def test_the_first_mark_may_be_the_first_in_the_text() -> None:
    text = "COX-2 binds aspirin"
    entities = (entity(text, "COX-2", "Gene", 1), entity(text, "aspirin", "Chemical", 2))
    document = Document("1", text, entities=entities)
    assert marked_text(document, task()) == [" [[ COX-2 ]]  binds  << aspirin >> "]
    assert marked_text(document, task(order="text")) == [" << COX-2 >>  binds  [[ aspirin ]] "]


def test_anonymous_mentions_are_their_types() -> None:
    assert marked_text(DRUGS, task(marking="anonymous"))[:2] == [
        "@CHEMICAL$ inhibits @GENE$.",
        "@CHEMICAL$ activates @GENE$ and COX-2.",
    ]


def test_rows_read_the_start_markers() -> None:
    examples = task().examples(DRUGS)
    for (window,) in task().encode(examples, TOKENIZER):
        assert signs_at_marks(window) == ["<", BRACKET]
        assert (window.offsets[window.marks] == -1).all()


def test_a_long_sentence_is_read_around_the_mentions() -> None:
    between = " and" * 60
    text = f"the{between} lithium{between} aspirin{between}."
    entities = (entity(text, "lithium", "Chemical", 1), entity(text, "aspirin", "Gene", 2))
    document = Document("1", text, entities=entities, sentences=(Span(0, len(text)),))
    one = task(windows=NARROW)
    ((window,),) = one.encode(one.examples(document), TOKENIZER)
    assert len(window) <= NARROW["maximum_tokens"]
    read = {text[start:end] for start, end in window.offsets.tolist() if start >= 0}
    assert read == {"and", "lithium", "aspirin"}
    assert signs_at_marks(window) == ["<", BRACKET]


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))
def test_rows_of_any_length_hold_both_ends(before: int, between: int, after: int) -> None:
    text = f"{'and ' * before}lithium {'and ' * between}aspirin{' and' * after}"
    entities = (entity(text, "aspirin", "Chemical", 1), entity(text, "lithium", "Gene", 2))
    document = Document("1", text, entities=entities, sentences=(Span(0, len(text)),))
    one = task(windows=NARROW)
    ((window,),) = one.encode(one.examples(document), TOKENIZER)
    assert len(window) <= NARROW["maximum_tokens"]
    read = [text[start:end] for start, end in window.offsets.tolist() if start >= 0]
    assert {"lithium", "aspirin"} <= set(read)
    starts = window.offsets[window.offsets[:, 0] >= 0, 0]
    assert (np.diff(starts) > 0).all()


def test_gold_and_no_relation_are_the_targets() -> None:
    one = task()
    examples = one.examples(DRUGS)
    windows = one.encode(examples, TOKENIZER)
    found = [one.targets(*pair)[0][HEAD].tolist() for pair in zip(examples, windows, strict=True)]
    assert found == [[1], [2], [0]]


def test_an_epoch_learns_from_a_share_of_the_pairs_without_a_relation() -> None:
    entities = [Entity(2 * place, 2 * place + 1, "Drug", id=f"T{place}") for place in range(40)]
    related = Relation("INHIBITOR", (Argument("Arg1", "T0"), Argument("Arg2", "T1")))
    document = Document("1", "a " * 40, entities=tuple(entities), relations=(related,))
    one = task(pairs=[["Drug", "Drug"]], negatives=0.25)
    examples = one.examples(document)
    assert [one.learnt_share(example) for example in examples] == [1.0] + 779 * [0.25]
    # All of them are weighed when the model answers.
    assert len(answered(one, document, ["ACTIVATOR"] * 780).relations) == 780


def test_a_pair_that_the_corpus_calls_unrelated_is_one_of_many() -> None:
    entities = [Entity(2 * place, 2 * place + 1, "Drug", id=f"T{place}") for place in range(3)]
    apart = Relation("none", (Argument("Arg1", "T0"), Argument("Arg2", "T1")))
    document = Document("1", "a " * 3, entities=tuple(entities), relations=(apart,))
    one = task(pairs=[["Drug", "Drug"]], negatives=0.25)
    assert [one.learnt_share(example) for example in one.examples(document)] == 3 * [0.25]


def test_probabilities_are_corrected_for_what_training_left_out() -> None:
    document = replace(DRUGS, entities=DRUGS.entities[:2], relations=())
    found = {}
    for share in (1.0, 0.25):
        one = task(negatives=share)
        windows = one.encode(one.examples(document), TOKENIZER)
        logits = np.log(np.array([0.4, 0.5, 0.1], dtype=np.float32))
        found[share] = one.decode(document, windows, [[{HEAD: logits}]]).relations
    assert found[1.0][0].score == pytest.approx(0.5, abs=1e-5)
    # There are four times as many pairs without a relation: 1.6 against 0.5 and 0.1.
    assert found[0.25] == ()


def test_a_threshold_chosen_on_devel_decides_what_is_related() -> None:
    one = task()
    windows = one.encode(one.examples(DRUGS), TOKENIZER)
    # Of the three pairs the first and the second are related, each less likely than not.
    likely = ([0.55, 0.4, 0.05], [0.6, 0.0, 0.4], [0.9, 0.1, 0.0])
    outputs = [[{HEAD: np.log(np.array(row, dtype=np.float32) + 1e-9)}] for row in likely]
    assert one.decode(DRUGS, windows, outputs).relations == ()
    weighing = one.weighing()
    everything = weighing.decode(DRUGS, windows, outputs)
    labels = ["INHIBITOR", "ACTIVATOR", "INHIBITOR"]
    assert [found.label for found in everything.relations] == labels
    tuned = one.tuned([DRUGS], [everything])
    assert tuned.settings()["threshold"] == pytest.approx(0.25, abs=1e-4)
    found = tuned.decode(DRUGS, windows, outputs)
    assert one.score([DRUGS], [found]).main == 1.0
    assert task(negative=None).tuned([], []).settings().get("threshold") is None


def crowd(genes: int) -> Document:
    """A drug and so many genes, in one sentence."""
    names = [f"g{number}" for number in range(genes)]
    text = f"Aspirin {' '.join(names)}"
    starts = [text.index(f" {name}") + 1 for name in names]
    found = [
        Entity(start, start + len(name), "Gene", id=name)
        for start, name in zip(starts, names, strict=True)
    ]
    return Document("crowd", text, entities=(Entity(0, 7, "Chemical", id="T1"), *found))


def test_gold_pairs_without_a_relation_are_not_missed_by_a_threshold() -> None:
    document = crowd(5)
    labels = ["INHIBITOR", "none", "none", "none", "INHIBITOR"]
    pairs = [(Argument("Chemical", "T1"), Argument("Gene", f"g{n}")) for n in range(5)]
    gold = [Relation(label, pair) for label, pair in zip(labels, pairs, strict=True)]
    answers = [Relation("INHIBITOR", pair, 0.9 - 0.1 * n) for n, pair in enumerate(pairs)]
    tuned = task().tuned(
        [replace(document, relations=tuple(gold))], [replace(document, relations=tuple(answers))]
    )
    # The surest alone: F1 is 2 / 3; all five: 4 / 7.
    assert tuned.settings()["threshold"] > 0.8


@pytest.mark.parametrize("scope", ["sentence", "document"])
def test_a_document_with_too_many_pairs_is_refused(
    scope: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relations, "MOST_PAIRS", 5)
    assert len(task(scope=scope).examples(crowd(5))) == 5
    with pytest.raises(BadInputError, match="'crowd': more than 5 pairs"):
        task(scope=scope).examples(crowd(6))


def test_few_marked_texts_are_in_memory_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    marked: list[str] = []

    def remembered(text: str, *others: Any) -> MarkedText:
        marked.append(text)
        return mark(text, *others)

    class Watched(Tokenizer):
        def pieces(self, texts: Sequence[str]) -> list[Pieces]:
            assert len(marked) <= len(texts) + 1
            marked.clear()
            return super().pieces(texts)

    monkeypatch.setattr(_pair_texts, "mark", remembered)
    monkeypatch.setattr(_marked_windows, "CHARACTERS_AT_ONCE", 500)
    one = task()
    assert len(one.encode(one.examples(crowd(40)), Watched(TOKENIZER.backend))) == 40


def test_answers_carry_roles_score_and_evidence() -> None:
    found = answered(task(roles=["drug", "target"]), DRUGS, ["INHIBITOR", "none", "ACTIVATOR"])
    first, second = found.relations
    assert first.arguments == (Argument("drug", "T1"), Argument("target", "T2"))
    assert second.label == "ACTIVATOR"
    assert first.score == pytest.approx(1.0)
    (span,) = second.evidence
    assert TEXT[span.start : span.end] == "Lithium activates GSK-3 and COX-2."


def test_scores_count_arguments_and_what_no_pair_covers() -> None:
    one = task()
    across = Relation("INHIBITOR", (Argument("Arg1", "T1"), Argument("Arg2", "T4")))
    gold = replace(DRUGS, relations=(*DRUGS.relations, across))
    scores = one.score([gold], [answered(one, DRUGS, ["INHIBITOR", "none", "none"])])
    assert (scores.micro.precision, scores.micro.support) == (1.0, 3)
    assert scores.micro.recall == pytest.approx(1 / 3)
    assert scores.details["uncovered"] == 1
    assert scores.by_label["ACTIVATOR"].recall == 0.0


def test_where_every_pair_is_related_micro_f1_is_accuracy() -> None:
    one = task(negative=None)
    every = Relation("INHIBITOR", (Argument("Arg1", "T3"), Argument("Arg2", "T5")))
    gold = replace(DRUGS, relations=(*DRUGS.relations, every))
    found = answered(one, DRUGS, ["INHIBITOR", "INHIBITOR", "INHIBITOR"])
    assert one.score([gold], [found]).main == pytest.approx(2 / 3)
    with pytest.raises(BadInputError, match=r"no relation between 'Lithium' and 'COX-2'.*negative"):
        examples = one.examples(DRUGS)
        one.targets(examples[2], one.encode(examples, TOKENIZER)[2])


def test_entities_get_identifiers_where_they_have_none() -> None:
    text = "aspirin inhibits COX-2 and COX-2"
    entities = (
        Entity(0, 7, "Chemical"),
        Entity(17, 22, "Gene", id="T1"),
        Entity(27, 32, "Gene", id="T1"),
    )
    found = answered(task(), Document("1", text, entities=entities), ["INHIBITOR", "ACTIVATOR"])
    assert [one.id for one in found.entities] == ["T2", "T1", "T3"]
    assert [one.arguments[1].target for one in found.relations] == ["T1", "T3"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"labels": ["x", "x"]}, "name each label once"),
        ({"negative": "ACTIVATOR"}, "name each label once"),
        ({"pairs": [["Gene"]]}, "a list of pairs"),
        ({"roles": ["one"]}, "two names"),
        ({"types": {"Drug": ["drug"]}}, "'Drug' stands in none of the pairs"),
        ({"types": {"Gene": "protein"}}, "types.Gene='protein' is a string, not a list"),
        ({"types": {"Gene": []}}, "types.Gene = .*: name the labels behind it"),
        ({"negatives": 0.0}, "more than 0"),
        ({"negatives": 0.3, "negative": None}, r"negatives = 0\.3 is read beside negative"),
        ({"context": "mentions"}, "'sentence', context = 'mentions' is read beside scope = 'doc"),
        ({"marking": "colours"}, "anonymous"),
    ],
)
def test_wrong_settings_say_what_is_right(settings: dict[str, object], message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        task(**settings)


def test_windows_without_room_for_both_marks_are_refused() -> None:
    for length in (3, 4, 5):
        one = task(windows={"maximum_tokens": length, "overlap_tokens": 0})
        examples = one.examples(DRUGS)
        if length == 3:
            with pytest.raises(BadInputError, match="a marked pair needs 4"):
                one.encode(examples, TOKENIZER)
            continue
        ((first,), *_) = one.encode(examples, TOKENIZER)
        # Neither stands at the border of the row.
        assert set(first.marks.tolist()) <= set(range(1, len(first) - 1))


def test_what_gold_may_not_hold_is_named() -> None:
    unknown = replace(DRUGS, relations=(replace(DRUGS.relations[0], label="COFACTOR"),))
    with pytest.raises(BadInputError, match=r"'COFACTOR' is none of .* \(INHIBITOR.*--rename 'COF"):
        task().score([unknown], [DRUGS])


def test_texts_without_pairs_have_no_examples() -> None:
    blanks = (Entity(0, 1, "Chemical"), Entity(1, 2, "Gene"))
    documents = [Document("1", ""), Document("1", "Aspirin."), Document("1", "  ", entities=blanks)]
    for document in (*documents, DRUGS.with_entities(())):
        assert task().examples(document) == task(scope="document").examples(document) == []
        assert task().decode(document, [], []).relations == ()
