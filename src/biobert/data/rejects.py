"""Records that could not be read: set aside with their place and reason, never lost in silence."""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from biobert.core.files import LONGEST_LINE, write_text

KEPT = 10_000
"""So many rejects are kept whole; beyond that they are only counted, and memory stays bounded."""


TOO_LONG = f"line too long: more than {LONGEST_LINE} characters"


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
        self.reasons[reason.partition(":")[0]] += 1
        if len(self.kept) < KEPT:
            self.kept.append(Reject(Path(file).name, str(place), reason))

    def extend(self, others: "Rejects") -> None:
        """Set aside what others set aside."""
        self.count += others.count
        self.reasons.update(others.reasons)
        self.kept += others.kept[: max(0, KEPT - len(self.kept))]

    def moved(self) -> "Rejects":
        """All there are so far; none are left here."""
        taken = Rejects()
        taken.extend(self)
        self.kept, self.count, self.reasons = [], 0, Counter()
        return taken

    def write(self, path: Path) -> None:
        """Write the rejects as JSON lines; what was only counted is said in a last line."""
        with write_text(path) as stream:
            for reject in self.kept:
                stream.write(json.dumps(asdict(reject), ensure_ascii=False) + "\n")
            if self.count > len(self.kept):
                stream.write(json.dumps({"not_listed": self.count - len(self.kept)}) + "\n")
