"""Evidence Inference 2.0: what a trial found for an intervention, a comparator and an outcome.

The file is the table of annotations; the table of prompts stands beside it. A document is a passage
`prompt` and a passage `evidence`, the words that an annotator cites; with the articles at hand it
is the prompt and the article's abstract (passages `abstract`) instead (DeYoung et al. 2020,
arXiv:2005.04177).

What the verifier refused is set aside. A prompt has one label: the one that most of its annotators
gave, each with one voice; where they are divided it has none and is set aside. Each evidence of
those who gave that label is a document, the same words only once; with abstracts, each prompt is.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from biobert.core.document import Document, Provenance
from biobert.core.files import shown_name
from biobert.data.formats._evidence import abstracts_of, article_splits
from biobert.data.formats._passages import Part, joined
from biobert.data.formats._tables import named_rows
from biobert.data.rejects import Rejects

ENDINGS: tuple[str, ...] = ()
PROMPTS = "prompts_merged.csv"
LABELS = ("significantly increased", "significantly decreased", "no significant difference")
SPELLINGS = {
    **{label: label for label in LABELS},
    "significantly increase": "significantly increased",
    "significantly decrease": "significantly decreased",
}
ANNOTATION_COLUMNS = (
    "UserID", "PromptID", "PMCID", "Valid Label", "Valid Reasoning", "Label", "Annotations",
)  # fmt: skip
PROMPT_COLUMNS = ("PromptID", "PMCID", "Outcome", "Intervention", "Comparator")


@dataclass(frozen=True, slots=True)
class _Annotation:
    """What one annotator said, and whether the verifier lets the words count as evidence."""

    annotator: str
    label: str
    evidence: str
    counts: bool


@dataclass(slots=True)
class _Prompt:
    """A question about an article, with its answers."""

    outcome: str
    intervention: str
    comparator: str
    article: str
    annotations: list[_Annotation] = field(default_factory=list)

    def text(self) -> str:
        """The question as a line that reads on from the outcome."""
        return f"{self.outcome}: {self.intervention} compared with {self.comparator}"


def read(path: Path | str, rejects: Rejects) -> Iterator[Document]:
    """Prompts with their evidence; the prompts are looked for beside the annotations."""
    beside = Path(path).with_name(PROMPTS)
    yield from read_together(Path(path), {"prompts": beside}, rejects)


def read_together(path: Path, beside: Mapping[str, Path], rejects: Rejects) -> Iterator[Document]:
    """Prompts with evidence or, where `beside` has `articles`, an archive, with abstracts.

    `NAME-articles` (`train-articles`, ...) are lists of articles: they put the split NAME into the
    metadata, and an annotated article that no list has is set aside.
    """
    annotations = list(_annotations(path, rejects))
    prompts = _prompts(beside["prompts"], rejects) if annotations else {}
    for number, annotation in annotations:
        if number in prompts:
            prompts[number].annotations.append(annotation)
        else:
            rejects.add(path, f"prompt {number}", f"no prompt: none of this number in {PROMPTS}")
    asked = {number: prompt for number, prompt in prompts.items() if prompt.annotations}
    abstracts = None
    if "articles" in beside:
        wanted = {prompt.article for prompt in asked.values()}
        abstracts = abstracts_of(beside["articles"], wanted, rejects)
    maker = _Maker(path, rejects, article_splits(beside), abstracts)
    for number, prompt in asked.items():
        yield from maker.documents(number, prompt)


def _annotations(path: Path, rejects: Rejects) -> Iterator[tuple[str, _Annotation]]:
    for number, row in named_rows(path, ANNOTATION_COLUMNS, rejects):
        label = SPELLINGS.get(row["Label"])
        if row["Valid Label"] != "True":
            rejects.add(path, number, f"label refused by the verifier: prompt {row['PromptID']}")
        elif label is None:
            rejects.add(path, number, f"unknown label: {row['Label'][:60]!r}")
        else:
            counts = row["Valid Reasoning"] == "True"
            if not counts:
                rejects.add(path, number, f"evidence refused by the verifier: {row['PromptID']}")
            yield (
                row["PromptID"],
                _Annotation(row["UserID"], label, row["Annotations"], counts),
            )


def _prompts(path: Path, rejects: Rejects) -> dict[str, _Prompt]:
    return {
        row["PromptID"]: _Prompt(
            row["Outcome"], row["Intervention"], row["Comparator"], row["PMCID"]
        )
        for _, row in named_rows(path, PROMPT_COLUMNS, rejects)
    }


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes the documents of prompts; `abstracts` are by article, `splits` too."""

    path: Path
    rejects: Rejects
    splits: Mapping[str, str]
    abstracts: Mapping[str, Sequence[Part]] | None

    def documents(self, number: str, prompt: _Prompt) -> Iterator[Document]:
        """All documents of a prompt, none where its annotators are divided."""
        label = _label(prompt.annotations)
        if label is None:
            self._refuse(number, "annotators divided: no label has more voices than another")
        elif self.splits and prompt.article not in self.splits:
            self._refuse(number, f"no split: no list of articles has {prompt.article}")
        else:
            for _ in (one for one in prompt.annotations if one.label != label):
                self._refuse(number, f"label outvoted: most annotators say {label!r}")
            for name, context in self._contexts(number, label, prompt):
                yield self._document(name, label, prompt, context)

    def _contexts(
        self, number: str, label: str, prompt: _Prompt
    ) -> Iterator[tuple[str, Sequence[Part]]]:
        """Names of the prompt's documents, and what stands beside the prompt in each."""
        name = f"prompt-{number}"
        if self.abstracts is not None:
            if context := self.abstracts.get(prompt.article):
                yield name, context
            else:
                self._refuse(number, f"no abstract: PMC{prompt.article} is missing or has none")
            return
        cited = (one for one in prompt.annotations if one.label == label and one.counts)
        # Two annotators who cite the same words say one thing.
        words = dict.fromkeys(" ".join(one.evidence.split()) for one in cited)
        for count, evidence in enumerate(filter(None, words), start=1):
            yield f"{name}-{count}", [Part("evidence", evidence)]

    def _document(
        self, name: str, label: str, prompt: _Prompt, context: Sequence[Part]
    ) -> Document:
        text, passages = joined([Part("prompt", prompt.text()), *context])
        metadata = {
            "pmc": prompt.article,
            "outcome": prompt.outcome,
            "intervention": prompt.intervention,
            "comparator": prompt.comparator,
        }
        if self.splits:
            metadata["split"] = self.splits[prompt.article]
        return Document(
            id=name,
            text=text,
            passages=passages,
            labels=(label,),
            provenance=Provenance(source=shown_name(self.path)),
            metadata=metadata,
        )

    def _refuse(self, number: str, reason: str) -> None:
        self.rejects.add(self.path, f"prompt {number}", reason)


def _label(annotations: Sequence[_Annotation]) -> str | None:
    voices = Counter(label for _, label in {(one.annotator, one.label) for one in annotations})
    (first, most), *others = voices.most_common()
    return None if others and others[0][1] == most else first
