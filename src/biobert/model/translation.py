"""Translation by any sequence-to-sequence model of transformers (Marian, T5, BART, ...)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from biobert.core.batching import length_sorted_batches
from biobert.core.errors import BadInputError
from biobert.core.hub import CHECKPOINT_FILES, find_published_folder
from biobert.data.augmentation import TranslatorSettings
from biobert.model.hub import read_weights
from biobert.model.predictor import torch_device

WANTED_FILES = (*CHECKPOINT_FILES, "*.spm")
TOKEN_BUDGET = 2048
LIKELIEST = 10
LARGEST = 1 << 20
SPARE_TOKENS = 16
"""A translation may be half as long again as its sentence, and by so many tokens longer."""


@dataclass(frozen=True, slots=True)
class Translator:
    """A model of one pair of languages and its tokenizer; `prefix` stands before each sentence."""

    model: Any
    tokenizer: Any
    prefix: str
    longest: int

    def translated(self, texts: Sequence[str], *, seed: int) -> list[str | None]:
        """Each text in the other language, drawn word by word from the ten likeliest.

        None stands for a text longer than the model reads, and for one that found no end.
        """
        ids = [self.tokenizer(self.prefix + text)["input_ids"] for text in texts]
        found: list[str | None] = [None] * len(texts)
        fitting = [number for number, one in enumerate(ids) if len(one) <= self.longest]
        lengths = [len(ids[number]) for number in fitting]
        devices = [self.model.device] if self.model.device.type == "cuda" else []
        with torch.random.fork_rng(devices), torch.no_grad():
            torch.manual_seed(seed)
            for batch in length_sorted_batches(lengths, token_budget=TOKEN_BUDGET):
                numbers = [fitting[int(one)] for one in batch]
                answers = self._generated([ids[number] for number in numbers])
                for number, answer in zip(numbers, answers, strict=True):
                    found[number] = answer
        return found

    def _generated(self, rows: Sequence[Sequence[int]]) -> list[str | None]:
        inputs = self.tokenizer.pad({"input_ids": list(rows)}, return_tensors="pt")
        longest = inputs["input_ids"].shape[1]
        made = self.model.generate(
            input_ids=inputs["input_ids"].to(self.model.device),
            attention_mask=inputs["attention_mask"].to(self.model.device),
            do_sample=True,
            num_beams=1,
            top_k=LIKELIEST,
            max_new_tokens=min(self.longest, longest * 3 // 2 + SPARE_TOKENS) - 1,
        )
        return [self._text(row) for row in made.tolist()]

    def _text(self, ids: Sequence[int]) -> str | None:
        if self.tokenizer.eos_token_id not in ids[1:]:
            return None
        text: str = self.tokenizer.decode(ids, skip_special_tokens=True).strip()
        return text or None


def load_translator(settings: TranslatorSettings, *, device: str | None = None) -> Translator:
    """The translator of a folder or Hugging Face name; only safetensors weights are read."""
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    folder = find_published_folder(settings.model, WANTED_FILES)
    if not list(folder.glob("*.safetensors")):
        raise BadInputError(
            f"{settings.model}: no *.safetensors; pickled weights are not read: "
            "take a revision with safetensors, or convert it"
        )
    try:
        model = read_weights(AutoModelForSeq2SeqLM, folder)
    except ValueError as problem:
        raise BadInputError(
            f"{settings.model} is no sequence-to-sequence model: {str(problem).splitlines()[0]}"
        ) from None
    tokenizer = AutoTokenizer.from_pretrained(folder)
    positions = getattr(model.config, "max_position_embeddings", None)
    longest = min(int(tokenizer.model_max_length), positions or LARGEST)
    return Translator(model.to(torch_device(device)).eval(), tokenizer, settings.prefix, longest)
