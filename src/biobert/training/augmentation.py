"""Changed copies of documents by models: words that a language model fills in anew, sentences that
two translators carry into another language and back."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from biobert.core.document import Document, Span
from biobert.core.editing import Edit, edited
from biobert.core.task import Outputs, Window
from biobert.data.augmentation import (
    WORD,
    Augmentation,
    AugmentationSettings,
    augmented,
    check_rate,
    term_augmentations,
    with_case_of,
    words_outside,
)
from biobert.data.rejects import Rejects
from biobert.model.checkpoint import find_encoder_folder
from biobert.model.predictor import TorchPredictor, load_language_model
from biobert.model.torch_settings import TorchSettings
from biobert.model.translation import Translator, load_translator
from biobert.tasks.pretraining import MASK_MARK, Pretraining, gap_candidates
from biobert.text.sentences import sentences_of
from biobert.text.tokenizer import Tokenizer

CHANGED = "changed"
MASK = "[MASK]"
WINDOWS_AT_ONCE = 16
"""A language model answers with its whole vocabulary at every token: memory stays small."""


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """A masked language model that is ready to fill gaps."""

    tokenizer: Tokenizer
    task: Pretraining
    predictor: TorchPredictor

    @classmethod
    def load(cls, name: str, *, device: str | None = None) -> "LanguageModel":
        """That of a BERT folder or Hugging Face name."""
        folder = find_encoder_folder(name)
        task = Pretraining.from_settings({"pairs": "none"})
        predictor = load_language_model(folder, task.heads(), TorchSettings(device))
        return cls(Tokenizer.from_folder(folder), task, predictor)


@dataclass(frozen=True, slots=True)
class FillWords:
    """Hides a share of the words outside entities and lets a language model fill them in anew.

    A gap is filled by one of the `top` likeliest whole words, by their probabilities, never by the
    word that stood there (Wu et al. 2018, arXiv:1812.06705, without the labels). A sentence that is
    longer than the model's rows, or has gaps of its own, stays as it is.
    """

    model: LanguageModel
    rate: float
    top: int = 5

    def __post_init__(self) -> None:
        check_rate(self.rate, "rate of filled words")

    def __call__(self, document: Document, generator: np.random.Generator) -> Document:
        """The document with some words of the model."""
        words = words_outside(document)
        chances = generator.random(len(words)).tolist()
        chosen = [word for word, chance in zip(words, chances, strict=True) if chance < self.rate]
        edits: list[Edit] = []
        known = self.model.tokenizer.known_ids
        for words_hidden, window, output in self._answers(document, chosen):
            found = gap_candidates(window, output, top=4 * self.top + 1, pieces=known)
            for word, (_, pieces, probabilities) in zip(words_hidden, found, strict=True):
                text = document.text[word.start : word.end]
                filled = self._filling(text, pieces, probabilities, generator)
                if filled is not None:
                    edits.append(Edit(word.start, word.end, filled))
        return edited(document, edits)

    def _answers(
        self, document: Document, chosen: Sequence[Span]
    ) -> Iterator[tuple[list[Span], Window, Outputs]]:
        """For each sentence with hidden words these, its window, and what the model says of it."""
        asked = list(self._windows(document, chosen))
        for start in range(0, len(asked), WINDOWS_AT_ONCE):
            part = asked[start : start + WINDOWS_AT_ONCE]
            outputs = self.model.predictor.predict([window for _, window in part])
            for (hidden, window), output in zip(part, outputs, strict=True):
                yield hidden, window, output

    def _windows(
        self, document: Document, chosen: Sequence[Span]
    ) -> Iterator[tuple[list[Span], Window]]:
        for sentence in sentences_of(document):
            hidden = [one for one in chosen if sentence.start <= one.start < sentence.end]
            text = document.text[sentence.start : sentence.end]
            if not hidden or MASK_MARK.search(text):
                continue
            gaps = [
                Edit(one.start - sentence.start, one.end - sentence.start, MASK) for one in hidden
            ]
            masked = edited(Document("", text), gaps)
            ((window,),) = self.model.task.encode(
                self.model.task.examples(masked), self.model.tokenizer
            )
            if len(window) <= self.model.predictor.maximum_positions:
                yield hidden, window

    def _filling(
        self,
        word: str,
        pieces: np.ndarray,
        probabilities: np.ndarray,
        generator: np.random.Generator,
    ) -> str | None:
        """Another word for a gap, or None where the model knows none."""
        backend = self.model.tokenizer.backend
        names = [str(backend.id_to_token(int(one))) for one in pieces]
        others = [
            (piece, float(probability))
            for piece, probability in zip(names, probabilities, strict=True)
            if WORD.fullmatch(piece) and piece.lower() != word.lower()
        ][: self.top]
        if not others:
            return None
        weights = np.array([probability for _, probability in others])
        number = int(generator.choice(len(others), p=weights / weights.sum()))
        return with_case_of(word, others[number][0])


@dataclass(frozen=True, slots=True)
class BackTranslation:
    """Carries a share of the sentences into another language and back (arXiv:1511.06709).

    Both ways draw among the ten likeliest words (arXiv:1808.09381). Mentions must come back word
    for word, each once and in the same order, or the sentence stays as it is; `counts` has
    the sentences that were changed, and those that were not by reason.
    """

    forth: Translator
    back: Translator
    rate: float
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        check_rate(self.rate, "rate of translated sentences")

    def __call__(self, document: Document, generator: np.random.Generator) -> Document:
        """The document with some sentences in other words."""
        sentences = sentences_of(document)
        chances = generator.random(len(sentences)).tolist()
        chosen = [one for one, chance in zip(sentences, chances, strict=True) if chance < self.rate]
        texts = [" ".join(document.text[one.start : one.end].split()) for one in chosen]
        edits: list[Edit] = []
        for sentence, translated in zip(
            chosen, self._there_and_back(texts, generator), strict=True
        ):
            edits += self._edits(document, sentence, translated)
        return edited(document, edits)

    def _there_and_back(
        self, texts: Sequence[str], generator: np.random.Generator
    ) -> list[str | None]:
        if not texts:
            return []
        seeds = generator.integers(2**31, size=2).tolist()
        foreign = self.forth.translated(texts, seed=seeds[0])
        whole = [text for text in foreign if text]
        returned = iter(self.back.translated(whole, seed=seeds[1])) if whole else iter(())
        return [next(returned) if text else None for text in foreign]

    def _edits(self, document: Document, sentence: Span, translated: str | None) -> list[Edit]:
        """The edits that put the translation between the mentions, none where it does not fit."""
        found = self._gaps(document, sentence, translated)
        if isinstance(found, str):
            self.counts[found] += 1
            return []
        self.counts[CHANGED] += 1
        return found

    def _gaps(self, document: Document, sentence: Span, translated: str | None) -> list[Edit] | str:
        """The same edits, or why there are none."""
        blocks = _blocks(document, sentence)
        if blocks is None:
            return "a mention leaves its sentence"
        if translated is None:
            return "no end of the translation"
        mentions = [document.text[one.start : one.end] for one in blocks]
        if isinstance(found_in_order(document.text[sentence.start : sentence.end], mentions), str):
            return "words of a mention stand elsewhere unmarked"
        places = found_in_order(translated, mentions)
        if isinstance(places, str):
            return places
        old = _between(blocks, sentence)
        new = _between(places, Span(0, len(translated)))
        for edge in (0, -1):
            # Text put before a first mention would fall out of its sentence.
            if old[edge][0] == old[edge][1] and new[edge][0] < new[edge][1]:
                return "a mention left the edge of its sentence"
        return [
            Edit(*around, translated[slice(*inside)])
            for around, inside in zip(old, new, strict=True)
        ]


def augmented_copies(
    settings: AugmentationSettings,
    documents: Sequence[Document],
    *,
    seed: int,
    note: Callable[[str], None],
    device: str | None = None,
) -> list[Document]:
    """The copies that the settings ask for; `note` hears how many, and what was set aside."""
    rejects = Rejects()
    methods = build_augmentations(settings, documents, rejects, device=device)
    copies = list(augmented(documents, methods, copies=settings.copies, seed=seed))
    note(f"augmentation: {len(copies)} changed copies of {len(documents)} documents")
    for method in methods:
        if isinstance(method, BackTranslation):
            counts = (f"{reason} {count}" for reason, count in method.counts.most_common())
            note(f"translated sentences: {', '.join(counts)}")
    if rejects.count:
        first = rejects.kept[0]
        note(
            f"{rejects.count} rows of term lists were set aside, the first at {first.file}:"
            f"{first.place}: {first.reason}"
        )
    return copies


def found_in_order(text: str, mentions: Sequence[str]) -> list[Span] | str:
    """Where these mentions stand in a text, in this order and no more often; or why they do not."""
    if not mentions:
        return []
    longest_first = sorted(set(mentions), key=len, reverse=True)
    pattern = "|".join(map(_whole, longest_first))
    matches = list(re.finditer(pattern, text, re.IGNORECASE))
    found = [match.group() for match in matches]
    if found == list(mentions):
        return [Span(*match.span()) for match in matches]
    missing, extra = Counter(mentions) - Counter(found), Counter(found) - Counter(mentions)
    if missing:
        return "a mention is lost"
    return "a mention stands twice" if extra else "mentions in another order"


def _between(blocks: Sequence[Span], whole: Span) -> list[tuple[int, int]]:
    """The stretches before, between and behind some blocks."""
    starts = [whole.start, *(one.end for one in blocks)]
    stops = [*(one.start for one in blocks), whole.end]
    return list(zip(starts, stops, strict=True))


def build_augmentations(
    settings: AugmentationSettings,
    documents: Sequence[Document],
    rejects: Rejects,
    *,
    device: str | None = None,
) -> list[Augmentation]:
    """The methods that the settings ask for; `documents` are those whose mentions are exchanged."""
    methods: list[Augmentation] = []
    if settings.translated_rate:
        forth, back = (load_translator(one, device=device) for one in settings.translators)
        methods.append(BackTranslation(forth, back, settings.translated_rate))
    if settings.language_model is not None:
        model = LanguageModel.load(settings.language_model, device=device)
        methods.append(FillWords(model, settings.filled_rate, settings.top))
    return [*methods, *term_augmentations(settings, documents, rejects)]


def _whole(mention: str) -> str:
    """A pattern for the mention where no letter goes on with it."""
    before = r"(?<!\w)" if mention[0].isalnum() else ""
    behind = r"(?!\w)" if mention[-1].isalnum() else ""
    return f"{before}{re.escape(mention)}{behind}"


def _blocks(document: Document, sentence: Span) -> list[Span] | None:
    """The stretches of a sentence that must stay: mentions, overlapping ones as one.

    None where a mention leaves the sentence.
    """
    blocks: list[Span] = []
    for entity in sorted(document.entities, key=lambda one: (one.start, one.end)):
        if entity.end <= sentence.start or entity.start >= sentence.end:
            continue
        if entity.start < sentence.start or entity.end > sentence.end:
            return None
        if blocks and entity.start < blocks[-1].end:
            blocks[-1] = Span(blocks[-1].start, max(blocks[-1].end, entity.end))
        else:
            blocks.append(Span(entity.start, entity.end))
    return blocks
