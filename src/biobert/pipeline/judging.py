"""What a model thinks of every gold label, and which labels look wrong."""

import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from textwrap import shorten

import numpy as np

from biobert.core.certainty import chooses
from biobert.core.document import Document
from biobert.core.errors import MissingExtraError
from biobert.core.probabilities import joined, sigmoid, softmax
from biobert.core.task import (
    IGNORED,
    Example,
    FloatArray,
    HeadSpec,
    IntArray,
    Task,
    Window,
)
from biobert.evaluation.labels import OUTSIDE
from biobert.pipeline.load import LoadedModel
from biobert.tasks.pos import CONTINUES

CONTEXT = 40
LONGEST_SHOWN = 200
"""Characters of a text that stands for its label, such as a whole abstract."""
CHUNK_DOCUMENTS = 200


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """One gold label beside what the model thinks: `probabilities` (labels,) of `labels`.

    `nothing` is the one of these that says that no label is given.
    """

    document: Document
    start: int
    end: int
    labels: tuple[str, ...]
    gold: int
    probabilities: FloatArray
    nothing: str = OUTSIDE

    @property
    def is_given(self) -> bool:
        """Whether the gold gives a label here."""
        return self.labels[self.gold] != self.nothing


@dataclass(frozen=True, slots=True)
class Suspect:
    """A gold label that is probably wrong: the text with some context, both labels, and how likely
    the model takes each."""

    document: str
    start: int
    text: str
    gold: str
    gold_probability: float
    model: str
    model_probability: float


def is_judged(task: Task) -> bool:
    """Whether gold labels of the task are looked at: its heads choose among labels."""
    return any(map(chooses, task.heads()))


def judgements(model: LoadedModel, documents: Sequence[Document]) -> Iterator[Judgement]:
    """Every gold label of the documents, of tasks whose heads choose among labels."""
    task = model.task
    heads = [head for head in task.heads() if chooses(head)]
    for start in range(0, len(documents) if heads else 0, CHUNK_DOCUMENTS):
        some = documents[start : start + CHUNK_DOCUMENTS]
        examples = [example for one in some for example in task.examples(one)]
        encoded = task.encode(examples, model.tokenizer)
        outputs = iter(model.predictor.predict([one for parts in encoded for one in parts]))
        for example, windows in zip(examples, encoded, strict=True):
            targets = task.targets(example, windows)
            answers = [task.corrected(next(outputs)) for _ in windows]
            for head in heads:
                gold = [one[head.name].astype(np.int64) for one in targets]
                logits = [one[head.name] for one in answers]
                if head.kind == "token":
                    for row in zip(windows, gold, logits, strict=True):
                        yield from _of_words(head, example, *row)
                elif windows:
                    yield from _of_example(head, example, gold[0], np.stack(logits))


def suspects(found: Sequence[Judgement], *, most: int) -> tuple[int, list[Suspect]]:
    """How many labels look wrong, and the least likely of them.

    Confident learning (Northcutt et al. 2021, arXiv:1911.00068) through cleanlab, for each group of
    labels alone, and for each that stands alone against the rest, as cleanlab does for several
    labels. The model must not have learnt from these labels.
    """
    if find_spec("cleanlab") is None:
        raise MissingExtraError("cleanlab", "diagnose")
    from cleanlab.filter import find_label_issues

    groups: defaultdict[tuple[str, ...], list[Judgement]] = defaultdict(list)
    for one in found:
        groups[one.labels].append(one)
    wrong: list[Judgement] = []
    for members in groups.values():
        gold = np.array([one.gold for one in members])
        if len(np.unique(gold)) < 2:
            continue
        likely = np.stack([one.probabilities for one in members])
        with warnings.catch_warnings():
            # A label with five examples or less: cleanlab leaves it alone, and says so.
            warnings.filterwarnings("ignore", message="May not flag all label issues")
            flags = find_label_issues(gold, likely, n_jobs=1)
        wrong += [one for one, flag in zip(members, flags, strict=True) if flag]
    wrong.sort(key=lambda one: float(one.probabilities[one.gold]))
    return len(wrong), [_suspect(one) for one in wrong[:most]]


def _of_words(
    head: HeadSpec, example: Example, window: Window, gold: IntArray, logits: FloatArray
) -> Iterator[Judgement]:
    """Of a window (length, groups) and (length, labels): a judgement for each word and group."""
    for column, (group, part) in enumerate(zip(head.groups, head.slices, strict=True)):
        # That a word goes on is no label of it.
        count = len(group.labels) - (group.labels[-1] == CONTINUES)
        likely = softmax(logits[:, part][:, :count])
        known = (gold[:, column] != IGNORED) & (gold[:, column] < count)
        for place in np.flatnonzero(known).tolist():
            start, end = _word(window, place)
            own = int(gold[place, column])
            yield Judgement(example.document, start, end, group.labels[:count], own, likely[place])


def _of_example(
    head: HeadSpec, example: Example, gold: IntArray, logits: FloatArray
) -> Iterator[Judgement]:
    """Of all windows (windows, labels) of an example together, as its task decodes them."""
    document, start, end = example.document, example.start, example.end
    together = joined(logits, head.loss)
    if head.loss == "binary":
        likely = sigmoid(together)
        names = [label for group in head.groups for label in group.labels]
        for name, own, share in zip(names, gold.tolist(), likely.tolist(), strict=True):
            if own != IGNORED:
                labels = (f"not {name}", name)
                both = np.array([1.0 - share, share], dtype=np.float32)
                yield Judgement(document, start, end, labels, own, both, nothing=labels[0])
        return
    for group, part, own in zip(head.groups, head.slices, gold.tolist(), strict=True):
        if own != IGNORED:
            likely = softmax(together[part])
            yield Judgement(document, start, end, group.labels, own, likely)


def _word(window: Window, place: int) -> tuple[int, int]:
    """The characters of the word that begins at a token."""
    last = place
    while last + 1 < len(window) and window.words[last + 1] == window.words[place]:
        last += 1
    return int(window.offsets[place, 0]), int(window.offsets[last, 1])


def _suspect(one: Judgement) -> Suspect:
    text = one.document.text
    before = text[max(0, one.start - CONTEXT) : one.start]
    after = text[one.end : one.end + CONTEXT]
    own = shorten(text[one.start : one.end], LONGEST_SHOWN, placeholder=" …")
    best = int(np.argmax(one.probabilities))
    return Suspect(
        document=one.document.id,
        start=one.start,
        text=" ".join(f"{before}[{own}]{after}".split()),
        gold=one.labels[one.gold],
        gold_probability=float(one.probabilities[one.gold]),
        model=one.labels[best],
        model_probability=float(one.probabilities[best]),
    )
