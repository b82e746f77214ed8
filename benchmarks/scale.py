"""How annotation grows with workers: one Ray worker of one core, and two, on the same files.

    BIOBERT_DATA=DATA python benchmarks/scale.py

The text is that of the BC5CDR test split, in files of 60 sentences, annotated by the embedded
model. The efficiency is the rate of two workers over twice that of one. What starting costs is left
out: the time of a run over a few files is taken from that over all.
"""

import tempfile
from functools import partial
from pathlib import Path

import ray
from corpora import split_of
from machine import interleaved_medians, record

from biobert.cli.places import without_telemetry
from biobert.data.rejects import Rejects
from biobert.pipeline.annotator import Annotator
from biobert.pipeline.batch import Destination
from biobert.pipeline.scale import INPUTS_IN_PART, RayWorkers, annotate_on_ray
from biobert.runtime.settings import RuntimeSettings

SENTENCES_IN_FILE = 60
REPEATS = 3
FEW = 2 * INPUTS_IN_PART


def main() -> None:
    without_telemetry()
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    with tempfile.TemporaryDirectory() as folder:
        files = _write_files(Path(folder) / "in")
        jobs = {
            (workers, count): partial(_annotate, folder, files[:count], workers)
            for workers in (1, 2)
            for count in (FEW, len(files))
        }
        medians = interleaved_medians(jobs, repeats=REPEATS)
    seconds = {workers: medians[workers, len(files)] - medians[workers, FEW] for workers in (1, 2)}
    figures = {
        "files": len(files) - FEW,
        "seconds": {str(workers): round(value, 2) for workers, value in seconds.items()},
        "efficiency": round(seconds[1] / (2 * seconds[2]), 3),
    }
    print(figures)
    record("scale", figures)


def _write_files(folder: Path) -> list[str]:
    folder.mkdir()
    sentences = [
        document.text[one.start : one.end]
        for document in split_of("BC5CDR", "test")
        for one in document.sentences
    ]
    written = []
    for start in range(0, len(sentences), SENTENCES_IN_FILE):
        path = folder / f"{start:06}.txt"
        path.write_text("\n".join(sentences[start : start + SENTENCES_IN_FILE]), encoding="utf-8")
        written.append(str(path))
    return written


def _annotate(folder: str, files: list[str], workers: int) -> None:
    make = partial(Annotator, settings=RuntimeSettings(threads=1))
    settings = Destination(f"{folder}/out/", ("jsonl",))
    annotate_on_ray(files, make, settings, Rejects(), workers=RayWorkers(workers))


if __name__ == "__main__":
    main()
