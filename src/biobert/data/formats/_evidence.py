"""What the readers of Evidence Inference share: lists of articles, and their abstracts."""

from collections.abc import Collection, Mapping
from pathlib import Path, PurePath

from biobert.core.files import open_text
from biobert.data.formats._jats import archive_members, read_article
from biobert.data.formats._passages import Part
from biobert.data.rejects import Rejects

LARGEST_LIST = 10_000_000


def article_splits(beside: Mapping[str, Path]) -> dict[str, str]:
    """The split of each article; a list of them is called `SPLIT-articles`."""
    splits = {}
    for name, path in beside.items():
        split, _, what = name.rpartition("-")
        if split and what == "articles":
            # Numbers alone: a damaged one is in no list, which is told of its article.
            with open_text(path, lambda lost: None) as stream:
                numbers = stream.read(LARGEST_LIST)
            splits.update(dict.fromkeys(numbers.split(), split))
    return splits


def abstracts_of(archive: Path, wanted: Collection[str], rejects: Rejects) -> dict[str, list[Part]]:
    """The sections of each article's abstract, by PubMed Central number."""
    abstracts = {}
    for name, data in archive_members(archive):
        number = PurePath(name).stem.removeprefix("PMC")
        if number in wanted:
            for article in read_article(data, name, rejects):
                abstracts[number] = [
                    Part("abstract", article.text[one.start : one.end], one.heading)
                    for one in article.passages
                    if one.kind == "abstract"
                ]
    return abstracts
