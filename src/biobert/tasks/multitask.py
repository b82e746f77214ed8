"""Multi-task learning: several tasks on one encoder, each with heads of its own.

Hard parameter sharing (Caruana 1997; MT-DNN, Liu et al. 2019, arXiv:1901.11504): every corpus
teaches the part that its source in the recipe names, and all of them the encoder. A text that
belongs to no part is answered by all that can read it, and parts that read the same rows share a
pass of the encoder.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.shelf import unknown_name
from biobert.core.task import (
    IGNORED,
    Example,
    HeadSpec,
    InputName,
    Outputs,
    Predictor,
    Score,
    Scores,
    Targets,
    Task,
    TextTokenizer,
    Window,
)
from biobert.evaluation.spans import check_same_texts
from biobert.tasks import build_task
from biobert.tasks._together import together

PART = "biobert part"
"""Metadata of a document that belongs to one part alone: a recipe's data, or an example's. No file
has such a key of its own."""
SHARED_KINDS = ("token", "sequence", "marked", "span")


@dataclass(frozen=True, slots=True)
class MultitaskSettings:
    """The parts by name, each a task's own settings with its `name` (`{name = "ner", ...}`)."""

    parts: Mapping[str, Mapping[str, Any]]

    def __post_init__(self) -> None:
        if not self.parts:
            raise BadInputError("[task] parts is empty: name at least one, such as [task.parts.x]")
        for part, settings in self.parts.items():
            if not part.isidentifier():
                raise BadInputError(f"[task.parts] {part!r}: letters, digits and _ make a name")
            if not isinstance(settings, Mapping):
                raise BadInputError(f"[task.parts] {part} = {settings!r}: expected a table")
            if not isinstance(settings.get("name"), str):
                raise BadInputError(f"[task.parts.{part}] setting 'name' is missing: the task's")
            if settings["name"] == Multitask.name:
                raise BadInputError(f"[task.parts.{part}] has parts itself; name them in its place")


class Multitask(Task):
    """Answers what each of its parts answers."""

    name: ClassVar[str] = "multitask"
    settings_type: ClassVar[type] = MultitaskSettings
    _settings: MultitaskSettings

    def __init__(self, settings: MultitaskSettings) -> None:
        self.parts = {part: _part(part, values) for part, values in settings.parts.items()}
        super().__init__(_settings_of(self.parts))
        self.marks = max((head.marks for head in self.heads()), default=0)

    def only(self, parts: Collection[str]) -> Self:
        """The task of some parts, with the rows that the network of all of them reads."""
        some = copy(self)
        some.parts = {part: task for part, task in self.parts.items() if part in parts}
        some._settings = _settings_of(some.parts)
        return some

    def heads(self) -> tuple[HeadSpec, ...]:
        """Those of all parts, each under its part's name and its own."""
        return tuple(
            replace(head, name=head_name(part, head.name))
            for part, task in self.parts.items()
            for head in task.heads()
        )

    def heads_of(self, example: Example) -> tuple[HeadSpec, ...]:
        """Those of the example's part."""
        prefix = head_name(example.document.metadata[PART], "")
        return tuple(head for head in self.heads() if head.name.startswith(prefix))

    def inputs(self) -> tuple[InputName, ...]:
        """What any of the parts reads."""
        return tuple(dict.fromkeys(one for task in self.parts.values() for one in task.inputs()))

    def examples(self, document: Document) -> list[Example]:
        """Those of the document's own part, or of all parts that read it, in order."""
        return [
            example
            for part, task in self._responsible(document)
            for example in task.examples(_belonging(document, part))
        ]

    def encode(
        self, examples: Sequence[Example], tokenizer: TextTokenizer
    ) -> list[tuple[Window, ...]]:
        """As its part encodes each example; equal rows are one and the same window."""
        numbers: defaultdict[str, list[int]] = defaultdict(list)
        for number, example in enumerate(examples):
            numbers[example.document.metadata[PART]].append(number)
        encoded: dict[int, tuple[Window, ...]] = {}
        known: dict[tuple[bytes, ...], Window] = {}
        for part, own in numbers.items():
            found = self.parts[part].encode([examples[number] for number in own], tokenizer)
            for number, windows in zip(own, found, strict=True):
                marked = (_with_marks(window, self.marks) for window in windows)
                encoded[number] = tuple(known.setdefault(_key(one), one) for one in marked)
        return [encoded[number] for number in range(len(examples))]

    def targets(self, example: Example, windows: Sequence[Window]) -> list[Targets]:
        """The gold of the example's part; heads of other parts learn nothing from it."""
        part = example.document.metadata[PART]
        own = self.parts[part].targets(example, windows)
        return [
            self._nothing(window) | {head_name(part, head): one for head, one in gold.items()}
            for window, gold in zip(windows, own, strict=True)
        ]

    def learnt_share(self, example: Example) -> float:
        """As the example's part has it."""
        return self.parts[example.document.metadata[PART]].learnt_share(example)

    def unlearnt(self, documents: Sequence[Document]) -> list[str]:
        """What each part has to say of the documents that belong to it."""
        return [
            f"{part}: {words}"
            for part, task in self.parts.items()
            for words in task.unlearnt([one for one in documents if one.metadata.get(PART) == part])
        ]

    def decode(
        self,
        document: Document,
        windows: Sequence[tuple[Window, ...]],
        outputs: Sequence[Sequence[Outputs]],
    ) -> Document:
        """The answers of every part, put together; each sees the entities as they came.

        Entities that a part finds take the place of those, but for the ends of relations.
        """
        return self.decode_many([document], [windows], [outputs])[0]

    def decode_many(
        self,
        documents: Sequence[Document],
        windows: Sequence[Sequence[tuple[Window, ...]]],
        outputs: Sequence[Sequence[Sequence[Outputs]]],
    ) -> list[Document]:
        """Each part decodes all of its documents at once."""
        bare = [replace(one, relations=(), labels=(), label_scores={}) for one in documents]
        answers: list[list[Document]] = [[] for _ in bare]
        for part, places in self._places(bare).items():
            found = self.parts[part].decode_many(
                [bare[number] for number, _ in places],
                [windows[number][place] for number, place in places],
                [_of_part(outputs[number][place], part) for number, place in places],
            )
            for (number, _), answer in zip(places, found, strict=True):
                answers[number].append(answer)
        return [
            some[0] if len(some) == 1 else together(document, some)
            for document, some in zip(bare, answers, strict=True)
        ]

    def corrected(self, output: Outputs) -> Outputs:
        """As each part corrects its own."""
        return self._by_own_part(output, lambda task, own: task.corrected(own))

    def decided(self, output: Outputs) -> Outputs:
        """As each part decides its own."""
        return self._by_own_part(output, lambda task, own: task.decided(own))

    def measure(self) -> str:
        """Each part has a measure of its own."""
        return "mean over tasks"

    def score(self, gold: Sequence[Document], predicted: Sequence[Document]) -> Scores:
        """The mean of the parts' scores, each over the documents that belong to it."""
        check_same_texts(gold, predicted)
        found = {
            part: self.parts[part].score([one for one, _ in pairs], [other for _, other in pairs])
            for part, pairs in self._by_part(gold, predicted).items()
        }
        scores = list(found.values())
        return Scores(
            main=_mean_of(one.main for one in scores),
            micro=_mean([one.micro for one in scores]),
            by_label={
                f"{part} {label}": score
                for part, one in found.items()
                for label, score in one.by_label.items()
            },
            details={part: one.main for part, one in found.items()},
        )

    def weighing(self) -> Self:
        """All parts as they answer for `tuned`."""
        return type(self)(
            _settings_of({part: task.weighing() for part, task in self.parts.items()})
        )

    def tuned(self, gold: Sequence[Document], predicted: Iterable[Document]) -> Self:
        """Each part with what is best chosen on the documents that belong to it."""
        parts = dict(self.parts)
        for part, pairs in self._by_part(gold, list(predicted)).items():
            parts[part] = parts[part].tuned([one for one, _ in pairs], [two for _, two in pairs])
        return type(self)(_settings_of(parts))

    @classmethod
    def toy_documents(cls) -> list[Document]:
        """Sentences with names for one part, and labelled ones for another."""
        toys = {
            "names": build_task("ner", {"labels": ["Chemical", "Disease"]}),
            "answers": build_task("classification", {"labels": ["yes", "no", "maybe"]}),
        }
        return [
            _belonging(document, part)
            for part, task in toys.items()
            for document in task.toy_documents()
        ]

    def _responsible(self, document: Document) -> Iterator[tuple[str, Task]]:
        part = document.metadata.get(PART)
        if part is None:
            # Where no part can read it, the first one says what it needs.
            readers = [(name, task) for name, task in self.parts.items() if _reads(task, document)]
            yield from readers or self.parts.items()
        elif part in self.parts:
            yield part, self.parts[part]
        else:
            raise unknown_name("part", part, self.parts)

    def _by_own_part(self, output: Outputs, change: Callable[[Task, Outputs], Outputs]) -> Outputs:
        return {
            head_name(part, head): logits
            for part, task in self.parts.items()
            for head, logits in change(task, _own([output], part)[0]).items()
        }

    def _places(self, documents: Sequence[Document]) -> dict[str, list[tuple[int, slice]]]:
        """By part, in their order: which documents it answers, and which of their examples."""
        places: dict[str, list[tuple[int, slice]]] = {part: [] for part in self.parts}
        for number, document in enumerate(documents):
            start = 0
            for part, task in self._responsible(document):
                stop = start + len(task.examples(_belonging(document, part)))
                places[part].append((number, slice(start, stop)))
                start = stop
        return places

    def _by_part(
        self, gold: Sequence[Document], predicted: Sequence[Document]
    ) -> dict[str, list[tuple[Document, Document]]]:
        pairs: defaultdict[str, list[tuple[Document, Document]]] = defaultdict(list)
        for one, other in zip(gold, predicted, strict=True):
            part = one.metadata.get(PART)
            if part is None:
                raise BadInputError(
                    f"document {one.id!r} belongs to no part ({', '.join(self.parts)}): say `part` "
                    "under [data], or `biobert split` the model and score a part of it"
                )
            pairs[part].append((one, other))
        return dict(pairs)

    def _nothing(self, window: Window) -> dict[str, Any]:
        return {
            head.name: np.full(
                (len(window), head.target_width) if head.kind == "token" else head.target_width,
                IGNORED,
                dtype=np.float32 if head.loss == "squared-error" else np.int64,
            )
            for head in self.heads()
        }


TASK = Multitask


class PartPredictor:
    """The network of all parts, as one part's own."""

    def __init__(self, predictor: Predictor, whole: Multitask, part: str) -> None:
        self._predictor, self._marks, self._part = predictor, whole.marks, part

    def predict(self, windows: Sequence[Window]) -> list[Outputs]:
        """The part's outputs for each of its windows."""
        rows = [_with_marks(window, self._marks) for window in windows]
        return _own(self._predictor.predict(rows), self._part)


def tasks_in(task: Task) -> tuple[Task, ...]:
    """The parts of a multitask; any other task is all there is."""
    return tuple(task.parts.values()) if isinstance(task, Multitask) else (task,)


def part_of_task(task: Task, name: str | None) -> Task:
    """The part of a multitask that is called `name`; None stands for the task as it is."""
    if name is None:
        return task
    parts = task.parts if isinstance(task, Multitask) else {}
    if name not in parts:
        raise unknown_name("part of the model", name, parts)
    return parts[name]


def head_name(part: str, head: str) -> str:
    """What a part's head is called in the network of all."""
    return f"{part}-{head}"


def _part(part: str, values: Mapping[str, Any]) -> Task:
    settings = {key: value for key, value in values.items() if key != "name"}
    task = build_task(values["name"], settings)
    for head in task.heads():
        if head.kind not in SHARED_KINDS:
            raise BadInputError(
                f"[task.parts.{part}] {task.name} has a {head.kind!r} head, which needs batches of "
                f"its own; tasks with {', '.join(SHARED_KINDS)} heads can share them"
            )
    return task


def _settings_of(parts: Mapping[str, Task]) -> MultitaskSettings:
    return MultitaskSettings(
        {part: {"name": task.name, **task.settings()} for part, task in parts.items()}
    )


def _reads(task: Task, document: Document) -> bool:
    """Whether the document has the passages that a task reads: a plain text is no question."""
    kinds = {one.kind for one in document.passages if one.end > one.start}
    return kinds.issuperset(task.passages)


def _belonging(document: Document, part: str) -> Document:
    return replace(document, metadata={**document.metadata, PART: part})


def _with_marks(window: Window, count: int) -> Window:
    """The window with as many marks as any; those that no head of its part reads are 0."""
    if len(window.marks) == count:
        return window
    return replace(window, marks=np.pad(window.marks, (0, count - len(window.marks))))


def _key(window: Window) -> tuple[bytes, ...]:
    arrays = (window.token_ids, window.segment_ids, window.offsets, window.words, window.marks)
    owned = f"{window.owned.start}:{window.owned.stop}".encode()
    return (owned, *(one.tobytes() for one in arrays))


def _of_part(outputs: Sequence[Sequence[Outputs]], part: str) -> list[list[Outputs]]:
    return [_own(some, part) for some in outputs]


def _own(outputs: Sequence[Outputs], part: str) -> list[Outputs]:
    prefix = head_name(part, "")
    return [
        {
            name.removeprefix(prefix): logits
            for name, logits in output.items()
            if name.startswith(prefix)
        }
        for output in outputs
    ]


def _mean(scores: Sequence[Score]) -> Score:
    return Score(
        precision=_mean_of(one.precision for one in scores),
        recall=_mean_of(one.recall for one in scores),
        f1=_mean_of(one.f1 for one in scores),
        support=sum(one.support for one in scores),
    )


def _mean_of(figures: Iterable[float]) -> float:
    known = list(figures)
    return sum(known) / max(1, len(known))
