"""Building a corpus: sources become shards of token ids, without duplicates, resumably."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any, Literal

import numpy as np

from biobert.core.errors import BadInputError, BiobertError
from biobert.core.files import DISK
from biobert.core.version import __version__
from biobert.data.build_state import BuildState, Marks, clear_state, read_state, write_state
from biobert.data.cleaning import FilterSettings
from biobert.data.contamination import TestSplits
from biobert.data.duplicates import DuplicateIndex, DuplicateSettings
from biobert.data.packets import Position, units_of
from biobert.data.preparing import Preparation, PreparedDocument, PreparedPacket
from biobert.data.rejects import Rejects
from biobert.data.shards import (
    MANIFEST,
    SPLITS,
    CorpusManifest,
    ShardRecord,
    Split,
    UnsignedArray,
    damaged_file,
    read_corpus_manifest,
    token_type,
    write_manifest,
    write_shard,
)
from biobert.data.sources import Source, survey
from biobert.data.tagging import Tagging
from biobert.data.workers import Engine, Work
from biobert.text.tokenizer import Tokenizer

Advance = Callable[[int, int], None]
"""Told how many documents were kept so far, and how many tokens they have."""


@dataclass(frozen=True, slots=True)
class CorpusSettings:
    """What decides a corpus, beside its sources.

    `heldout_share` of the documents goes to split `heldout`: the same ones for the same `seed`,
    whichever tokenizer. A shard ends with the packet that brings it to `shard_tokens`.
    """

    filter: FilterSettings = field(default_factory=FilterSettings)
    duplicates: DuplicateSettings = field(default_factory=DuplicateSettings)
    heldout_share: float = 0.02
    seed: int = 1
    shard_tokens: int = 1 << 24
    packet_bytes: int = 1 << 21

    def __post_init__(self) -> None:
        if not 0.0 <= self.heldout_share < 1.0:
            raise BadInputError(
                f"held-out share {self.heldout_share}: give a fraction below 1, such as 0.02",
                code="usage",
            )
        if min(self.shard_tokens, self.packet_bytes) < 1:
            raise BadInputError("shard_tokens and packet_bytes must be at least 1", code="usage")


@dataclass(frozen=True, slots=True)
class Ingredients:
    """What goes into a corpus beside text; `test_splits` None lets their documents in."""

    tokenizer: Tokenizer
    test_splits: TestSplits | None = None
    tagging: Tagging | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """How a build is run: nothing of it changes what comes out. `rejects` takes what does not.

    What was set aside before a new build is counted with it.
    """

    engine: Engine
    workers: int = 1
    start: Literal["new", "resume"] = "new"
    rejects: Rejects = field(default_factory=Rejects)
    advance: Advance = lambda documents, tokens: None


def build_corpus(
    sources: Sequence[Source],
    output: Path,
    ingredients: Ingredients,
    settings: CorpusSettings,
    run: Run,
) -> CorpusManifest:
    """Build the shards of `sources` in the folder `output` and return its manifest.

    The same sources, ingredients and settings give the same bytes, whatever the engine, and however
    often the build was killed and resumed. Raises BadInputError when `output` holds a build that is
    not to be resumed, was made in another way or has a damaged shard, or when nothing is kept.
    """
    looked_at = survey(sources, workers=run.workers)
    described = _described(looked_at.sources, ingredients, settings)
    # The state of a build that goes on has them already.
    before = run.rejects.moved()
    state = _earlier(output, described, run.start) or BuildState(described, rejects=before)
    if isinstance(state, CorpusManifest):
        clear_state(output)
        return state
    build = _Build(output, ingredients, settings, run, state)
    preparation = Preparation(
        tokenizer=ingredients.tokenizer.backend.to_str(),
        filter=settings.filter,
        duplicates=settings.duplicates,
        test_splits=ingredients.test_splits,
        tagging=ingredients.tagging,
        deleted=looked_at.deleted,
    )
    units = units_of(looked_at.sources, settings.packet_bytes)
    work = Work(units, preparation, settings.packet_bytes, build.state.position)
    with _resumable(), closing(run.engine(work)) as packets:
        for packet in packets:
            build.take(packet)
        return build.finished(looked_at.sources)


class _Build:
    """A build at work: what was kept since the last shards were closed, and what came before."""

    def __init__(
        self,
        folder: Path,
        ingredients: Ingredients,
        settings: CorpusSettings,
        run: Run,
        state: BuildState,
    ) -> None:
        self.folder, self.ingredients, self.settings, self.run = folder, ingredients, settings, run
        self.state = state
        self.index = DuplicateIndex(settings.duplicates, folder)
        for mark, signature in state.marks(folder):
            self.index.add(mark, signature)
        run.rejects.extend(state.rejects)
        self.licences = Counter(state.licences)
        self.removed = Counter(state.removed)
        self.marks = Marks()
        self.kept: dict[Split, list[PreparedDocument]] = {split: [] for split in SPLITS}
        self.documents = sum(shard.documents for shard in state.shards)
        self.tokens = sum(shard.tokens for shard in state.shards)

    def take(self, packet: PreparedPacket) -> None:
        """Keep what is new in the next packet; close the shards when they are full."""
        self.run.rejects.extend(packet.rejects)
        self.removed.update(packet.removed)
        for document in packet.documents:
            self._take(document)
        self.run.advance(self.documents, self.tokens)
        waiting = sum(len(one.tokens) for one in self.kept["train"])
        if waiting >= self.settings.shard_tokens:
            self._close(Position(packet.unit, packet.number + 1))

    def finished(self, sources: Sequence[Source]) -> CorpusManifest:
        """Write the last shards and the manifest; what only a resumed build needs is removed."""
        if any(self.kept.values()):
            self._close(Position(len(sources), 0))
        if not self.state.shards:
            raise BadInputError(f"nothing was kept: {_reasons(self.run.rejects)}")
        tokenizer, splits = self.ingredients.tokenizer, self.ingredients.test_splits
        tagging = self.ingredients.tagging
        tokenizer.save(self.folder)
        manifest = CorpusManifest(
            vocabulary_size=tokenizer.vocabulary_size,
            tokenizer=tokenizer.fingerprint(),
            shards=tuple(self.state.shards),
            settings=self.state.settings,
            sources=tuple(
                {"name": one.name, "bytes": one.bytes, "sha256": one.sha256} for one in sources
            ),
            tags=tagging.tags if tagging else (),
            licences=dict(sorted(self.licences.items())),
            rejects=dict(sorted(self.run.rejects.reasons.items())),
            removed=dict(sorted(self.removed.items())),
            absent_test_splits=splits.absent if splits else (),
            version=__version__,
        )
        write_manifest(self.folder, manifest)
        clear_state(self.folder)
        return manifest

    def _take(self, document: PreparedDocument) -> None:
        repeats = self.index.seen(document.fingerprint, document.signature)
        if repeats is not None:
            identifier = str(document.record["id"])
            self.run.rejects.add(document.place, identifier, f"duplicate, {repeats}")
            return
        self.marks.add(document.fingerprint, document.signature)
        self.kept[self._split(document.fingerprint)].append(document)
        self.licences[str(document.record["licence"])] += 1
        self.documents += 1
        self.tokens += len(document.tokens)

    def _split(self, fingerprint: bytes) -> Split:
        """By a hash of the text: neither order nor tokenizer decides."""
        seed = self.settings.seed.to_bytes(8, "little", signed=True)
        drawn = int.from_bytes(blake2b(fingerprint, key=seed, digest_size=8).digest(), "little")
        return "heldout" if drawn < self.settings.heldout_share * 2.0**64 else "train"

    def _close(self, position: Position) -> None:
        number = self.state.rounds
        for split, documents in self.kept.items():
            if documents:
                name = f"{split}-{number:05}"
                self.state.shards.append(self._written(name, split, documents))
        self.marks.write(self.folder, number)
        self.state.rounds += 1
        self.state.position = position
        self.state.rejects = self.run.rejects
        self.state.licences, self.state.removed = self.licences, self.removed
        write_state(self.folder, self.state)
        self.marks = Marks()
        self.kept = {split: [] for split in SPLITS}

    def _written(
        self, name: str, split: Split, documents: Sequence[PreparedDocument]
    ) -> ShardRecord:
        kind = token_type(self.ingredients.tokenizer.vocabulary_size)
        arrays: dict[str, UnsignedArray] = {
            "tokens": np.concatenate([one.tokens for one in documents]).astype(kind, copy=False),
            "sentences": np.concatenate([one.sentences for one in documents]),
            "documents": np.array([len(one.sentences) for one in documents], dtype=np.uint32),
        }
        tags = [one.tags for one in documents if one.tags is not None]
        if tags:
            arrays["tags"] = np.concatenate(tags)
        return write_shard(self.folder, name, split, arrays, [one.record for one in documents])


@contextmanager
def _resumable() -> Iterator[None]:
    """Says how a build goes on that a full disk has stopped."""
    try:
        yield
    except BiobertError as problem:
        if problem.code != DISK:
            raise
        raise BiobertError(f"{problem}, then go on with --resume", code=DISK) from None


def _described(
    sources: Sequence[Source], ingredients: Ingredients, settings: CorpusSettings
) -> dict[str, Any]:
    """All that decides the shards, as JSON values: equal for equal builds."""
    splits, tagging = ingredients.test_splits, ingredients.tagging
    text = ingredients.tokenizer.backend.to_str()
    return {
        **_listed(asdict(settings)),
        "tokenizer_sha256": sha256(text.encode()).hexdigest(),
        "test_splits": "keep" if splits is None else f"exclude {splits.checksum()}",
        "tagger": tagging.name if tagging else "",
        "sources": {
            f"{number} {one.name}": f"{one.format} {one.sha256}"
            for number, one in enumerate(sources)
        },
    }


def _listed(value: Any) -> Any:
    """The value as JSON gives it back."""
    if isinstance(value, Mapping):
        return {key: _listed(one) for key, one in value.items()}
    return [_listed(one) for one in value] if isinstance(value, tuple) else value


def _earlier(
    folder: Path, described: Mapping[str, Any], start: Literal["new", "resume"]
) -> BuildState | CorpusManifest | None:
    """The state of an earlier build, or its manifest where it has ended; None where all is new."""
    ended = read_corpus_manifest(folder) if (folder / MANIFEST).is_file() else None
    state = read_state(folder)
    earlier = ended or state
    if earlier is None:
        return None
    if start == "new":
        raise BadInputError(
            f"{folder} holds another build; go on with it with --resume, or name another folder",
            code="occupied",
        )
    _refuse_changed(folder, earlier.settings, described)
    _refuse_damaged(folder, earlier.shards)
    return earlier


def _refuse_changed(folder: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    was, is_now = dict(_leaves(before)), dict(_leaves(now))
    for key in sorted(was.keys() | is_now.keys()):
        if was.get(key) != is_now.get(key):
            raise BadInputError(
                f"{folder}: {key} was {was.get(key)!r} and is now {is_now.get(key)!r}; resume with "
                "what the build began with, or build into another folder",
                code="changed",
            )


def _refuse_damaged(folder: Path, shards: Iterable[ShardRecord]) -> None:
    found = (damaged_file(folder, shard) for shard in shards)
    if wrong := next(filter(None, found), None):
        raise BadInputError(
            f"{wrong}: missing, or its checksum differs from the one it was written with: the "
            f"shard is damaged; remove {folder} and build anew",
            code="damaged",
        )


def _leaves(values: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


def _reasons(rejects: Rejects) -> str:
    counts = (f"{reason} {count}" for reason, count in rejects.reasons.most_common())
    if not rejects.kept:
        return "the sources hold no documents"
    first = rejects.kept[0]
    return f"{', '.join(counts)}; the first is {first.file}, {first.place}: {first.reason}"
