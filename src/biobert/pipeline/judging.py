"""What a model thinks of every gold label, and which labels look wrong."""

import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from biobert.core.certainty import CLASSIFYING, softmax
from biobert.core.document import Document
from biobert.core.errors import MissingExtraError
from biobert.core.task import IGNORED, Example, FloatArray, HeadSpec, Outputs, Window
from biobert.pipeline.load import LoadedModel

CONTEXT = 40
CHUNK_DOCUMENTS = 200


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """One gold label beside what the model thinks: `probabilities` (labels,) of `labels`."""

    document: Document
    start: int
    end: int
    labels: tuple[str, ...]
    gold: int
    probabilities: FloatArray


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


def judgements(model: LoadedModel, documents: Sequence[Document]) -> Iterator[Judgement]:
    """Every gold label of the documents, of tasks whose heads choose among labels."""
    task, heads = model.task, model.task.heads()
    for start in range(0, len(documents), CHUNK_DOCUMENTS):
        some = documents[start : start + CHUNK_DOCUMENTS]
        examples = [example for one in some for example in task.examples(one)]
        encoded = task.encode(examples, model.tokenizer)
        outputs = iter(model.predictor.predict([one for parts in encoded for one in parts]))
        for example, windows in zip(examples, encoded, strict=True):
            for window, targets in zip(windows, task.targets(example, windows), strict=True):
                output = next(outputs)
                for head in heads:
                    yield from _of_head(head, example, window, targets[head.name], output)


def suspects(found: Sequence[Judgement], *, most: int) -> tuple[int, list[Suspect]]:
    """How many labels look wrong, and the least likely of them.

    Confident learning (Northcutt et al. 2021, arXiv:1911.00068) through cleanlab, for each group of
    labels alone. The model must not have learnt from these labels.
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


def _of_head(
    head: HeadSpec, example: Example, window: Window, targets: np.ndarray, output: Outputs
) -> Iterator[Judgement]:
    if head.loss != "cross-entropy" or head.kind not in CLASSIFYING:
        return
    logits = output[head.name]
    rows = targets if head.kind == "token" else targets[None]
    scores = logits if head.kind == "token" else logits[None]
    for column, (group, part) in enumerate(zip(head.groups, head.slices, strict=True)):
        likely = softmax(scores[:, part], axis=-1)
        for place in np.flatnonzero(rows[:, column] != IGNORED).tolist():
            start, end = example.start, example.end
            if head.kind == "token":
                start, end = _word(window, place)
            gold = int(rows[place, column])
            yield Judgement(example.document, start, end, group.labels, gold, likely[place])


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
    best = int(np.argmax(one.probabilities))
    return Suspect(
        document=one.document.id,
        start=one.start,
        text=" ".join(f"{before}[{text[one.start : one.end]}]{after}".split()),
        gold=one.labels[one.gold],
        gold_probability=float(one.probabilities[one.gold]),
        model=one.labels[best],
        model_probability=float(one.probabilities[best]),
    )
