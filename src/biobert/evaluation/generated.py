"""Scores of written texts: words in common with a gold text, and nearness of their vectors."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec

import numpy as np

from biobert.core.errors import MissingExtraError
from biobert.core.task import FloatArray, Score, Scores
from biobert.evaluation.ranking import unit_vectors

KINDS = ("rouge1", "rouge2", "rougeL")


def score_texts(gold: Sequence[str], predicted: Sequence[str]) -> Scores:
    """ROUGE (Lin 2004, aclanthology.org/W04-1013) by Google's `rouge-score`, with its stemmer.

    `main` and `micro` are the means of ROUGE-L over the texts, `details` has the F1 of ROUGE-1, -2
    and -L. There too: `words_ratio`, the words written over those of the gold, and
    `distinct_texts`, the share of different texts among those written, which is low where a model
    says the same of everything.
    """
    found = [_rouge(one, other) for one, other in zip(gold, predicted, strict=True)]
    details = {f"{kind}_f1": _mean([one[kind] for one in found]).f1 for kind in KINDS}
    words = sum(len(one.split()) for one in gold), sum(len(one.split()) for one in predicted)
    details["words_ratio"] = words[1] / max(1, words[0])
    details["distinct_texts"] = len(set(predicted)) / max(1, len(predicted))
    longest = _mean([one["rougeL"] for one in found])
    return Scores(longest.f1, longest, {}, details, amounts=frozenset({"words_ratio"}))


def score_vectors(gold: Sequence[FloatArray], predicted: Sequence[FloatArray]) -> Score:
    """The mean over texts of `greedy_match`, each text given as the vectors of its tokens."""
    return _mean([greedy_match(other, one) for one, other in zip(gold, predicted, strict=True)])


def greedy_match(written: FloatArray, gold: FloatArray) -> Score:
    """How near each token's vector is to the nearest of the other text.

    `written` (n, size), `gold` (m, size). Precision is the mean over the tokens written, recall
    over those of the gold, as in BERTScore (Zhang et al. 2020, arXiv:1904.09675, section 3), with
    neither its weights of rare words nor its rescaling: vectors of any two texts are fairly near,
    so compare figures of the same encoder only.
    """
    if not len(written) or not len(gold):
        return Score(0.0, 0.0, 0.0, 1)
    cosines = unit_vectors(written) @ unit_vectors(gold).T
    precision = float(cosines.max(axis=1).mean())
    recall = float(cosines.max(axis=0).mean())
    total = precision + recall
    return Score(precision, recall, 2 * precision * recall / total if total > 0 else 0.0, 1)


@lru_cache(maxsize=1 << 16)
def _rouge(gold: str, predicted: str) -> Mapping[str, Score]:
    """Of one pair; remembered, since intervals score the same texts hundreds of times."""
    found = _scorer().score(gold, predicted)
    return {
        kind: Score(float(one.precision), float(one.recall), float(one.fmeasure), 1)
        for kind, one in found.items()
    }


@lru_cache(maxsize=1)
def _scorer():  # type: ignore[no-untyped-def]
    if find_spec("rouge_score") is None:
        raise MissingExtraError("rouge-score", "generate")
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(list(KINDS), use_stemmer=True)


def _mean(scores: Sequence[Score]) -> Score:
    """The mean of each figure; of F1 too, not the F1 of the means."""
    if not scores:
        return Score(0.0, 0.0, 0.0, 0)
    figures = np.array([(one.precision, one.recall, one.f1) for one in scores]).mean(axis=0)
    precision, recall, f1 = figures.tolist()
    return Score(precision, recall, f1, len(scores))
