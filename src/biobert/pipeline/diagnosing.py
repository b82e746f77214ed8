"""Why a model is not better: its gap to training, its weak places, suspicious labels, and what to
try next."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.model_folder import ModelManifest
from biobert.core.task import Scores, Task
from biobert.data.places import CorpusPlaces
from biobert.data.rejects import Rejects
from biobert.evaluation.breakdown import Breakdown, Recall, break_down
from biobert.evaluation.errors import ErrorTable, error_table
from biobert.evaluation.overlap import Shared, Training, Unit, shared_spans
from biobert.pipeline.annotator import Annotator
from biobert.pipeline.evaluating import (
    Answered,
    TestSet,
    answered,
    finds_mentions,
    read_gold,
    read_training,
    scored_labels,
    shared_unit,
    with_labels_alone,
)
from biobert.pipeline.judging import Judgement, Suspect, is_judged, judgements, suspects
from biobert.pipeline.learnt_from import learnt_from
from biobert.text.sentences import sentences_of

SUSPECTS_SHOWN = 20
MOST_SHARED = 0.1
"""So much of a split may the model have learnt from: more would only show what it remembers."""
WIDE_GAP = 0.10
"""Between the scores on training and here: learnt by heart."""
LOW_TRAINING, POOR = 0.85, 0.75
"""Scores on training and here below which they are low, where they are shares."""
STILL_RISING = 0.01
"""What the last part of the training data must add to the score, that more may."""
LEARNT = 0.5
"""So much of the corpus's training split must be in what the model learnt from, for its score there
to tell how it learns."""
JUDGES = 0.5
"""The score from which on a model is asked which labels look wrong: a worse one takes its own
errors for them."""
NOISY = 0.05
"""Share of the given labels that look wrong."""
HARD_BORDERS = 0.4
"""Share of the errors that are boundaries."""
WEAK = 0.15
"""How far the recall of a kind of mentions lies below that of all."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The score of a model that learnt from a share of the training documents."""

    share: float
    score: float


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found; `advice` says in words what to try next.

    `judged` counts the gold labels (of words outside every mention none), and is None where those
    of the task are not looked at; `suspicious` what looks wrong, a missed mention too, and is None
    of a model whose score is below JUDGES. Breakdown and errors are those of mentions, None for
    other tasks. `training_score` is that on the corpus's training split, of which `training_learnt`
    says how large a share stands in what the model learnt from.
    `shared` counts what of the split the model has learnt from, as far as that is on this machine;
    `is_share` says that scores are shares of what is right, and no likeness or correlation.
    `set_aside` counts the records that could not be read.
    """

    model: str
    corpus: str
    split: str
    score: float
    training_score: float | None
    curve: tuple[CurvePoint, ...]
    judged: int | None
    suspicious: int | None
    suspects: tuple[Suspect, ...]
    breakdown: Breakdown | None
    errors: ErrorTable | None
    advice: tuple[str, ...]
    shared: Shared
    is_share: bool = True
    set_aside: int = 0
    training_learnt: float | None = None

    @property
    def knows_training(self) -> bool:
        """Whether the model has learnt from the training split on which it was scored."""
        return self.training_score is not None and _is_learnt(self.training_learnt)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


Learn = Callable[[float], Annotator]
"""Trains the model's own recipe on a share of its training documents."""


def diagnose(
    annotator: Annotator,
    test_set: TestSet,
    places: CorpusPlaces,
    *,
    shares: Sequence[float] = (),
    learn: Learn | None = None,
    rejects: Rejects | None = None,
) -> Diagnosis:
    """Look into a model by a split that it has not learnt from.

    With `learn`, models of these `shares` of the training data make a curve. Unreadable records go
    to `rejects`. Raises BadInputError where the model learnt from over MOST_SHARED of the split.
    """
    rejects = Rejects() if rejects is None else rejects
    task, manifest = annotator.model.task, annotator.model.manifest
    gold = read_gold(test_set, test_set.split, places, rejects)
    labels = scored_labels(task, gold, test_set.labels)
    learnt, unit = learnt_from(manifest, places=places), shared_unit(task)
    shared = _shared(gold, learnt, unit)
    _check_unseen(shared, manifest, test_set)
    training = read_training(test_set, places)
    known = None if training is None else _share(_shared(training, learnt, unit))
    wanted = test_set.labels
    answers = answered(annotator, gold, wanted)
    scores = answers.scores()
    found = list(judgements(annotator.model, _looked_for(gold, wanted)))
    count, worst = _suspects(found, scores)
    curve = [] if learn is None else [_point(learn, share, gold, wanted) for share in shares]
    seen = training if _is_learnt(known) else None
    diagnosis = Diagnosis(
        model=f"{manifest.name} {manifest.version}",
        corpus=test_set.corpus,
        split=test_set.split,
        score=scores.main,
        training_score=(
            None if training is None else answered(annotator, training, wanted).scores().main
        ),
        curve=(*curve, CurvePoint(1.0, scores.main)) if curve else (),
        judged=sum(one.is_given for one in found) if is_judged(task) else None,
        suspicious=count,
        suspects=tuple(worst),
        breakdown=_breakdown(answers, seen, labels) if finds_mentions(task) else None,
        errors=(
            error_table(answers.gold, answers.predicted, labels) if finds_mentions(task) else None
        ),
        advice=(),
        shared=shared,
        is_share=_is_share(task),
        set_aside=rejects.count,
        training_learnt=known,
    )
    return replace(diagnosis, advice=tuple(advice(diagnosis, scores)))


def _shared(gold: Sequence[Document], learnt: Training, unit: Unit) -> Shared:
    """What of the split is in the data that the model has learnt from."""
    count = sum(map(len, shared_spans(gold, learnt.documents, unit)))
    by_sentence = unit == "sentences"
    total = sum(len(sentences_of(one)) for one in gold) if by_sentence else len(gold)
    return Shared(count, total, unit, None, learnt.sources, learnt.missing)


def _suspects(found: Sequence[Judgement], scores: Scores) -> tuple[int | None, list[Suspect]]:
    """How many labels look wrong, and the first of them; None where the model cannot judge."""
    return suspects(found, most=SUSPECTS_SHOWN) if scores.main >= JUDGES else (None, [])


def _share(shared: Shared) -> float:
    return shared.count / max(1, shared.total)


def _is_learnt(share: float | None) -> bool:
    return share is not None and share >= LEARNT


def _check_unseen(shared: Shared, manifest: ModelManifest, test_set: TestSet) -> None:
    if shared.count > MOST_SHARED * shared.total:
        raise BadInputError(
            f"{manifest.name} has learnt from {shared.count} of the {shared.total} {shared.unit} "
            f"of {test_set.corpus} {test_set.split}: it would show what it remembers; name what it "
            "has not learnt from, such as --split test, or another corpus"
        )


def _is_share(task: Task) -> bool:
    return not any(one.kind == "text" or one.loss == "squared-error" for one in task.heads())


def _looked_for(documents: Sequence[Document], labels: Sequence[str] | None) -> list[Document]:
    """The documents whose annotators looked for some of the labels, and as if for no others."""
    if labels is None:
        return list(documents)
    types = [
        tuple(label for label in labels if label in (one.annotated_labels or labels))
        for one in documents
    ]
    pairs = zip(with_labels_alone(documents, labels), types, strict=True)
    return [replace(one, annotated_labels=some) for one, some in pairs if some]


def _point(
    learn: Learn, share: float, gold: Sequence[Document], labels: Sequence[str] | None
) -> CurvePoint:
    return CurvePoint(share, answered(learn(share), gold, labels).scores().main)


def _breakdown(
    answers: Answered, training: Sequence[Document] | None, labels: Sequence[str]
) -> Breakdown:
    """Of the mentions that the model looks for."""
    known = None if training is None else with_labels_alone(training, labels)
    return break_down(with_labels_alone(answers.gold, labels), answers.predicted, known)


def advice(found: Diagnosis, scores: Scores) -> list[str]:
    """What the figures suggest, the weightiest first."""
    said: list[str] = []
    if found.training_score is not None and found.knows_training:
        said += _about_training(found, found.training_score)
    said += _about_the_curve(found.curve)
    # What a poor model takes for a wrong label is mostly its own fault.
    doubted = found.suspicious or 0
    if found.score >= POOR and found.judged and doubted > NOISY * found.judged:
        said.append(
            f"{doubted} of {found.judged} labels look wrong: read the list of suspects "
            "first; relabelling may give more than any training."
        )
    if found.errors is not None:
        said += _about_borders(found.errors)
    if found.breakdown is not None:
        said += _about_weak_places(found.breakdown, scores.micro.recall)
    return said or [_about_nothing(found)]


def _about_training(found: Diagnosis, there: float) -> list[str]:
    if found.is_share and there < LOW_TRAINING:
        return [
            f"It does not even know its training data ({_percent(there)}): train longer, with a "
            "higher learning rate, or take a larger encoder."
        ]
    if there - found.score > WIDE_GAP:
        return [
            f"It knows its training data by heart ({_percent(there)} there, "
            f"{_percent(found.score)} here): more labels, augmentation, regularization.rdrop or "
            "[adversarial], an encoder pretrained on such text."
        ]
    return []


def _about_nothing(found: Diagnosis) -> str:
    """What is to be said where no figure suggests anything: of what was looked at, no more."""
    looked_at = {
        "the gap to training": found.knows_training,
        "the learning curve": bool(found.curve),
        "the labels": bool(found.judged) and found.suspicious is not None,
        "kinds of mentions": found.breakdown is not None,
    }
    seen = ", ".join(name for name, is_seen in looked_at.items() if is_seen)
    if not seen:
        return (
            "There was nothing to look at but the score: name a corpus with a training split, or "
            "draw a --curve."
        )
    if found.is_share and found.score < POOR:
        return (
            f"The score is poor ({_percent(found.score)}), and {seen} do not tell why: read wrong "
            "answers, then try a larger encoder."
        )
    return f"Nothing stands out in {seen}: compare seeds, then try a larger encoder."


def _about_the_curve(curve: Sequence[CurvePoint]) -> list[str]:
    if len(curve) < 2:
        return []
    last, whole = curve[-2], curve[-1]
    if whole.score - last.score > STILL_RISING:
        return [
            f"The learning curve still rises ({_percent(last.score)} with {last.share:.0%} of the "
            f"data, {_percent(whole.score)} with all): more labels will help."
        ]
    return [
        "The learning curve is flat: more labels of the same kind will hardly help; a larger "
        "encoder or cleaner labels may."
    ]


def _about_borders(errors: ErrorTable) -> list[str]:
    wrong = sum(count for kind, count in errors.counts.items() if kind != "correct")
    borders = errors.counts["wrong boundary"]
    if not wrong or borders < HARD_BORDERS * wrong:
        return []
    return [
        f"{borders} of {wrong} errors are boundaries: look at what the guideline counts to a "
        "mention, and whether the annotators agree."
    ]


def _about_weak_places(breakdown: Breakdown, recall: float) -> list[str]:
    cures = (
        (breakdown.training_mentions, "times in training", "a lexicon, augmentation by mentions"),
        (breakdown.mention_words, "words", "label more of that length"),
        (breakdown.sentence_words, "words in their sentence", "label more such sentences"),
    )
    return [
        f"Mentions with {row.kind} {measure} are found in {_percent(row.share)} ({row.gold} of "
        f"them; {_percent(recall)} overall): {cure}."
        for rows, measure, cure in cures
        if (row := _weakest(rows)) is not None and recall - row.share > WEAK
    ]


def _weakest(rows: Sequence[Recall]) -> Recall | None:
    """The lowest recall among kinds that are not too rare to tell."""
    enough = [row for row in rows if row.gold >= 20]
    return min(enough, key=lambda row: row.share, default=None)


def _percent(value: float) -> str:
    return f"{100 * value:.1f}%"
