"""Test data that training has seen: counted, and left out of a second score."""

from dataclasses import replace

import numpy as np
import pytest

from biobert.core.document import Argument, Document, Entity, Passage, Relation
from biobert.core.task import Score, Scores
from biobert.evaluation.overlap import Shared, Training, Unit, shared_in_part, without_shared
from biobert.evaluation.report import Predictions, Setting
from biobert.evaluation.significance import bootstrap_documents
from biobert.evaluation.spans import score_entities

TRAINING = Training([Document("t", "Lithium caused pain. Rest helped.")], ("c train",))
TEST = Document(
    "a",
    "Rest  helped. Aspirin caused gout.",
    entities=(Entity(0, 4, "Chemical"), Entity(14, 21, "Chemical")),
    annotated_labels=("Chemical",),
)
FOUND = TEST.with_entities([Entity(14, 21, "Chemical")])


def by_entities(gold: list[Document], predicted: list[Document]) -> Scores:
    return score_entities(gold, predicted, ["Chemical"])


def by_labels(gold: list[Document], predicted: list[Document]) -> Scores:
    right = np.mean([one.labels == two.labels for one, two in zip(gold, predicted, strict=True)])
    score = Score(float(right), float(right), float(right), len(gold))
    return Scores(float(right), score, {})


def labelled(text: str, label: str) -> Document:
    return Document(text, text, labels=(label,))


def shared(unit: Unit, count: int, total: int, main: float | None) -> Shared:
    return Shared(count, total, unit, main, ("c train",), distinct=count)


def test_entities_of_shared_sentences_are_left_out() -> None:
    found = without_shared([TEST], [FOUND], TRAINING, measure=by_entities, unit="sentences")
    assert found == shared("sentences", 1, 2, 1.0)
    nothing = Training([], ("c train",))
    found = without_shared([TEST], [FOUND], nothing, measure=by_entities, unit="sentences")
    assert found == shared("sentences", 0, 2, None)


def test_nothing_is_scored_where_all_is_shared_or_the_rest_is_empty() -> None:
    for text, count in ((TEST.text, 2), ("Aspirin caused gout.", 1)):
        training = Training([Document("t", text)], ("c train",))
        gold = [TEST.with_entities(TEST.entities[1:])]
        found = without_shared(gold, gold, training, measure=by_entities, unit="sentences")
        assert found == shared("sentences", count, 2, None)


@pytest.mark.parametrize("names", [("a", "b", "c", "d"), (None,) * 4])
def test_relations_of_shared_sentences_are_left_out(names: tuple[str | None, ...]) -> None:
    text = "Rest helped. Aspirin caused gout."
    entities = tuple(
        Entity(text.index(word), text.index(word) + len(word), "Thing", id=name)
        for word, name in zip(("Rest", "helped", "Aspirin", "gout"), names, strict=True)
    )
    # A mention without a name has that of its place.
    ends = [name or f"T{number}" for number, name in enumerate(names, start=1)]
    first, second = (
        Relation("CAUSES", (Argument("one", one), Argument("other", other)))
        for one, other in (ends[:2], ends[2:])
    )
    gold = Document("1", text, entities=entities, relations=(first, second))
    predicted = Document("1", text, entities=entities, relations=(second,))

    def by_relations(wanted: list[Document], given: list[Document]) -> Scores:
        (one,), (other,) = wanted, given
        words = {one.argument_text(end) for each in one.relations for end in each.arguments}
        assert words == {"Aspirin", "gout"}
        return Scores(float(one.relations == other.relations), Score(1.0, 1.0, 1.0, 1), {})

    found = without_shared([gold], [predicted], TRAINING, measure=by_relations, unit="sentences")
    assert found == shared("sentences", 1, 2, 1.0)


def test_shared_documents_are_left_out() -> None:
    gold = [labelled("Lithium  caused pain. REST helped.", "no"), labelled("New.", "yes")]
    predicted = [labelled(gold[0].text, "yes"), labelled("New.", "yes")]
    found = without_shared(gold, predicted, TRAINING, measure=by_labels, unit="documents")
    assert found == Shared(1, 2, "documents", 1.0, ("c train",), (), 1, 1.0, distinct=1)


def pair(question: str, context: str, label: str) -> Document:
    text = f"{question}\n{context}"
    border = len(question)
    passages = (Passage(0, border, "question"), Passage(border + 1, len(text), "context"))
    return Document(text, text, passages=passages, labels=(label,))


def test_documents_that_share_a_passage_are_left_out_of_a_third_score() -> None:
    context = "Lithium caused pain in all of them. Rest helped."
    training = Training([pair("Is it safe?", context, "no")], ("c train",))
    gold = [
        pair("Is it safe?", context, "no"),
        pair("Does it hurt?", context.upper(), "yes"),
        # A question of few words and one sentence of a context are no whole passage.
        pair("Is it safe?", "Lithium caused pain in all of them. It was late.", "no"),
    ]
    predicted = [replace(one, labels=("yes",)) for one in gold]
    found = without_shared(gold, predicted, training, measure=by_labels, unit="documents")
    assert (found.count, found.main) == (1, 0.5)
    assert (found.in_part, found.main_without_parts) == (2, 0.0)


def test_without_passages_a_sentence_is_a_part() -> None:
    training = [Document("t", "Lithium caused pain in all. Methods.")]
    texts = ("New. Lithium caused pain in all.", "Methods. New.", "Lithium caused pain.")
    plain = [Document(one, one) for one in texts]
    of_one_passage = [
        replace(one, passages=(Passage(0, len(one.text), "abstract"),)) for one in plain
    ]
    for documents in (plain, of_one_passage):
        assert shared_in_part(documents, training) == [True, False, False]


def test_the_report_holds_both_scores() -> None:
    setting = Setting("m 1", "ner", "c", "test", ("Chemical",), 1.0, TRAINING)
    values = Predictions([TEST], [FOUND], setting, by_entities).entity_report().to_json()
    assert values["shared_with_train"]["main"] == 1.0
    assert values["shared_with_train"]["sources"] == ("c train",)
    assert values["scores"]["main"] == values["scores"]["micro"]["f1"] < 1.0
    assert values["token_level"]["B-Chemical"]["support"] == 2


def test_a_wrong_type_is_a_confusion_of_types_and_each_word_counts_once() -> None:
    text = "Lithium caused cardiac arrest."
    gold = Document("1", text, entities=(Entity(0, 7, "Chemical"), Entity(15, 29, "Disease")))
    found = gold.with_entities([Entity(0, 7, "Disease"), Entity(15, 29, "Disease")])

    def measure(wanted: list[Document], given: list[Document]) -> Scores:
        return score_entities(wanted, given, ["Chemical", "Disease"])

    setting = Setting("m 1", "ner", "c", "test", ("Chemical", "Disease"), 1.0)
    report = Predictions([gold], [found], setting, measure).entity_report()
    assert sum(one.support for one in report.token_level.values()) == 4
    assert report.token_level["O"].support == 1
    assert report.confusion is not None
    place = report.confusion.labels.index
    assert report.confusion.counts[place("B-Chemical"), place("B-Disease")] == 1


def test_single_labels_have_a_confusion_and_an_interval_over_documents() -> None:
    gold = [labelled(str(number), "yes" if number % 2 else "no") for number in range(40)]
    predicted = [labelled(one.text, "yes") for one in gold]
    setting = Setting("m 1", "classification", "c", "test", ("yes", "no"), 1.0)
    comparison = Predictions(gold, predicted, setting, by_labels)
    report = comparison.label_report()
    assert report.confusion is not None
    assert report.confusion.counts.tolist() == [[0, 20], [0, 20]]
    assert report.interval.low < 0.5 < report.interval.high
    # The share of a fair coin in 40 throws has a deviation of 0.079.
    assert abs(report.interval.high - report.interval.low - 4 * 0.079) < 0.08
    assert report.shared is None
    # Labels that a task leaves alone are no answers of its own.
    assert comparison.document_report().confusion is None


def test_intervals_are_the_same_for_a_seed() -> None:
    gold = [labelled(str(number), "yes" if number % 3 else "no") for number in range(30)]
    predicted = [labelled(one.text, "yes") for one in gold]
    found = [
        bootstrap_documents(gold, predicted, by_labels, np.random.default_rng(7)) for _ in range(2)
    ]
    assert found[0] == found[1]
