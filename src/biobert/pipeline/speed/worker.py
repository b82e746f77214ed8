"""One model in a process of its own, for `comparison.py`: JSON lines in, JSON lines out.

{"load": FOLDER, "settings": {...}, "texts": FILE}   -> {"seconds": 0.4, "engine": "..."}
{"turn": 8}                                          -> {"seconds": [0.1, ...]} of each call
{"memory": true}                                     -> {"bytes": 123}
{"score": {"corpus": ..., "split": ...}, "places": ...} -> {"score": 0.84,
                                                            "measure": "...", "shared": {...}}
A problem of the user's making answers {"error": "..."}.
"""

import json
import sys
import time
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import asdict
from typing import Any

from biobert.core.document import Document
from biobert.core.errors import BiobertError
from biobert.core.settings import from_mapping
from biobert.data.places import CorpusPlaces
from biobert.data.reading import read_documents
from biobert.data.rejects import Rejects
from biobert.pipeline.evaluating import TestSet, read_gold, scored
from biobert.pipeline.learnt_from import learnt_from
from biobert.pipeline.load import LoadedModel, load_model
from biobert.pipeline.speed.measures import engine_of, peak_memory_bytes, seconds_by_call
from biobert.runtime.settings import RuntimeSettings


class Worker:
    """Does what one line asks, with the model that the first one named."""

    def __init__(self) -> None:
        self._model: LoadedModel | None = None
        self._texts: list[Document] = []

    def answer(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one line."""
        if "load" in wanted:
            return self._load(wanted)
        assert self._model is not None
        if "turn" in wanted:
            return {"seconds": seconds_by_call(self._model, self._texts, wanted["turn"])}
        if "memory" in wanted:
            return {"bytes": peak_memory_bytes()}
        return self._score(wanted)

    def _load(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        settings = from_mapping(RuntimeSettings, wanted["settings"], place="settings")
        began = time.perf_counter()
        self._model = load_model(wanted["load"], settings)
        seconds = time.perf_counter() - began
        self._texts = list(read_documents(wanted["texts"], "jsonl", Rejects()))
        return {"seconds": seconds, "engine": engine_of(self._model)}

    def _score(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        assert self._model is not None
        places = from_mapping(CorpusPlaces, wanted["places"], place="places")
        test_set = from_mapping(TestSet, wanted["score"], place="score")
        model = self._model.part(test_set.part)
        gold = read_gold(test_set, test_set.split, places)
        found = scored(model, gold, learnt_from(model.manifest, places=places))
        shared = asdict(found.shared)
        return {"score": found.main, "measure": model.task.measure(), "shared": shared}


def main() -> None:
    """Answer lines until there are no more; whatever else prints does so on standard error."""
    worker, answers = Worker(), sys.stdout
    with redirect_stdout(sys.stderr):
        for line in sys.stdin:
            try:
                said = worker.answer(json.loads(line))
            except BiobertError as problem:
                said = {"error": str(problem)}
            answers.write(json.dumps(said) + "\n")
            answers.flush()


if __name__ == "__main__":
    main()
