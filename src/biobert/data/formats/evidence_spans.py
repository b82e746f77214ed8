"""Evidence Inference 2.0 as extractive questions: where an abstract says what a trial found.

The file is the table of annotations, read together with the table of prompts and the archive of
articles. Each prompt whose evidence stands in the abstract of its article is a question, with the
evidence as answers (DeYoung et al. 2020, arXiv:2005.04177). The published offsets count characters
of another program's text, so the words themselves are looked up, whatever the white space. What
annotators cite from elsewhere in the article, and what the verifier refused, is set aside.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.core.files import shown_name
from biobert.core.questions import question_document
from biobert.data.formats._evidence import abstracts_of, article_splits
from biobert.data.formats._tables import named_rows
from biobert.data.rejects import Rejects

ENDINGS: tuple[str, ...] = ()
PROMPTS, ARTICLES = "prompts_merged.csv", "pmc_oa_articles.tar.xz"
ANNOTATION_COLUMNS = ("PromptID", "PMCID", "Valid Label", "Valid Reasoning", "Annotations")
PROMPT_COLUMNS = ("PromptID", "Outcome", "Intervention", "Comparator")


@dataclass(slots=True)
class _Prompt:
    """What was asked about an article, and the words that say what was found."""

    article: str
    evidence: list[str] = field(default_factory=list)


def read(path: Path | str, rejects: Rejects) -> Iterator[Document]:
    """Questions from a table of annotations that has the prompts and the articles beside it."""
    folder = Path(path).parent
    beside = {"prompts": folder / PROMPTS, "articles": folder / ARTICLES}
    yield from read_together(Path(path), beside, rejects)


def read_together(path: Path, beside: Mapping[str, Path], rejects: Rejects) -> Iterator[Document]:
    """A document for each prompt that the abstract answers.

    `beside` has `prompts` and `articles`, an archive; of `NAME-articles`, lists of articles by
    number, NAME becomes the `split` in the metadata.
    """
    asked = _prompts(path, rejects)
    if not asked:
        return
    questions = _questions(beside["prompts"], rejects)
    splits = article_splits(beside)
    wanted = {prompt.article for prompt in asked.values()}
    abstracts = abstracts_of(beside["articles"], wanted, rejects)
    for number, prompt in asked.items():
        metadata = {"pmc": prompt.article, "split": splits.get(prompt.article, "")}
        abstract = "\n".join(part.text for part in abstracts.get(prompt.article, ()))
        try:
            yield question_document(
                f"prompt-{number}",
                questions[number],
                abstract,
                answers=_answers(abstract, prompt),
                source=shown_name(path),
                metadata={key: value for key, value in metadata.items() if value},
            )
        except (BadInputError, KeyError) as problem:
            rejects.add(path, f"prompt {number}", f"no question: {problem}")


def found_span(text: str, words: str) -> tuple[int, int] | None:
    """Where words stand in a text, whatever the white space in and around them, or None."""
    places = [match.start() for match in re.finditer(r"\S", text)]
    wanted = "".join(words.split())
    at = "".join(text.split()).find(wanted) if wanted else -1
    return None if at < 0 else (places[at], places[at + len(wanted) - 1] + 1)


def _prompts(path: Path, rejects: Rejects) -> dict[str, _Prompt]:
    prompts: dict[str, _Prompt] = {}
    for number, row in named_rows(path, ANNOTATION_COLUMNS, rejects):
        if row["Valid Label"] != "True" or row["Valid Reasoning"] != "True":
            rejects.add(path, number, f"refused by the verifier: prompt {row['PromptID']}")
            continue
        prompt = prompts.setdefault(row["PromptID"], _Prompt(row["PMCID"]))
        prompt.evidence.append(row["Annotations"])
    return prompts


def _questions(path: Path, rejects: Rejects) -> dict[str, str]:
    return {
        row["PromptID"]: f"What was found for {row['Outcome']}, {row['Intervention']} compared "
        f"with {row['Comparator']}?"
        for _, row in named_rows(path, PROMPT_COLUMNS, rejects)
    }


def _answers(abstract: str, prompt: _Prompt) -> list[tuple[int, int]]:
    if not abstract:
        raise BadInputError(f"PMC{prompt.article} is missing or has no abstract")
    spans = [found_span(abstract, words) for words in prompt.evidence]
    found = [span for span in spans if span is not None]
    if not found:
        raise BadInputError("its evidence does not stand in the abstract")
    return found
