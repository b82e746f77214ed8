"""Building a corpus and the `tokenizers` backend alone, on the same articles.

    BIOBERT_DATA=DATA python benchmarks/corpus.py [ARTICLES]

One side is `biobert corpus build` as a user runs it, start and checksums included: unpacking, XML,
cleaning, filters, test splits, duplicates, sentences, token ids, shards. The other only encodes the
cleaned texts of the same articles, held in memory, with `encode_batch` on all cores. They take
turns. Memory is the resident memory of all processes of a build together.
"""

import io
import shutil
import subprocess
import sys
import tarfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import psutil
from corpora import DATA
from machine import CACHE, interleaved_medians, minilm_folder, record

from biobert.data.cleaning import FilterSettings, cleaned, reason_to_drop
from biobert.data.formats import jats
from biobert.data.rejects import Rejects
from biobert.data.shards import read_corpus_manifest
from biobert.text.tokenizer import Tokenizer

ARCHIVE = DATA / "pmc" / "pmc_oa_articles.tar.xz"
OUTPUT = CACHE / "corpus"
REPEATS = 3
TEXTS_IN_BATCH = 100
SECONDS_BETWEEN_LOOKS = 0.05


def main() -> None:
    articles = int(sys.argv[1]) if len(sys.argv) > 1 else None
    archive = ARCHIVE if articles is None else _first(articles)
    texts = list(_texts(archive))
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    backend = Tokenizer.from_folder(minilm_folder()).backend
    peaks: list[int] = []

    def tokenize() -> None:
        for start in range(0, len(texts), TEXTS_IN_BATCH):
            backend.encode_batch(texts[start : start + TEXTS_IN_BATCH], add_special_tokens=False)

    def build() -> None:
        peaks.append(_build(archive))

    seconds = interleaved_medians({"tokenizers alone": tokenize, "build": build}, repeats=REPEATS)
    manifest = read_corpus_manifest(OUTPUT)
    speeds = {name: megabytes / one for name, one in seconds.items()}
    figures = {
        "articles": len(texts),
        "megabytes_of_text": round(megabytes, 1),
        "megabytes_per_second": {name: round(one, 2) for name, one in speeds.items()},
        "times_tokenizers": round(speeds["build"] / speeds["tokenizers alone"], 2),
        "peak_megabytes_of_memory": round(max(peaks) / 1e6),
        "documents_kept": sum(shard.documents for shard in manifest.shards),
        "tokens": sum(shard.tokens for shard in manifest.shards),
        "repeats": REPEATS,
    }
    for name, value in figures.items():
        print(f"{name:26}", value)
    if articles is None:
        record("corpus", {"figures": figures})


def _build(archive: Path) -> int:
    """Run the verb; the most memory that its processes had together, in bytes."""
    shutil.rmtree(OUTPUT, ignore_errors=True)
    command = [sys.executable, "-m", "biobert", "corpus", "build", str(archive)]
    options = ["--tokenizer", str(minilm_folder()), "--output", str(OUTPUT)]
    process = subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL)
    peaks = [0]
    watcher = threading.Thread(target=_watch, args=(process, peaks))
    watcher.start()
    status = process.wait()
    watcher.join()
    if status:
        raise SystemExit("the build failed")
    return max(peaks)


def _watch(process: "subprocess.Popen[bytes]", peaks: list[int]) -> None:
    while process.poll() is None:
        try:
            first = psutil.Process(process.pid)
            tree = [first, *first.children(recursive=True)]
            peaks.append(sum(one.memory_info().rss for one in tree))
        except psutil.NoSuchProcess:
            pass  # one ended between the two questions; the next look counts
        time.sleep(SECONDS_BETWEEN_LOOKS)


def _texts(archive: Path) -> Iterator[str]:
    """The cleaned texts that a build keeps, duplicates and test splits aside."""
    for name, data in jats.archive_members(archive):
        for document in jats.read_article(data, name, Rejects()):
            text = cleaned(document, Counter())
            if reason_to_drop(text, FilterSettings()) is None:
                yield text.text


def _first(articles: int) -> Path:
    """A smaller archive for a quick look."""
    path = CACHE / f"articles-{articles}.tar.xz"
    if not path.is_file():
        CACHE.mkdir(exist_ok=True)
        with tarfile.open(path, "w:xz", preset=1) as archive:
            for name, data in islice(jats.archive_members(ARCHIVE), articles):
                member = tarfile.TarInfo(name)
                member.size = len(data or b"")
                archive.addfile(member, io.BytesIO(data or b""))
    return path


if __name__ == "__main__":
    main()
