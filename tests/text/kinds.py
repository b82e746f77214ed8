"""Tokenizers of every kind that encoders come with."""

from tokenizers import normalizers, pre_tokenizers, processors

from biobert.text.tokenizer import Tokenizer
from tests.model.test_hub import byte_level, unigram
from tests.tiny import tiny_tokenizer


def _unigram(*parted: pre_tokenizers.PreTokenizer) -> Tokenizer:
    backend = unigram()
    backend.pre_tokenizer = pre_tokenizers.Sequence(list(parted))
    return Tokenizer(backend)


def _modern() -> Tokenizer:
    """Bytes, and blanks that stand before the next word's offsets too."""
    backend = byte_level()
    backend.normalizer = normalizers.NFC()
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    ends = [("<s>", 0), ("</s>", 2)]
    backend.post_processor = processors.TemplateProcessing("<s> $A </s>", special_tokens=ends)
    return Tokenizer(backend)


def _folded() -> Tokenizer:
    """Signs become several letters, and accents none."""
    backend = unigram()
    folds = [normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()]
    backend.normalizer = normalizers.Sequence(folds)
    return Tokenizer(backend)


KINDS = {
    "BERT": tiny_tokenizer(),
    "RoBERTa": Tokenizer(byte_level()),
    "ModernBERT": _modern(),
    "DeBERTa": Tokenizer(unigram()),
    "XLM-RoBERTa": _unigram(pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()),
    "XLNet": _folded(),
    "undivided": _unigram(pre_tokenizers.Metaspace(split=False)),
}
