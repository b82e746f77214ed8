"""Other architectures train, save and load behind the same contract as BERT."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import transformers
from tokenizers import Tokenizer as Backend
from tokenizers import models, pre_tokenizers, processors

from biobert.core.errors import BadInputError, BiobertError
from biobert.core.task import HeadSpec, LabelGroup
from biobert.model.checkpoint import find_encoder_folder
from biobert.model.generation import load_encoder_decoder
from biobert.model.hub import load_encoder
from biobert.model.network import Network
from biobert.model.predictor import TorchPredictor, load_predictor
from biobert.model.torch_settings import TorchSettings
from biobert.model.weights import read_tensors
from biobert.text.tokenizer import Tokenizer
from biobert.training.batches import encode_rows
from biobert.training.folder import TrainingReport, write_model_folder
from biobert.training.loop import TrainingLoop
from biobert.training.material import document_source
from biobert.training.recipe import read_recipe
from biobert.training.start import build_learner
from tests.tiny import sharp_encoder_decoder, tiny_tokenizer, write_tiny_encoder_folder
from tests.training.conftest import Recorder

TEXT = "Lithium, at 37 °C, caused naïve cardiac arrest (β-blockade) — twice."
SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 130,
}


def byte_level() -> Backend:
    """The tokenizer of RoBERTa and ModernBERT: bytes, and blanks that belong to the next word."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    ids = {piece: number for number, piece in enumerate([*special, *alphabet])}
    backend = Backend(models.BPE(ids, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    backend.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    backend.add_special_tokens(special)
    return backend


def unigram() -> Backend:
    """The tokenizer of DeBERTa-v2 and v3: pieces with a mark for the blank before them."""
    special = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]
    letters = sorted(set(TEXT) - {" "})
    pieces = [(piece, 0.0) for piece in special] + [("▁", -2.0)]
    pieces += [(letter, -3.0) for letter in letters] + [("▁cardiac", -1.0)]
    backend = Backend(models.Unigram(pieces, unk_id=3))
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.add_special_tokens(special)
    return backend


ROLES = {"cls_token": "<s>", "sep_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
TAGS = HeadSpec("tags", "token", (LabelGroup("A", ("O", "B")),))
BERT_ROLES = {
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "unk_token": "[UNK]",
    "mask_token": "[MASK]",
}


def write(folder: Path, name: str) -> Path:
    """A checkpoint folder of a tiny encoder of this architecture."""
    torch.manual_seed(3)
    tokenizers: dict[str, Callable[[], Backend]] = {
        "roberta": byte_level,
        "modernbert": byte_level,
        "deberta-v2": unigram,
    }
    backend = tokenizers.get(name, lambda: tiny_tokenizer().backend)()
    vocabulary = backend.get_vocab_size()
    kind, extra = {
        "electra": (transformers.ElectraConfig, {"embedding_size": 16}),
        "roberta": (transformers.RobertaConfig, {"pad_token_id": 1}),
        "modernbert": (
            transformers.ModernBertConfig,
            {"pad_token_id": 1, "cls_token_id": 0, "sep_token_id": 2, "bos_token_id": 0}
            | {"eos_token_id": 2, "global_attn_every_n_layers": 2, "local_attention": 16},
        ),
        "deberta-v2": (
            transformers.DebertaV2Config,
            {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "pad_token_id": 0},
        ),
    }[name]
    config = kind(vocab_size=vocabulary, **SIZES, **extra)
    transformers.AutoModel.from_config(config).save_pretrained(folder)
    backend.save(str(folder / "tokenizer.json"))
    roles = {**ROLES, "mask_token": "<mask>"} if backend.token_to_id("<s>") == 0 else BERT_ROLES
    (folder / "tokenizer_config.json").write_text(json.dumps(roles))
    return folder


@pytest.fixture(params=["electra", "roberta", "modernbert", "deberta-v2"])
def encoder_folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write(tmp_path / "encoder", request.param)


def test_pieces_point_at_their_characters(encoder_folder: Path) -> None:
    (pieces,) = Tokenizer.from_folder(encoder_folder).pieces([TEXT])
    words = {}
    for (start, end), word in zip(pieces.offsets.tolist(), pieces.words.tolist(), strict=True):
        first, last = words.get(word, (start, end))
        words[word] = min(first, start), max(last, end)
    texts = [TEXT[start:end] for start, end in words.values()]
    assert not any(text[:1].isspace() or text[-1:].isspace() for text in texts)
    visible = {place for place, one in enumerate(TEXT) if not one.isspace()}
    covered = {place for start, end in words.values() for place in range(start, end)}
    assert visible <= covered


def test_training_saving_and_loading_keep_the_answers(encoder_folder: Path, tmp_path: Path) -> None:
    recipe = read_recipe(
        {
            "name": "toy",
            "task": {"name": "ner", "labels": ["Chemical", "Disease"]},
            "model": {"encoder": str(encoder_folder)},
            "data": {"train": [{"corpus": "none"}]},
            "optimizer": {"learning_rate": 2e-3},
            "run": {"epochs": 8, "checkpoint_every_steps": 1000},
        },
        place="toy",
    )
    listener = Recorder()
    learner = build_learner(recipe, listener.noted)
    rows = encode_rows(learner.task, learner.task.toy_documents() * 4, learner.tokenizer)
    source = document_source(recipe, learner, rows)
    loop = TrainingLoop(recipe, learner, source, output=tmp_path / "out", listener=listener)
    loop.run(resume=False)
    assert listener.losses[-1] < 0.85 * listener.losses[0]
    report = TrainingReport(recipe=recipe.resolved(), data={}, metrics={})
    write_model_folder(tmp_path / "out", learner, report)
    windows = [row.window for row in rows]
    heads = learner.task.heads()
    before = TorchPredictor(learner.network, device=torch.device("cpu")).predict(windows)
    after = load_predictor(tmp_path / "out", heads, TorchSettings("cpu")).predict(windows)
    for one, other in zip(before, after, strict=True):
        assert abs(one["tags"] - other["tags"]).max() < 1e-5


def test_padding_does_not_change_the_vectors(encoder_folder: Path) -> None:
    encoder = load_encoder(encoder_folder).eval()
    ids = torch.tensor([[0, 9, 12, 15, 2]])
    padded = torch.cat([ids, torch.full((1, 3), 1)], dim=1)
    mask = torch.arange(8)[None, :] < 5
    with torch.no_grad():
        alone = encoder(ids, None, torch.ones_like(ids, dtype=torch.bool))
        beside = encoder(padded, None, mask)
    torch.testing.assert_close(alone, beside[:, :5], atol=1e-5, rtol=1e-4)


def test_rows_of_all_positions_run(encoder_folder: Path) -> None:
    encoder = load_encoder(encoder_folder).eval()
    length = encoder.maximum_positions
    assert 128 <= length <= SIZES["max_position_embeddings"]
    with torch.no_grad():
        assert encoder(torch.full((1, length), 9)).shape == (1, length, 32)


def test_pickled_weights_are_refused(encoder_folder: Path) -> None:
    (encoder_folder / "model.safetensors").rename(encoder_folder / "pytorch_model.bin")
    with pytest.raises(BadInputError, match=r"safetensors|pickled"):
        load_encoder(encoder_folder)


def test_half_precision_is_read_as_float32(encoder_folder: Path) -> None:
    transformers.AutoModel.from_pretrained(encoder_folder).half().save_pretrained(encoder_folder)
    assert {one.dtype for one in read_tensors(encoder_folder).values()} == {torch.float16}
    network = Network(load_encoder(encoder_folder), [TAGS])
    assert {one.dtype for one in network.parameters()} == {torch.float32}
    assert network(torch.tensor([[0, 9, 12, 2]]))["tags"].dtype == torch.float32


def test_half_precision_with_a_decoder_is_read_as_float32(tmp_path: Path) -> None:
    sharp_encoder_decoder(seed=3).half().save_pretrained(tmp_path)
    tiny_tokenizer().save(tmp_path)
    model = load_encoder_decoder(tmp_path)
    assert {one.dtype for one in model.parameters()} == {torch.float32}


def with_older_tokenizer(folder: Path) -> Path:
    """The folder as RoBERTa was published: the pieces in two files of their own."""
    pieces = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    (folder / "vocab.json").write_text(json.dumps(pieces))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    (folder / "tokenizer.json").unlink()
    return folder


def test_an_older_tokenizer_is_written_anew_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = write(tmp_path / "encoder", "roberta")
    before = Tokenizer.from_folder(folder)
    with_older_tokenizer(folder)
    assert find_encoder_folder(str(folder)) == folder
    assert "tokenizer.json has been made" in caplog.text
    after = Tokenizer.from_folder(folder)
    assert after.fingerprint() == before.fingerprint()
    text = f" {TEXT}"
    assert after.pieces([text])[0].ids.tolist() == before.pieces([text])[0].ids.tolist()
    caplog.clear()
    find_encoder_folder(str(folder))
    assert not caplog.text


def test_an_older_tokenizer_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "roberta", "roberta")
    (folder / "tokenizer.json").rename(folder / "other.model")
    with pytest.raises(BadInputError, match=r"roberta: .* 5 pieces, not 261: a file is missing"):
        find_encoder_folder(str(folder))
    folder = write(tmp_path / "deberta", "deberta-v2")
    (folder / "tokenizer.json").unlink()
    (folder / "spm.model").write_bytes(b"no pieces")
    with pytest.raises(BadInputError, match=r"deberta: .*pip install sentencepiece protobuf"):
        find_encoder_folder(str(folder))
    assert not (folder / "tokenizer.json").exists()


def test_a_name_that_cannot_be_fetched_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(BiobertError, match="nobody/nothing"):
        find_encoder_folder("nobody/nothing")


def test_the_command_keeps_the_language_model(tmp_path: Path) -> None:
    folder = write_tiny_encoder_folder(tmp_path / "bert", kind="BertForPreTraining")
    before = read_tensors(folder)
    torch.save(dict(before), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(BadInputError, match="only pickled weights") as refused:
        load_encoder(folder)
    command = str(refused.value).partition("convert them once: ")[2]
    _, _, program = shlex.split(command)
    exec(program, {})
    after = read_tensors(folder)
    assert "cls.predictions.transform.dense.weight" in after
    assert all(torch.equal(after[name], before[name]) for name in before)
