"""Part-of-speech tagging: words of a treebank from words of the pre-tokenizer, and their tags."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from biobert.core.document import Document, Entity, Span
from biobert.core.errors import BadInputError
from biobert.core.task import IGNORED
from biobert.data.catalogue import load_corpus, read_split
from biobert.data.places import CorpusPlaces
from biobert.data.rejects import Rejects
from biobert.evaluation.report import Predictions, Setting
from biobert.tasks.pos import HEAD, PartOfSpeechTagging, PosSettings
from biobert.text.windows import WindowSettings
from tests.tiny import tiny_tokenizer

TOKENIZER = tiny_tokenizer()
SHORT = WindowSettings(maximum_tokens=16, overlap_tokens=3)
CONTINUES = 2


def task(**settings) -> PartOfSpeechTagging:  # type: ignore[no-untyped-def]
    return PartOfSpeechTagging(PosSettings(("NN", ","), **settings))


def targets_of(one: PartOfSpeechTagging, document: Document) -> list[int]:
    """Targets of all tokens of all windows."""
    examples = one.examples(document)
    found = []
    for example_, windows in zip(examples, one.encode(examples, TOKENIZER), strict=True):
        for targets in one.targets(example_, windows):
            found += targets[HEAD][:, 0].tolist()
    return found


def answered(
    one: PartOfSpeechTagging, document: Document, generator: np.random.Generator | None = None
) -> Document:
    """Decode gold targets as certain answers, or the answers of a generator."""
    examples = one.examples(document)
    windows = one.encode(examples, TOKENIZER)
    outputs = []
    for example_, parts in zip(examples, windows, strict=True):
        answers = []
        for window, targets in zip(parts, one.targets(example_, parts), strict=True):
            gold = np.where(targets[HEAD][:, 0] == IGNORED, 0, targets[HEAD][:, 0])
            logits = 40 * np.eye(len(one.labels) + 1)[gold]
            if generator is not None:
                logits = generator.normal(size=(len(window), len(one.labels) + 1), scale=3)
            answers.append({HEAD: logits.astype(np.float32)})
        outputs.append(answers)
    return one.decode(document, windows, outputs)


def test_tags_that_the_task_lacks_are_told() -> None:
    words = (Entity(0, 2, "NN"), Entity(3, 6, "VBZ"), Entity(7, 9, "JJ"))
    documents = [Document("1", "ab cde fg", entities=words)] * 2
    assert task().unlearnt(documents) == ["4 words are not learnt: JJ, VBZ are none of task.labels"]
    assert task().unlearnt([replace(documents[0], entities=words[:1])]) == []


@pytest.mark.parametrize("turned", [False, True])
def test_of_words_inside_one_another_the_longest_is_taught(turned: bool) -> None:
    words = (Entity(0, 4, "NN"), Entity(0, 2, "JJ"), Entity(3, 4, "JJ"), Entity(5, 6, "NN"))
    document = Document("1", "zz-2 x", entities=words[::-1] if turned else words)
    one = PartOfSpeechTagging(PosSettings(("NN", "JJ")))
    assert spans(answered(one, document)) == [(0, 4, "NN"), (5, 6, "NN")]
    assert one.unlearnt([document]) == ["2 words are not learnt: they lie inside longer ones"]


def spans(document: Document) -> list[tuple[int, int, str]]:
    return [(entity.start, entity.end, entity.label) for entity in document.entities]


def words(document: Document) -> list[str]:
    return [document.mention(entity) for entity in document.entities]


def test_the_tag_stands_at_the_first_word_and_plus_at_those_that_go_on() -> None:
    document = Document("1", "zz-2, x", entities=(Entity(0, 4, "NN"), Entity(4, 5, ",")))
    # [CLS] z ##z - 2 , x [SEP]; `x` is in no gold word.
    assert targets_of(task(), document) == [
        IGNORED, 0, IGNORED, CONTINUES, CONTINUES, 1, IGNORED, IGNORED,
    ]  # fmt: skip


def test_words_of_unknown_tags_are_ignored() -> None:
    document = Document("1", "a b", entities=(Entity(0, 1, "NN"), Entity(2, 3, "FW")))
    assert targets_of(task(), document) == [IGNORED, 0, IGNORED, IGNORED]


def test_a_gold_word_that_begins_inside_a_word_begins_at_the_next() -> None:
    entities = (Entity(0, 2, "NN"), Entity(2, 5, ","))
    document = Document("1", "don't", entities=entities)
    # [CLS] d ##o ##n ' t [SEP]: the tokenizer's words are `don`, `'` and `t`.
    assert targets_of(task(), document) == [
        IGNORED, 0, IGNORED, IGNORED, 1, CONTINUES, IGNORED,
    ]  # fmt: skip


def test_white_space_parts_words_whatever_the_model_says() -> None:
    document = Document("1", "a-b c\nd", sentences=(Span(0, 7),))
    one = task()
    windows = one.encode(one.examples(document), TOKENIZER)
    logits = np.zeros((7, 3), dtype=np.float32)
    logits[:, CONTINUES], logits[:, 1] = 9.0, 1.0
    found = one.decode(document, windows, [[{HEAD: logits}]])
    assert words(found) == ["a-b", "c", "d"]
    assert {entity.label for entity in found.entities} == {","}


def test_the_score_of_a_word_is_the_probability_of_its_tags() -> None:
    document = Document("1", "a-")
    one = task()
    windows = one.encode(one.examples(document), TOKENIZER)
    logits = np.zeros((4, 3), dtype=np.float32)
    logits[1], logits[2] = (3.0, 1.0, 8.0), (0.0, 0.0, 2.0)
    (entity,) = one.decode(document, windows, [[{HEAD: logits}]]).entities
    # After white space `+` is not open: the tag shares its probability with the other tag alone.
    expected = np.exp(3) / (np.exp(3) + np.exp(1)) * np.exp(2) / (np.exp(2) + 2)
    assert (entity.start, entity.end, entity.label) == (0, 2, "NN")
    assert entity.score == pytest.approx(expected, rel=1e-5)


def test_a_sentence_border_parts_words_that_touch() -> None:
    document = Document("1", "a.b", sentences=(Span(0, 2), Span(2, 3)))
    one = task()
    windows = one.encode(one.examples(document), TOKENIZER)
    plus = np.tile(np.float32([1, 0, 9]), (4, 1))
    found = one.decode(document, windows, [[{HEAD: plus}], [{HEAD: plus[:3]}]])
    assert words(found) == ["a.", "b"]


def test_a_sentence_of_334_words_gets_tags_to_its_last_word() -> None:
    text = " ".join(["aspirin"] * 333) + " diabetes"
    places = [(n * 8, n * 8 + 7, "NN") for n in range(333)] + [(len(text) - 8, len(text), ",")]
    entities = tuple(Entity(*place) for place in places)
    document = Document("1", text, entities=entities, sentences=(Span(0, len(text)),))
    assert spans(answered(task(windows=SHORT), document)) == places


gold_words = st.lists(
    st.tuples(
        st.text(alphabet="ab2-/()'.,", min_size=1, max_size=8),
        st.sampled_from(["NN", ","]),
        st.sampled_from(["", " ", "\n", "  "]),
    ),
    max_size=30,
)


@given(gold_words)
def test_gold_comes_back_whatever_the_windows(parts: list[tuple[str, str, str]]) -> None:
    text, entities = "", []
    for word, tag, blank in parts:
        # A word can end where the tokenizer sees a border: not between two letters or digits.
        if text[-1:].isalnum() and word[0].isalnum():
            text += " "
        entities.append(Entity(len(text), len(text) + len(word), tag))
        text += word + blank
    sentences = (Span(0, len(text)),) if text else ()
    document = Document("1", text, entities=tuple(entities), sentences=sentences)
    for windows in (WindowSettings(), SHORT):
        assert spans(answered(task(windows=windows), document)) == spans(document)


@given(st.text(alphabet="abé2-/().,α  \n\t\u00a0\u2009", max_size=60), st.integers(0, 1000))
def test_every_character_but_white_space_lies_in_one_word(text: str, seed: int) -> None:
    document = Document("1", text)
    found = answered(task(windows=SHORT), document, np.random.default_rng(seed))
    covered = [place for one in found.entities for place in range(one.start, one.end)]
    assert covered == [place for place, letter in enumerate(text) if not letter.isspace()]


@given(st.text(max_size=40), st.integers(0, 1000))
@example("ab\u200b -\u200b \u200bc \u200b d\x1ce", 3)
def test_characters_that_the_tokenizer_drops_stay_with_their_neighbours(
    text: str, seed: int
) -> None:
    document = Document("1", text)
    one = task(windows=SHORT)
    found = answered(one, document, np.random.default_rng(seed))
    covered = [place for one in found.entities for place in range(one.start, one.end)]
    assert len(set(covered)) == len(covered)
    assert not any(text[place].isspace() for place in covered)
    windows = [part for parts in one.encode(one.examples(document), TOKENIZER) for part in parts]
    seen = {place for part in windows for a, b in part.offsets.tolist() for place in range(a, b)}
    assert {place for place in seen if not text[place].isspace()} <= set(covered)


def test_tag_accuracy_asks_for_the_tag_and_word_accuracy_for_the_borders_too() -> None:
    text = "IL-2 , gene"
    gold = Document(
        "1", text, entities=(Entity(0, 4, "NN"), Entity(5, 6, ","), Entity(7, 11, "NN"))
    )
    answer = (Entity(0, 2, "NN"), Entity(2, 4, ","), Entity(5, 6, ","), Entity(7, 11, ","))
    scores = task().score([gold], [gold.with_entities(answer)])
    assert scores.main == scores.details["tag_accuracy"] == pytest.approx(2 / 3)
    assert scores.details["word_accuracy"] == pytest.approx(1 / 3)
    assert scores.details["confusions"] == [{"gold": "NN", "predicted": ",", "count": 1}]
    assert scores.by_label[","].precision == pytest.approx(1 / 3)
    assert scores.by_label["NN"].recall == 0.0


def test_gold_words_that_no_answer_covers_and_tags_the_model_lacks_count_as_wrong() -> None:
    entities = (Entity(0, 1, "NN"), Entity(2, 3, "FW"))
    gold = Document("1", "a b", entities=entities, annotated_labels=("NN", "FW"))
    scores = task().score([gold], [gold.with_entities((Entity(2, 3, "NN"),))])
    assert scores.main == 0.0
    assert {pair["predicted"] for pair in scores.details["confusions"]} == {"O", "NN"}
    assert task().score([], []).main == 0.0
    assert task().counts([gold], [gold.with_entities((Entity(0, 1, "NN"),))]).tolist() == [
        [1, 2, 2]
    ]


def test_the_interval_is_that_of_the_tag_accuracy() -> None:
    entities = (Entity(0, 4, "NN"), Entity(5, 9, "NN"))
    gold = [Document(str(n), "IL-2 gene", entities=entities) for n in range(20)]
    parts = (Entity(0, 2, "NN"), Entity(2, 4, "NN"), Entity(5, 9, "NN"))
    predicted = [one.with_entities(parts) for one in gold]
    one = PartOfSpeechTagging(PosSettings(("NN",)))
    setting = Setting("m 1", "pos", "c", "test", ("NN",), 1.0)
    counts = one.counts(gold, predicted)
    report = Predictions(gold, predicted, setting, one.score, counts).entity_report()
    assert report.scores.main == 1.0
    assert (report.interval.low, report.interval.high) == (1.0, 1.0)


def test_tags_are_named_once_and_plus_is_taken() -> None:
    with pytest.raises(BadInputError, match="name each label once"):
        PosSettings(("NN", "NN"))
    with pytest.raises(BadInputError, match=r"'\+' marks what goes on"):
        PosSettings(("NN", "+"))


@pytest.mark.data
def test_genia_is_read_word_by_word(corpora: Path) -> None:
    row = load_corpus("GENIA-pos")
    tags, counts, rejects = set(), {}, Rejects()
    for split in row.splits:
        documents = read_split("GENIA-pos", split, CorpusPlaces(corpora, corpora), rejects=rejects)
        entities = [entity for one in documents for entity in one.entities]
        assert sum(len(one.text.split()) for one in documents) == len(entities)
        tags |= {entity.label for entity in entities}
        counts[split] = sum(len(one.sentences) for one in documents)
    assert tags == set(row.labels)
    assert counts == {"train": 16334, "devel": 2174, "test": 2036}
    assert rejects.count == 0
