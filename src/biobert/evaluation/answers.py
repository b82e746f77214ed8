"""Scores of answers to questions: those of SQuAD, and those of BioASQ task B, phase B.

SQuAD (Rajpurkar et al. 2016, arXiv:1606.05250; 2018, arXiv:1806.03822): exact match and token F1 of
the best answer, the better over all accepted ones. BioASQ (Tsatsaronis et al. 2015,
doi:10.1186/s12859-015-0564-6): strings are compared in lower case, synonyms count alike.
"""

import re
import string
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from biobert.core.document import Document
from biobert.core.questions import (
    ANSWER,
    EXACT_ANSWER,
    NO_ANSWER,
    TYPE,
    answer_texts,
    candidates,
    exact_answers,
)
from biobert.core.task import Score, Scores
from biobert.evaluation.spans import check_same_texts, macro_average, score_from_counts

RANKS = 5
"""How many answers to a factoid question count, in BioASQ and in `mrr` here."""
SMALLEST_PROBABILITY = 1e-300
ARTICLES = re.compile(r"\b(a|an|the)\b")
WITHOUT_PUNCTUATION = str.maketrans("", "", string.punctuation)


@dataclass(frozen=True, slots=True)
class Overlap:
    """How an answer agrees with an accepted one, by SQuAD's measures (fractions)."""

    exact: float
    precision: float
    recall: float
    f1: float


def normalised(text: str) -> str:
    """Lower case, without ASCII punctuation, English articles and superfluous white space."""
    bare = text.lower().translate(WITHOUT_PUNCTUATION)
    return " ".join(ARTICLES.sub(" ", bare).split())


def overlap(answer: str, accepted: str) -> Overlap:
    """Exact match and token F1 of two strings; without a token on a side, both must be empty."""
    own, wanted = normalised(answer).split(), normalised(accepted).split()
    exact = float(own == wanted)
    if not own or not wanted:
        return Overlap(exact, exact, exact, exact)
    shared = sum((Counter(own) & Counter(wanted)).values())
    score = score_from_counts(shared, len(wanted), len(own))
    return Overlap(exact, score.precision, score.recall, score.f1)


def best_overlap(answer: str, accepted: Sequence[str]) -> Overlap:
    """The best agreement with any accepted answer; with none of them "" is right."""
    known = [text for text in accepted if normalised(text)] or [""]
    found = [overlap(answer, text) for text in known]
    best = max(found, key=lambda one: (one.f1, one.exact))
    # The two maxima may stand at different accepted answers, as in SQuAD's own script.
    return Overlap(max(one.exact for one in found), best.precision, best.recall, best.f1)


def score_answers(gold: Sequence[Document], predicted: Sequence[Document]) -> Scores:
    """Scores of extractive answers; `main` is SQuAD's token F1.

    `details`: exact match, the mean reciprocal rank over the first five, both also for questions
    with an answer alone, and BioASQ's measures where gold is of its types. In `by_label`, `answer`
    has the means over questions with an answer and `no-answer` how well those without are told.
    """
    check_same_texts(gold, predicted)
    accepted = [[text for synonyms in exact_answers(one) for text in synonyms] for one in gold]
    answers = [answer_texts(one) for one in predicted]
    best = [
        best_overlap(found[0] if found else "", wanted)
        for found, wanted in zip(answers, accepted, strict=True)
    ]
    answerable = [any(map(normalised, wanted)) for wanted in accepted]
    with_answer = [one for one, has in zip(best, answerable, strict=True) if has]
    ranks = [reciprocal_rank(*pair) for pair in zip(answers, accepted, strict=True)]
    micro = _means(best)
    details: dict[str, float] = {
        "exact_match": _mean([one.exact for one in best]),
        "mrr": _mean([rank for rank, has in zip(ranks, answerable, strict=True) if has]),
        **bioasq_details(gold, predicted),
    }
    by_label = {ANSWER: _means(with_answer)}
    if len(with_answer) < len(best):
        details["answerable_exact_match"] = _mean([one.exact for one in with_answer])
        details["answerable_f1"] = by_label[ANSWER].f1
        by_label[NO_ANSWER] = _no_answer_score(answerable, answers)
    return Scores(micro.f1, micro, by_label, details)


def reciprocal_rank(answers: Sequence[str], accepted: Sequence[str]) -> float:
    """1 / rank of the first of five answers that matches exactly after SQuAD's normalisation."""
    wanted = {normalised(text) for text in accepted}
    return _reciprocal_rank([normalised(text) for text in answers], wanted)


@dataclass(frozen=True, slots=True)
class FactoidScores:
    """BioASQ's measures of factoid questions: the first answer right, one of five, mean 1/rank."""

    strict_accuracy: float
    lenient_accuracy: float
    mrr: float


def score_factoids(
    gold: Sequence[Sequence[Sequence[str]]], answers: Sequence[Sequence[str]]
) -> FactoidScores:
    """For each question its accepted answers, each with synonyms, and up to five answers.

    Questions without answers count as wrong (BioASQ's own program leaves out those that a
    submission does not name).
    """
    ranks = []
    for wanted, found in zip(gold, answers, strict=True):
        known = {text.lower() for synonyms in wanted for text in synonyms}
        ranks.append(_reciprocal_rank([text.lower() for text in found], known))
    strict = _mean([float(rank == 1.0) for rank in ranks])
    return FactoidScores(strict, _mean([float(rank > 0) for rank in ranks]), _mean(ranks))


def score_lists(
    gold: Sequence[Sequence[Sequence[str]]], answers: Sequence[Sequence[str]]
) -> dict[str, float]:
    """BioASQ's measures of list questions: means of precision, recall and F1 over questions.

    Each answer takes the first accepted one that it names and that none before it took.
    """
    found = [_list_score(*pair) for pair in zip(gold, answers, strict=True)]
    return macro_average(found)


def bioasq_details(gold: Sequence[Document], predicted: Sequence[Document]) -> dict[str, float]:
    """BioASQ's measures of the documents that are factoid or list questions with gold answers."""
    by_type: dict[str, tuple[list[list[list[str]]], list[list[str]]]] = {}
    for one, other in zip(gold, predicted, strict=True):
        if EXACT_ANSWER in one.metadata:
            wanted, found = by_type.setdefault(one.metadata.get(TYPE, ""), ([], []))
            wanted.append(exact_answers(one))
            found.append(answer_texts(other))
    details: dict[str, float] = {}
    if "factoid" in by_type:
        factoids = score_factoids(*by_type["factoid"])
        details |= {f"factoid_{name}": value for name, value in asdict(factoids).items()}
    if "list" in by_type:
        lists = score_lists(*by_type["list"])
        details |= {f"list_{name}": value for name, value in lists.items()}
    return details


def no_answer_margin(document: Document) -> float:
    """By how much "no answer" is likelier than the best answer: a difference of logarithms."""
    best = next((one.score or 0.0 for one in candidates(document)), 0.0)
    nothing = document.label_scores.get(NO_ANSWER, 0.0)
    return float(
        np.log(max(nothing, SMALLEST_PROBABILITY)) - np.log(max(best, SMALLEST_PROBABILITY))
    )


def best_margin(margins: Sequence[float], f1: Sequence[float], answerable: Sequence[bool]) -> float:
    """The margin up to which the best answer is given, with the best mean F1, as SQuAD 2.0 has it.

    `f1` is that of the best answer of each question, were it given. The margin stands halfway
    between the last question that is answered and the next.
    """
    order = np.argsort(margins, kind="stable")
    ranked = np.asarray(margins, dtype=np.float64)[order]
    # Answering one question more gains its F1, and loses 1 where there was nothing to answer.
    gains = np.where(np.asarray(answerable)[order], np.asarray(f1)[order], -1.0)
    totals: npt.NDArray[np.float64] = np.concatenate(([0.0], np.cumsum(gains)))
    # Equal margins are answered together.
    totals[1:-1][ranked[:-1] == ranked[1:]] = -np.inf
    count = int(np.argmax(totals))
    low = ranked[count - 1] if count else ranked[0] - 2.0
    high = ranked[count] if count < len(ranked) else ranked[-1] + 2.0
    return float((low + high) / 2)


def _reciprocal_rank(answers: Sequence[str], wanted: Collection[str]) -> float:
    ranks = (rank for rank, text in enumerate(answers[:RANKS], start=1) if text and text in wanted)
    return 1.0 / next(ranks, np.inf)


def _list_score(gold: Sequence[Sequence[str]], answers: Sequence[str]) -> Score:
    left = [{text.lower() for text in synonyms} for synonyms in gold]
    for text in answers:
        taken = next((one for one in left if text.lower() in one), None)
        if taken is not None:
            left.remove(taken)
    return score_from_counts(len(gold) - len(left), len(gold), len(answers))


def _no_answer_score(answerable: Sequence[bool], answers: Sequence[Sequence[str]]) -> Score:
    pairs = [(not has, not found) for has, found in zip(answerable, answers, strict=True)]
    return score_from_counts(
        sum(wanted and found for wanted, found in pairs),
        sum(wanted for wanted, _ in pairs),
        sum(found for _, found in pairs),
    )


def _means(found: Sequence[Overlap]) -> Score:
    return Score(
        _mean([one.precision for one in found]),
        _mean([one.recall for one in found]),
        _mean([one.f1 for one in found]),
        len(found),
    )


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else 0.0
