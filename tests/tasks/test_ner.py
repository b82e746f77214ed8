"""Named entity recognition: tags, windows, decoding."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biobert.core.document import Document, Entity, Span
from biobert.core.errors import BadInputError
from biobert.core.task import IGNORED
from biobert.evaluation.report import Predictions, Setting
from biobert.tasks.ner import HEAD, NamedEntityRecognition, NerSettings
from biobert.text.tokenizer import Tokenizer
from biobert.text.windows import WindowSettings
from tests.tiny import tiny_tokenizer

TOKENIZER = tiny_tokenizer()
SHORT = WindowSettings(maximum_tokens=16, overlap_tokens=3)


def task(**settings) -> NamedEntityRecognition:  # type: ignore[no-untyped-def]
    return NamedEntityRecognition(NerSettings(("Chemical", "Disease"), **settings))


def through_gold_tags(
    one: NamedEntityRecognition, document: Document, tokenizer: Tokenizer = TOKENIZER
) -> Document:
    """Encode, take the gold targets as the model's certain answer, decode."""
    examples = one.examples(document)
    windows = one.encode(examples, tokenizer)
    outputs = []
    for example, parts in zip(examples, windows, strict=True):
        answers = []
        for targets in one.targets(example, parts):
            gold = np.where(targets[HEAD] == IGNORED, 0, targets[HEAD])
            sizes = [len(group.labels) for group in one.heads()[0].groups]
            columns = [np.eye(size)[gold[:, n]] for n, size in enumerate(sizes)]
            answers.append({HEAD: 40 * np.concatenate(columns, axis=1).astype(np.float32)})
        outputs.append(answers)
    return one.decode(document, windows, outputs)


def spans(document: Document) -> list[tuple[int, int, str]]:
    return [(entity.start, entity.end, entity.label) for entity in document.entities]


def test_many_documents_are_decoded_as_each_alone() -> None:
    random = np.random.default_rng(5)
    one = task(windows=SHORT)
    texts = ["lithium arrests. " * 9, "", "aspirin", ". ", "breast cancer in lithium " * 4]
    documents = [Document(str(number), text) for number, text in enumerate(texts)]
    windows = [one.encode(one.examples(document), TOKENIZER) for document in documents]
    outputs = [
        [
            [{HEAD: random.normal(size=(len(part), 6)).astype(np.float32)} for part in parts]
            for parts in rows
        ]
        for rows in windows
    ]
    alone = [one.decode(*parts) for parts in zip(documents, windows, outputs, strict=True)]
    together = one.decode_many(documents, windows, outputs)
    assert [spans(document) for document in together] == [spans(document) for document in alone]
    assert len(together[0].entities) > 5 and len(windows[4]) == 1 < len(windows[4][0])
    for first, second in zip(alone, together, strict=True):
        scores = [[entity.score for entity in some.entities] for some in (first, second)]
        assert scores[0] == pytest.approx(scores[1])


def test_only_first_pieces_of_words_are_labelled() -> None:
    document = Document("1", "qq lithium", entities=(Entity(3, 10, "Chemical"),))
    one = task()
    (example,) = one.examples(document)
    ((window,),) = one.encode([example], TOKENIZER)
    (targets,) = one.targets(example, [window])
    # [CLS] q ##q lithium [SEP]; columns are Chemical and Disease.
    ignored = [IGNORED, IGNORED]
    assert targets[HEAD].tolist() == [ignored, [0, 0], ignored, [1, 0], ignored]


def test_types_that_the_corpus_does_not_annotate_are_ignored() -> None:
    document = Document("1", "lithium", annotated_labels=("Disease",))
    one = task()
    (example,) = one.examples(document)
    ((window,),) = one.encode([example], TOKENIZER)
    assert one.targets(example, [window])[0][HEAD][1].tolist() == [IGNORED, 0]


def test_overlapping_entities_of_different_types_survive() -> None:
    entities = (Entity(0, 14, "Disease"), Entity(0, 7, "Chemical"))
    document = Document("1", "lithium cancer", entities=entities)
    assert spans(through_gold_tags(task(), document)) == [(0, 7, "Chemical"), (0, 14, "Disease")]


def test_neighbours_of_one_type_stay_apart() -> None:
    entities = (Entity(0, 6, "Disease"), Entity(7, 15, "Disease"))
    document = Document("1", "cancer diabetes", entities=entities)
    for scheme in ("per-type", "joint"):
        assert spans(through_gold_tags(task(scheme=scheme), document)) == spans(document)


def test_a_sentence_of_334_words_gets_predictions_to_its_last_word() -> None:
    text = " ".join(["aspirin"] * 333) + " diabetes"
    entity = Entity(len(text) - 8, len(text), "Disease")
    document = Document("1", text, entities=(entity,), sentences=(Span(0, len(text)),))
    assert spans(through_gold_tags(task(windows=SHORT), document)) == spans(document)


@given(
    st.lists(
        st.tuples(st.integers(1, 4), st.sampled_from(["", "Chemical", "Disease"])), max_size=40
    )
)
def test_gold_comes_back_whatever_the_windows(parts: list[tuple[int, str]]) -> None:
    words, entities, position = [], [], 0
    for count, label in parts:
        phrase = " ".join(["cancer"] * count)
        if label:
            entities.append(Entity(position, position + len(phrase), label))
        words.append(phrase)
        position += len(phrase) + 1
    text = " ".join(words)
    sentences = (Span(0, len(text)),) if text else ()
    document = Document("1", text, entities=tuple(entities), sentences=sentences)
    for scheme in ("per-type", "joint"):
        found = through_gold_tags(task(windows=SHORT, scheme=scheme), document)
        assert spans(found) == spans(document)


def test_the_score_of_an_entity_is_the_probability_of_its_tags() -> None:
    document = Document("1", "lithium")
    one = task()
    windows = one.encode(one.examples(document), TOKENIZER)
    logits = np.zeros((3, 6), dtype=np.float32)
    logits[:, [0, 3]] = 5.0
    logits[1, 1] = 9.0
    (entity,) = one.decode(document, windows, [[{HEAD: logits}]]).entities
    assert (entity.start, entity.end, entity.label) == (0, 7, "Chemical")
    expected = np.exp(9.0) / (np.exp(9.0) + np.exp(5.0) + np.exp(0.0))
    assert entity.score == pytest.approx(expected, rel=1e-5)


def test_an_entity_never_crosses_a_sentence() -> None:
    text = "cancer cancer"
    sentences = (Span(0, 6), Span(7, 13))
    document = Document("1", text, entities=(Entity(0, 13, "Disease"),), sentences=sentences)
    found = through_gold_tags(task(), document)
    assert spans(found) == [(0, 6, "Disease"), (7, 13, "Disease")]


def test_the_mark_of_a_list_item_is_no_word() -> None:
    text = "- cancer\n2. cancer and breast (E. 1. cancer)"
    document = Document("1", text, entities=(Entity(0, 8, "Disease"), Entity(12, 18, "Disease")))
    examples = task().examples(document)
    assert [text[one.start : one.end] for one in examples][:2] == ["cancer", text[12:]]
    assert spans(through_gold_tags(task(), document)) == [(2, 8, "Disease"), (12, 18, "Disease")]


def test_of_mentions_inside_one_another_the_longest_is_taught() -> None:
    text = "familial breast and ovarian cancer syndrome"
    long, inside = Entity(0, len(text), "Disease"), Entity(9, 15, "Disease")
    first, last = Entity(0, 8, "Disease"), Entity(35, 43, "Disease")
    split = Entity(9, 34, "Chemical", fragments=(Span(9, 15), Span(28, 34)))
    for scheme in ("per-type", "joint"):
        document = Document("1", text, entities=(first, long, inside, last))
        assert spans(through_gold_tags(task(scheme=scheme), document)) == [(0, 43, "Disease")]
    document = Document("1", text, entities=(long, inside, split))
    assert spans(through_gold_tags(task(), document)) == [
        (0, 43, "Disease"),
        (9, 15, "Chemical"),
        (28, 34, "Chemical"),
    ]
    (told,) = task().unlearnt([document, Document("2", text, entities=(long, long, inside))])
    longer = "are not learnt: Disease are inside or across longer ones of their type"
    assert told == f"2 mentions {longer}"


@pytest.mark.parametrize("turned", [False, True])
def test_of_mentions_that_overlap_the_longest_is_taught(turned: bool) -> None:
    """With one tag a word for all types also of those of different types."""
    text = "BRCA1 breast cancer syndrome"
    long, gene, across = (
        Entity(0, 19, "Disease"),
        Entity(0, 5, "Chemical"),
        Entity(13, 28, "Disease"),
    )
    entities = (across, gene, long) if turned else (long, gene, across)
    document = Document("1", text, entities=entities)
    joint, by_type = task(scheme="joint"), task()
    assert spans(through_gold_tags(joint, document)) == [(0, 19, "Disease")]
    assert spans(through_gold_tags(by_type, document)) == [(0, 5, "Chemical"), (0, 19, "Disease")]
    words = "mentions are not learnt: Chemical, Disease are inside or across longer ones"
    assert joint.unlearnt([document]) == [f"2 {words}"]
    (told,) = by_type.unlearnt([document])
    assert told.startswith("1 mentions are not learnt: Disease are")


def test_told_names_stay_where_the_text_defines_them_as_something_else() -> None:
    text = "Mitochondrial stress (MS) rose. Breast\ncancer (BC) and MS: BC."
    terms = {"Disease": [" MS ", "breast  cancer"]}
    found = {}
    for consistency in (False, True):
        one = task(terms=terms, consistency=consistency)
        answer = through_gold_tags(one, Document("1", text))
        found[consistency] = [answer.mention(entity) for entity in answer.entities]
    assert found[False] == ["MS", "Breast\ncancer", "MS"]
    # Abbreviations of told names follow them, too.
    assert found[True] == ["MS", "Breast\ncancer", "BC", "MS", "BC"]


def test_labels_are_named_once() -> None:
    with pytest.raises(BadInputError, match="name each label once"):
        NerSettings(("Gene", "Gene"))


EXCLUSIVE = {"exclusive": [["Disease", "Chemical"]]}


def test_a_gold_mention_teaches_excluded_types_that_they_are_not_meant() -> None:
    document = NamedEntityRecognition.toy_documents()[1]
    one = NamedEntityRecognition.from_settings({"labels": ["Chemical", "Disease"], **EXCLUSIVE})
    example = one.examples(document)[0]
    (windows,) = one.encode([example], TOKENIZER)
    chemical, disease = one.targets(example, windows)[0][HEAD].T
    # In `Breast cancer and diabetes are common.` mentions are no chemicals; the rest is unknown.
    mentioned = disease > 0
    assert mentioned.sum() == 3
    assert (chemical[mentioned] == 0).all()
    assert (chemical[~mentioned] == IGNORED).all()


def test_of_two_exclusive_types_for_a_span_the_surer_stays() -> None:
    document = Document("1", "lithium")
    logits = np.zeros((3, 6), dtype=np.float32)
    logits[1, [1, 4]] = 6.0, 9.0
    found = {}
    for name, extra in (("free", {}), ("exclusive", EXCLUSIVE)):
        one = NamedEntityRecognition.from_settings({"labels": ["Chemical", "Disease"], **extra})
        windows = one.encode(one.examples(document), TOKENIZER)
        found[name] = [e.label for e in one.decode(document, windows, [[{HEAD: logits}]]).entities]
    assert sorted(found["free"]) == ["Chemical", "Disease"]
    assert found["exclusive"] == ["Disease"]


@pytest.mark.parametrize("pair", [("Gene", "Virus"), ("Gene", "Gene"), ("Gene",)])
def test_exclusive_types_must_be_two_of_the_labels(pair: tuple[str, ...]) -> None:
    with pytest.raises(BadInputError, match="a pair of the labels"):
        NerSettings(("Gene", "Disease"), exclusive=(pair,))


def test_each_document_is_scored_by_the_types_that_it_is_annotated_for() -> None:
    """Corpora of different types together: the answers to either are right, and so are both."""
    entities = (Entity(0, 7, "Chemical"), Entity(15, 29, "Disease"))
    predicted = Document("1", "Lithium caused cardiac arrest.", entities=entities)
    gold = [
        replace(predicted.with_entities([one]), annotated_labels=(one.label,)) for one in entities
    ]
    scores = task().score(gold, [predicted] * 2)
    assert (scores.micro.precision, scores.micro.recall, scores.micro.support) == (1.0, 1.0, 2)
    assert task().counts(gold, [predicted] * 2).tolist() == [[1, 1, 1], [1, 1, 1]]
    setting = Setting("m 1", "ner", "c", "test", ("Chemical", "Disease"), 1.0)
    report = Predictions(gold, [predicted] * 2, setting, task().score).entity_report()
    assert report.errors is not None and report.errors.counts["spurious"] == 0
    assert all(one.f1 == 1.0 for one in report.token_level.values())
