"""Tokenizers of every kind that encoders come with."""

from tokenizers import pre_tokenizers

from biobert.text.tokenizer import Tokenizer
from tests.model.test_hub import byte_level, unigram
from tests.tiny import tiny_tokenizer


def _unigram(*parted: pre_tokenizers.PreTokenizer) -> Tokenizer:
    backend = unigram()
    backend.pre_tokenizer = pre_tokenizers.Sequence(list(parted))
    return Tokenizer(backend)


KINDS = {
    "BERT": tiny_tokenizer(),
    "RoBERTa": Tokenizer(byte_level()),
    "DeBERTa": Tokenizer(unigram()),
    "XLM-RoBERTa": _unigram(pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()),
    "undivided": _unigram(pre_tokenizers.Metaspace(split=False)),
}
