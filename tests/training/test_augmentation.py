"""Copies that models write: filled words and sentences from another language, mentions kept."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st

from biobert.core.document import Argument, Document, Entity, Relation, Span
from biobert.core.errors import BadInputError
from biobert.core.model_folder import read_manifest
from biobert.data.augmentation import TranslatorSettings
from biobert.model.translation import load_translator
from biobert.training.augmentation import (
    CHANGED,
    BackTranslation,
    FillWords,
    LanguageModel,
    found_in_order,
)
from tests.tiny import SPECIAL, WORDS, write_tiny_encoder_folder
from tests.training.conftest import Recorder

TEXT = "The aspirin helped the heart. Diabetes and the cancer arrest."
DOCUMENT = Document(
    "d",
    TEXT,
    entities=(Entity(4, 11, "Drug", id="T1"), Entity(23, 28, "Organ", id="T2")),
    relations=(Relation("R", (Argument("a", "T1"), Argument("b", "T2"))),),
    sentences=(Span(0, 29), Span(30, 61)),
)


@pytest.fixture(scope="module")
def language_model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    folder = tmp_path_factory.mktemp("mlm") / "bert"
    return LanguageModel.load(str(write_tiny_encoder_folder(folder, kind="BertForMaskedLM")))


@pytest.fixture(scope="module")
def seq2seq(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny T5 with random weights whose words are whole words."""
    folder = tmp_path_factory.mktemp("translators") / "t5"
    folder.mkdir()
    pieces = ["<pad>", "</s>", "<unk>", "heart", "helped", ".", *WORDS]
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.normalizers import Lowercase
    from tokenizers.pre_tokenizers import BertPreTokenizer
    from tokenizers.processors import TemplateProcessing

    backend = Tokenizer(WordLevel({one: n for n, one in enumerate(pieces)}, unk_token="<unk>"))
    backend.normalizer = Lowercase()
    backend.pre_tokenizer = BertPreTokenizer()
    backend.post_processor = TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        model_max_length=40,
    ).save_pretrained(folder)
    torch.manual_seed(3)
    config = transformers.T5Config(
        vocab_size=len(pieces),
        d_model=16,
        d_kv=8,
        d_ff=16,
        num_layers=1,
        num_heads=2,
        decoder_start_token_id=0,
        eos_token_id=1,
        pad_token_id=0,
    )
    transformers.T5ForConditionalGeneration(config).save_pretrained(folder)
    return folder


class Spoken:
    """A translator that says what it is told to: what `Translator` promises, word by word."""

    def __init__(self, *answers: str | None) -> None:
        self.answers = answers

    def translated(self, texts: list[str], *, seed: int) -> list[str | None]:
        return list(self.answers)


def changed(document: Document, *answers: str | None) -> tuple[Document, BackTranslation]:
    forth, back = Spoken(*("x" for _ in answers)), Spoken(*answers)
    method = BackTranslation(forth, back, rate=1.0)  # type: ignore[arg-type]
    return method(document, np.random.default_rng(1)), method


def test_a_language_model_fills_words_but_never_with_the_same(
    language_model: LanguageModel,
) -> None:
    filling = FillWords(language_model, rate=1.0, top=3)
    one, again = (filling(DOCUMENT, np.random.default_rng(2)) for _ in range(2))
    assert one == again
    assert one.text != TEXT
    assert [one.mention(entity) for entity in one.entities] == ["aspirin", "heart"]
    assert one.relations == DOCUMENT.relations
    before, after = TEXT.lower().split(), one.text.lower().split()
    assert len(before) == len(after)
    for old, new in zip(before, after, strict=True):
        kept = old.strip(".") in ("aspirin", "heart")
        assert (old == new) == kept
        assert new.strip(".") not in SPECIAL
    assert FillWords(language_model, rate=0.0)(DOCUMENT, np.random.default_rng(2)) == DOCUMENT


def test_a_sentence_with_gaps_of_its_own_stays(language_model: LanguageModel) -> None:
    document = Document("d", "The [MASK] and the <mask>.")
    assert FillWords(language_model, rate=1.0)(document, np.random.default_rng(1)) == document


def test_a_sentence_too_long_for_the_model_stays(language_model: LanguageModel) -> None:
    document = Document("d", "the cancer " * 300)
    assert FillWords(language_model, rate=1.0)(document, np.random.default_rng(1)) == document


def test_words_come_back_around_the_mentions() -> None:
    found, method = changed(DOCUMENT, "Well, aspirin was good for a heart!", "Nothing else.")
    assert found.text == "Well, aspirin was good for a heart! Nothing else."
    assert [found.mention(one) for one in found.entities] == ["aspirin", "heart"]
    sentences = [found.text[one.start : one.end] for one in found.sentences]
    assert sentences == ["Well, aspirin was good for a heart!", "Nothing else."]
    assert found.relations == DOCUMENT.relations
    assert method.counts == {CHANGED: 2}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("It helped the heart.", "lost"),
        ("Aspirin helped the heart.", "lost"),
        ("Aspirins: aspirin, aspirin for the heart.", "twice"),
        ("The heart liked aspirin.", "order"),
        (None, "no end"),
    ],
)
def test_a_sentence_that_loses_a_mention_stays(answer: str | None, reason: str) -> None:
    found, method = changed(DOCUMENT, answer, "So.")
    assert found.text.startswith("The aspirin helped the heart. So.")
    (counted,) = [one for one in method.counts if one != CHANGED]
    assert reason in counted


def test_a_mention_at_the_edge_stays_there() -> None:
    document = Document("d", "Aspirin helps", entities=(Entity(0, 7, "Drug"),))
    found, method = changed(document, "And Aspirin helps")
    assert found == document
    assert list(method.counts) == ["a mention left the edge of its sentence"]
    assert changed(document, "Aspirin heals")[0].text == "Aspirin heals"


def test_words_of_a_mention_that_stand_unmarked_elsewhere_are_not_risked() -> None:
    document = Document("d", "An aspirin is an aspirin.", entities=(Entity(3, 10, "Drug"),))
    assert changed(document, "The aspirin it is.")[0] == document


def test_real_translators_repeat_themselves_for_a_seed(seq2seq: Path) -> None:
    translator = load_translator(TranslatorSettings(str(seq2seq)), device="cpu")
    texts = ["the heart helped.", "aspirin", "cancer " * 50]
    state = torch.get_rng_state()
    first, again = (translator.translated(texts, seed=4) for _ in range(2))
    assert first == again
    assert torch.equal(state, torch.get_rng_state())
    assert translator.translated(texts * 4, seed=5) != translator.translated(texts * 4, seed=6)
    assert first[2] is None
    method = BackTranslation(translator, translator, rate=1.0)
    found = [method(DOCUMENT, np.random.default_rng(number)) for number in range(8)]
    assert all([one.mention(e) for e in one.entities] == ["aspirin", "heart"] for one in found)
    assert any(one.text != TEXT for one in found)
    assert sum(method.counts.values()) == 16


def test_what_is_no_translator_is_refused(seq2seq: Path, tmp_path: Path) -> None:
    encoder = write_tiny_encoder_folder(tmp_path / "bert")
    with pytest.raises(BadInputError, match="no sequence-to-sequence model"):
        load_translator(TranslatorSettings(str(encoder)))
    with pytest.raises(BadInputError, match="pickled"):
        load_translator(TranslatorSettings(str(tmp_path)))


@given(
    st.lists(st.sampled_from(["ab", "a b", "c", "ab c"]), max_size=4), st.text("abc X", max_size=9)
)
def test_mentions_are_found_where_they_stand(mentions: list[str], between: str) -> None:
    text = f" {between} X".join(["X ", *mentions])
    found = found_in_order(text, mentions)
    if not isinstance(found, str):
        assert [text[one.start : one.end] for one in found] == mentions


def test_a_recipe_learns_from_copies(run: Callable[..., Recorder], tmp_path: Path) -> None:
    lexicon = tmp_path / "terms.tsv"
    lexicon.write_text("Disease\tthe arrest\nChemical\tthe gold\n")
    augmentation: dict[str, Any] = {"mention_rate": 1.0, "copies": 2, "lexicon": str(lexicon)}
    listener = run("model", augmentation=augmentation, run={"epochs": 1})
    assert any("copies" in note for note in listener.notes)
    manifest = read_manifest(tmp_path / "model")
    assert "augmented" in str(manifest.data)
    assert manifest.recipe["augmentation"]["mention_rate"] == 1.0
