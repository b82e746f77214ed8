"""Token ids of a corpus on disk: memory-mapped shards with sentence and document boundaries.

    manifest.json                    what is in the folder, with the checksum of every file
    tokenizer.json, ...              the tokenizer that gave the ids
    train-00000.tokens.npy           (tokens,) uint16, or uint32 for a vocabulary beyond 65536
    train-00000.sentences.npy        (sentences,) uint32: tokens in each sentence
    train-00000.documents.npy        (documents,) uint32: sentences in each document
    train-00000.tags.npy             (tokens,) uint8, where tags were asked for
    train-00000.documents.jsonl      a line for each document: identifier, source, licence

No special tokens are stored: they belong to rows, and rows are made anew in every epoch.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from biobert.core.errors import BadInputError
from biobert.core.files import read_json, sha256_of, written_whole
from biobert.core.settings import from_mapping

MANIFEST = "manifest.json"
Split = Literal["train", "heldout"]
SPLITS: tuple[Split, ...] = ("train", "heldout")
UnsignedArray = npt.NDArray[np.unsignedinteger]


@dataclass(frozen=True, slots=True)
class ShardRecord:
    """One shard in the manifest; `files` maps each of its files to its SHA-256.

    `text_bytes` is the UTF-8 length of the text that became the tokens (for bits per byte).
    """

    name: str
    split: Split
    documents: int
    sentences: int
    tokens: int
    files: Mapping[str, str]
    text_bytes: int = 0


@dataclass(frozen=True, slots=True)
class CorpusManifest:
    """What a corpus folder holds and how it came about.

    `tokenizer` is its fingerprint. `tags` names the values of the tag arrays, in order. `rejects`
    counts what was left out, by reason, and `removed` what was cut out of documents that were kept;
    `licences` counts the kept ones.
    """

    vocabulary_size: int
    tokenizer: str
    shards: tuple[ShardRecord, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    sources: tuple[Mapping[str, Any], ...] = ()
    tags: tuple[str, ...] = ()
    licences: Mapping[str, int] = field(default_factory=dict)
    rejects: Mapping[str, int] = field(default_factory=dict)
    removed: Mapping[str, int] = field(default_factory=dict)
    absent_test_splits: tuple[str, ...] = ()
    version: str = ""

    def total(
        self, split: Split, what: Literal["documents", "sentences", "tokens", "text_bytes"]
    ) -> int:
        """How many documents, sentences, tokens or bytes of text a split has."""
        return sum(getattr(shard, what) for shard in self.shards if shard.split == split)


@dataclass(frozen=True, slots=True, eq=False)
class TokenShard:
    """A shard's arrays: memory-mapped, as the module's docstring describes them.

    `sentence_ends` (sentences,) and `document_ends` (documents,) are running totals: tokens up to
    the end of a sentence, sentences up to the end of a document.
    """

    tokens: UnsignedArray
    sentence_ends: npt.NDArray[np.int64]
    document_ends: npt.NDArray[np.int64]
    tags: npt.NDArray[np.uint8] | None = None


@dataclass(frozen=True, slots=True)
class TokenCorpus:
    """One split of a corpus folder whose checksums are right. `skipped` names damaged shards."""

    folder: Path
    manifest: CorpusManifest
    shards: tuple[ShardRecord, ...]
    skipped: tuple[str, ...] = ()

    @property
    def tokens(self) -> int:
        """How many token ids there are."""
        return sum(shard.tokens for shard in self.shards)

    def load(self, number: int) -> TokenShard:
        """The arrays of a shard."""
        name = self.shards[number].name
        tags = self.folder / f"{name}.tags.npy"
        return TokenShard(
            tokens=np.load(self.folder / f"{name}.tokens.npy", mmap_mode="r"),
            sentence_ends=np.cumsum(np.load(self.folder / f"{name}.sentences.npy"), dtype=np.int64),
            document_ends=np.cumsum(np.load(self.folder / f"{name}.documents.npy"), dtype=np.int64),
            tags=np.load(tags, mmap_mode="r") if tags.is_file() else None,
        )

    def counts(self) -> np.ndarray:
        """(vocabulary,) how often each id stands in the first shard."""
        return np.bincount(self.load(0).tokens, minlength=self.manifest.vocabulary_size)

    def document_records(self, number: int) -> Iterator[dict[str, Any]]:
        """What is remembered of each document of a shard, in order."""
        path = self.folder / f"{self.shards[number].name}.documents.jsonl"
        with path.open(encoding="utf-8") as stream:
            for line in stream:
                yield json.loads(line)


def read_corpus_manifest(folder: Path) -> CorpusManifest:
    """The manifest of a corpus folder; a folder whose build has not ended has none."""
    path = folder / MANIFEST
    values = read_json(
        path,
        missing=f"{folder} is no finished corpus: it has no {MANIFEST}; "
        "make one with `biobert corpus build`, or go on with --resume",
    )
    return from_mapping(CorpusManifest, values, place=str(path))


def write_manifest(folder: Path, manifest: CorpusManifest) -> None:
    """Write `manifest.json` whole or not at all: with it the folder is complete."""
    write_json(folder / MANIFEST, asdict(manifest))


def open_corpus(
    folder: Path, split: Split = "train", *, damaged: Literal["refuse", "skip"] = "refuse"
) -> TokenCorpus:
    """A split of a corpus folder, every file checked against its checksum.

    A damaged shard is an error that names the file, or with `damaged="skip"` is left out and named
    in `skipped`.
    """
    manifest = read_corpus_manifest(folder)
    sound, skipped = [], []
    for shard in (one for one in manifest.shards if one.split == split):
        wrong = damaged_file(folder, shard)
        if wrong is None:
            sound.append(shard)
        elif damaged == "skip":
            skipped.append(shard.name)
        else:
            raise BadInputError(
                f"{wrong}: missing, or its checksum differs from the manifest's: the shard is "
                f"damaged; remove {folder} and build the corpus anew, or leave the shard out with "
                'damaged = "skip"'
            )
    return TokenCorpus(folder, manifest, tuple(sound), tuple(skipped))


def damaged_file(folder: Path, shard: ShardRecord) -> Path | None:
    """The first file of a shard that is missing or has another checksum; None if all are sound."""
    files = ((folder / name, wanted) for name, wanted in shard.files.items())
    return next((path for path, wanted in files if _differs(path, wanted)), None)


def write_shard(
    folder: Path,
    name: str,
    split: Split,
    arrays: Mapping[str, UnsignedArray],
    records: Sequence[Mapping[str, Any]],
) -> ShardRecord:
    """Write a shard's files under their names, each whole or not at all.

    `arrays` has `tokens`, `sentences`, `documents` and perhaps `tags`.
    """
    files = {}
    for kind, values in arrays.items():
        path = folder / f"{name}.{kind}.npy"
        with written_whole(path) as stream:
            np.save(stream, values, allow_pickle=False)
        files[path.name] = sha256_of(path)
    path = folder / f"{name}.documents.jsonl"
    with written_whole(path) as stream:
        for record in records:
            stream.write(json.dumps(record, ensure_ascii=False).encode(errors="replace") + b"\n")
    files[path.name] = sha256_of(path)
    return ShardRecord(
        name=name,
        split=split,
        documents=len(arrays["documents"]),
        sentences=len(arrays["sentences"]),
        tokens=len(arrays["tokens"]),
        files=files,
        text_bytes=sum(record.get("bytes", 0) for record in records),
    )


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write a JSON object whole or not at all."""
    with written_whole(path) as stream:
        stream.write(
            json.dumps(values, indent=1, ensure_ascii=False).encode(errors="replace") + b"\n"
        )


def token_type(vocabulary_size: int) -> type[np.unsignedinteger]:
    """The smallest type that holds every id."""
    return np.uint16 if vocabulary_size <= 1 << 16 else np.uint32


def _differs(path: Path, wanted: str) -> bool:
    return not path.is_file() or sha256_of(path) != wanted
