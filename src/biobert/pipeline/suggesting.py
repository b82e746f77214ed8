"""Which texts to label next: the least sure ones of a model, and such as differ from each other."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np

from biobert.core.annotate import Answer
from biobert.core.document import Document
from biobert.core.errors import BadInputError, MissingExtraError
from biobert.data.rejects import Rejects
from biobert.pipeline.annotator import chunks
from biobert.pipeline.load import LoadedModel
from biobert.text.keys import keys_of, text_key

CERTAINTY = "certainty"
TIMES_THE_COUNT = 5
"""For `both`: so many times the wanted number are the least sure ones, of which few are taken."""
NGRAMS = (3, 5)
FEATURES, DIMENSIONS = 20_000, 100


@dataclass(frozen=True, slots=True)
class SuggestionSettings:
    """How many texts, and by what.

    `uncertainty` takes those with the least certain answer (`core/certainty.py`). `diversity`
    groups all texts by their characters and takes the middle of each group, so that every kind of
    text comes once; `both` does so among the least certain (Zhdanov 2019, arXiv:1901.05954).
    """

    count: int = 100
    by: Literal["uncertainty", "diversity", "both"] = "both"
    seed: int = 1

    def __post_init__(self) -> None:
        if self.count < 1:
            raise BadInputError(f"--count {self.count}: at least 1", code="usage")


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What to label next, most wanted first; `considered` distinct texts were weighed."""

    documents: tuple[Document, ...]
    considered: int


def suggest(
    texts: Iterable[Document],
    model: LoadedModel,
    settings: SuggestionSettings,
    *,
    labelled: Iterable[Document] = (),
    rejects: Rejects | None = None,
) -> Suggestions:
    """The texts to label next, as documents with the model's answers and its certainty.

    A text is a sentence where the task labels words, else a whole document. Of equal texts one is
    weighed, and none that stands among the `labelled`. One that the model cannot read goes to
    `rejects`.
    """
    rejects = Rejects() if rejects is None else rejects
    answers = list(_fresh(_answers(texts, model, rejects), keys_of(labelled)))
    chosen = choose(answers, settings)
    found = (_signed(answers[number], model) for number in chosen)
    return Suggestions(tuple(found), len(answers))


def choose(answers: Sequence[Answer], settings: SuggestionSettings) -> list[int]:
    """The numbers of the answers to look at next, most wanted first."""
    certainties = np.array([one.certainty for one in answers])
    by_certainty: list[int] = np.argsort(certainties, kind="stable").tolist()
    if settings.by == "uncertainty":
        return by_certainty[: settings.count]
    among = by_certainty
    if settings.by == "both":
        among = by_certainty[: TIMES_THE_COUNT * settings.count]
    texts = [answers[number].document.text for number in among]
    return [among[one] for one in diverse(texts, count=settings.count, seed=settings.seed)]


def diverse(texts: Sequence[str], *, count: int, seed: int) -> list[int]:
    """The numbers of texts that stand for all: the middle one of each of `count` groups, that of
    the largest group first; equal for equal seeds.

    A text is known by its character n-grams (tf-idf, latent semantic analysis), a group found by
    k-means: this needs no encoder, and works beside exported models.
    """
    if len(texts) <= count:
        return list(range(len(texts)))
    vectors = _vectors(texts, seed)
    from sklearn.cluster import MiniBatchKMeans

    groups = MiniBatchKMeans(count, random_state=seed, n_init=1, batch_size=2048).fit(vectors)
    sizes = np.bincount(groups.labels_, minlength=count)
    free = np.ones(len(texts), dtype=np.bool_)
    chosen = []
    for group in np.argsort(-sizes, kind="stable").tolist():
        distances = ((vectors - groups.cluster_centers_[group]) ** 2).sum(axis=1)
        nearest = int(np.argmin(np.where(free, distances, np.inf)))
        free[nearest] = False
        chosen.append(nearest)
    return chosen


def _vectors(texts: Sequence[str], seed: int) -> Any:
    """(texts, dimensions) unit vectors."""
    if find_spec("sklearn") is None:
        raise MissingExtraError("scikit-learn", "label")
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize

    counting = TfidfVectorizer(analyzer="char_wb", ngram_range=NGRAMS, max_features=FEATURES)
    weights = counting.fit_transform(texts)
    dimensions = min(DIMENSIONS, min(weights.shape) - 1)
    if dimensions < 1:
        return weights.toarray()
    return normalize(TruncatedSVD(dimensions, random_state=seed).fit_transform(weights))


def _answers(texts: Iterable[Document], model: LoadedModel, rejects: Rejects) -> Iterator[Answer]:
    for chunk in chunks(texts):
        yield from _answered(chunk, model, rejects)


def _answered(documents: Sequence[Document], model: LoadedModel, rejects: Rejects) -> list[Answer]:
    try:
        return model.answered(documents)
    except BadInputError:
        problems = model.problems(documents)
    readable = []
    for document, problem in zip(documents, problems, strict=True):
        if problem is None:
            readable.append(document)
        else:
            rejects.add(document.provenance.source or "document", document.id, str(problem))
    return model.answered(readable)


def _fresh(answers: Iterable[Answer], known: set[str]) -> Iterator[Answer]:
    for answer in answers:
        key = text_key(answer.document.text)
        if key not in known:
            known.add(key)
            yield answer


def _signed(answer: Answer, model: LoadedModel) -> Document:
    document = answer.document
    return replace(
        document,
        metadata={**document.metadata, CERTAINTY: f"{answer.certainty:.4f}"},
        provenance=model.provenance(document.provenance.source),
    )
