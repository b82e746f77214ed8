"""Sentences labelled in their context: what is learnt, what is answered, what is left out."""

import numpy as np
import pytest

from biobert.core.annotate import annotate_documents
from biobert.core.document import Document, Entity, Passage, Span
from biobert.core.task import IGNORED, Outputs, Window
from biobert.tasks.sentences import HEAD, SentenceLabelling, SentencesSettings
from biobert.text.windows import WindowSettings
from tests.tiny import tiny_tokenizer

TOKENIZER = tiny_tokenizer()
TEXT = "We gave it. All was well. Nobody fell."
SENTENCES = (Span(0, 11), Span(12, 25), Span(26, 38))


def task(**settings: object) -> SentenceLabelling:
    return SentenceLabelling(SentencesSettings(("METHODS", "RESULTS"), **settings))  # type: ignore[arg-type]


def labelled(*labels: str | None) -> Document:
    pairs = zip(SENTENCES, labels, strict=True)
    entities = tuple(Entity(one.start, one.end, label) for one, label in pairs if label)
    return Document("1", TEXT, sentences=SENTENCES, entities=entities)


def targets_of(one: SentenceLabelling, document: Document) -> list[list[int]]:
    """Targets at first pieces, by window."""
    examples = one.examples(document)
    return [
        targets[HEAD][:, 0].tolist()
        for example, windows in zip(examples, one.encode(examples, TOKENIZER), strict=True)
        for targets in one.targets(example, windows)
    ]


class Says:
    """Answers each token by a function of where it begins in the text."""

    def __init__(self, logits_at) -> None:  # type: ignore[no-untyped-def]
        self.logits_at = logits_at

    def predict(self, windows: list[Window]) -> list[Outputs]:
        return [
            {HEAD: np.array([self.logits_at(start) for start in one.offsets[:, 0]], np.float32)}
            for one in windows
        ]


def answered(one: SentenceLabelling, document: Document, logits_at) -> Document:  # type: ignore[no-untyped-def]
    (found,) = annotate_documents(
        [document], task=one, tokenizer=TOKENIZER, predictor=Says(logits_at)
    )
    return found


def test_every_word_learns_the_label_of_its_sentence_and_unlabelled_ones_nothing() -> None:
    (found,) = targets_of(task(), labelled("METHODS", None, "RESULTS"))
    known = [one for one in found if one != IGNORED]
    assert known == sorted(known)
    assert set(known) == {0, 1}
    (silent,) = targets_of(task(), labelled(None, None, None))
    assert set(silent) == {IGNORED}


def test_a_sentence_inside_another_is_not_taught() -> None:
    entities = (Entity(0, 38, "METHODS"), Entity(12, 25, "RESULTS"), Entity(12, 25, "RESULTS"))
    document = Document("1", TEXT, entities=entities)
    (found,) = targets_of(task(), document)
    assert set(found) == {IGNORED, 0}
    told = "1 sentences are not learnt: they lie inside longer ones"
    assert task().unlearnt([document]) == [told]


def test_the_words_of_a_sentence_agree_on_its_label() -> None:
    # In the second sentence one word is surely wrong, and all others are right together.
    found = answered(
        task(), labelled(None, None, None), lambda start: (0, 2) if start != 12 else (3, 0)
    )
    assert [(one.start, one.end, one.label) for one in found.entities] == [
        (0, 11, "RESULTS"),
        (12, 25, "RESULTS"),
        (26, 38, "RESULTS"),
    ]
    assert found.entities[1].score < found.entities[0].score == pytest.approx(0.8808, abs=1e-3)


def test_a_sentence_over_two_windows_is_answered_once_by_all_its_words() -> None:
    short = task(windows=WindowSettings(maximum_tokens=10, overlap_tokens=2))
    document = labelled("METHODS", "RESULTS", "METHODS")
    assert len(short.encode(short.examples(document), TOKENIZER)[0]) > 2
    found = answered(short, document, lambda start: (0, 1) if 12 <= start < 26 else (1, 0))
    assert [one.label for one in found.entities] == ["METHODS", "RESULTS", "METHODS"]
    assert short.score([document], [found]).main == 1.0


def test_only_the_passages_that_are_named_are_read() -> None:
    passages = (
        Passage(0, 11, "title"),
        Passage(12, 25, "abstract"),
        Passage(26, 38, "body"),
    )
    document = Document("1", TEXT, passages=passages)
    abstract = task(passages=("abstract",))
    assert [(one.start, one.end) for one in abstract.examples(document)] == [(12, 25)]
    found = answered(abstract, document, lambda start: (0, 1))
    assert [(one.start, one.end) for one in found.entities] == [(12, 25)]
    # A text without passages is read whole; one without such a passage has nothing to read.
    assert len(answered(abstract, Document("2", TEXT), lambda start: (0, 1)).entities) == 3
    title = Document("3", TEXT, passages=(Passage(0, 38, "title"),))
    assert answered(abstract, title, lambda start: (0, 1)).entities == ()


def test_headings_between_sections_are_context_but_no_sentences() -> None:
    text = "Methods\nWe gave it.\nResults\nAll was well."
    passages = (
        Passage(0, 7, "heading"),
        Passage(8, 19, "abstract", "Methods"),
        Passage(20, 27, "heading"),
        Passage(28, 41, "abstract", "Results"),
    )
    document = Document("1", text, passages=passages)
    one = task(passages=("abstract",))
    assert [(example.start, example.end) for example in one.examples(document)] == [(8, 41)]
    found = answered(one, document, lambda start: (0, 1))
    assert [(entity.start, entity.end) for entity in found.entities] == [(8, 19), (28, 41)]


@pytest.mark.parametrize("inner", ["abstract", "title"])
def test_passages_inside_one_another_are_read_once(inner: str) -> None:
    passages = (
        Passage(0, 38, "abstract"),
        Passage(0, 11, inner),
        Passage(12, 25, "abstract", "Results"),
    )
    document = Document("1", TEXT, passages=passages)
    one = task(passages=("abstract",))
    assert [(example.start, example.end) for example in one.examples(document)] == [(0, 38)]
    found = answered(one, document, lambda start: (0, 1))
    assert [(entity.start, entity.end) for entity in found.entities] == [
        (0, 11),
        (12, 25),
        (26, 38),
    ]


def test_the_score_is_the_share_of_sentences_with_their_label() -> None:
    gold = labelled("METHODS", "RESULTS", "RESULTS")
    found = labelled("METHODS", "METHODS", "RESULTS")
    scores = task().score([gold], [found])
    assert scores.main == pytest.approx(2 / 3)
    assert scores.details["sentence_accuracy"] == scores.main
    assert scores.by_label["METHODS"].precision == 0.5
    # The second sentence has no role in the corpus: whatever is said of it costs no precision.
    partly = task().score([labelled("METHODS", None, "RESULTS")], [found])
    assert (partly.main, partly.micro.precision) == (1.0, 1.0)
    assert task().unlearnt([labelled("AIMS", None, None)]) == [
        "1 sentences are not learnt: AIMS are none of task.labels"
    ]


def test_texts_without_words_have_no_sentences() -> None:
    for text in ("", " \n"):
        assert answered(task(), Document("1", text), lambda start: (0, 1)).entities == ()
