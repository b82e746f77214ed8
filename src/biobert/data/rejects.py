"""Records that could not be read: set aside with their place and reason, never lost in silence."""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from biobert.core.files import shown_name, writable, write_text

KEPT = 10_000
"""So many rejects are kept whole; beyond that they are only counted, and memory stays bounded."""
KEPT_OF_EACH_REASON = 1_000
"""So many are kept beyond that, so that a rare reason is named after many others."""
KEPT_AT_MOST = 5 * KEPT
PARTICULARS = re.compile(r"""'[^']*'|"[^"]*"|(?<!\S)\d+(?!\S)""")


@dataclass(frozen=True, slots=True)
class Reject:
    """One record that was set aside. `place` is a line number or the record's identifier."""

    file: str
    place: str
    reason: str


class Rejects:
    """Collects what readers set aside."""

    def __init__(self) -> None:
        self.kept: list[Reject] = []
        self.count = 0
        self.reasons: Counter[str] = Counter()

    def add(self, file: Path | str, place: int | str, reason: str) -> None:
        """Set one record aside; `place` is its line number or identifier."""
        self.count += 1
        self._keep(Reject(shown_name(file), writable(str(place)), writable(reason)))
        self.reasons[_kind(reason)] += 1

    def lost_in(self, file: Path | str) -> Callable[[int], None]:
        """Sets aside how many characters of a file could not be decoded, once it is told."""

        def lost(count: int) -> None:
            characters = "character" if count == 1 else "characters"
            cure = "convert the file, such as with iconv"
            self.add(file, "file", f"not UTF-8: {count} {characters} became U+FFFD; {cure}")

        return lost

    def extend(self, others: "Rejects") -> None:
        """Set aside what others set aside."""
        self.count += others.count
        for reject in others.kept:
            self._keep(reject)
        self.reasons.update(others.reasons)

    def moved(self) -> "Rejects":
        """All there are so far; none are left here."""
        taken = Rejects()
        taken.extend(self)
        self.kept, self.count, self.reasons = [], 0, Counter()
        return taken

    def to_json(self) -> dict[str, Any]:
        """All there are as plain values."""
        kept = [asdict(one) for one in self.kept]
        return {"count": self.count, "reasons": dict(self.reasons), "kept": kept}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Rejects":
        """The rejects that `to_json` gave."""
        rejects = cls()
        rejects.count, rejects.reasons = values["count"], Counter(values["reasons"])
        rejects.kept = [Reject(**one) for one in values["kept"]]
        return rejects

    def write(self, path: Path) -> None:
        """Write the rejects as JSON lines; what was only counted is said in a last line."""
        with write_text(path) as stream:
            for reject in self.kept:
                stream.write(json.dumps(asdict(reject), ensure_ascii=False) + "\n")
            if self.count > len(self.kept):
                stream.write(json.dumps({"not_listed": self.count - len(self.kept)}) + "\n")

    def _keep(self, reject: Reject) -> None:
        is_rare = self.reasons[_kind(reject.reason)] < KEPT_OF_EACH_REASON
        if len(self.kept) < KEPT or (is_rare and len(self.kept) < KEPT_AT_MOST):
            self.kept.append(reject)


def _kind(reason: str) -> str:
    """A reason without its particulars: what it quotes, its numbers, what comes behind a colon."""
    return PARTICULARS.sub("…", reason).partition(":")[0]
