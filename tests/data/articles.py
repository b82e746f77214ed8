"""Articles, citations and texts that tests write for themselves: no two alike, all in English."""

import io
import tarfile
from pathlib import Path
from random import Random

WORDS = (
    "lithium aspirin cardiac arrest breast cancer diabetes protein receptor plasma dose serum "
    "kidney liver mouse tissue enzyme cohort placebo trial mutation infection fever insulin tumour "
    "lesion marker therapy vaccine antibody genome".split()
)
OPEN = "http://creativecommons.org/licenses/by/4.0/"


def sentence(random: Random) -> str:
    """Such as `The serum of lithium was given to the mouse with 14 fever for the liver in dose`."""
    one = [random.choice(WORDS) for _ in range(6)]
    return (
        f"The {one[0]} of {one[1]} was given to the {one[2]} with {random.randrange(1000)} "
        f"{one[3]} for the {one[4]} in {one[5]}."
    )


def prose(number: int, sentences: int = 4) -> str:
    """A paragraph: the same for the same number."""
    random = Random(number)
    return " ".join(sentence(random) for _ in range(sentences))


def jats(number: int, *, licence: str = OPEN, paragraphs: int = 2, sentences: int = 4) -> str:
    """An article with a title, an abstract and a section."""
    body = "".join(
        f"<p>{prose(number * 100 + place, sentences)}</p>" for place in range(paragraphs)
    )
    permissions = (
        '<permissions><license xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'xlink:href="{licence}"/></permissions>'
    )
    return (
        f'<article><front><article-meta><article-id pub-id-type="pmc">{90_000 + number}'
        f"</article-id><title-group><article-title>On matter {number}</article-title></title-group>"
        f"{permissions if licence else ''}</article-meta></front>"
        f"<body><sec><title>Results</title>{body}</sec></body></article>"
    )


def pubmed(numbers: list[int], *, deleted: tuple[int, ...] = (), more: str = "") -> str:
    """A file of citations."""
    records = "".join(
        f'<PubmedArticle><MedlineCitation><PMID Version="1">{number}</PMID><Article><ArticleTitle>'
        f"On matter {number}.</ArticleTitle><Abstract><AbstractText>{prose(number)}</AbstractText>"
        "</Abstract></Article></MedlineCitation></PubmedArticle>\n"
        for number in numbers
    )
    gone = "".join(f'<PMID Version="1">{number}</PMID>' for number in deleted)
    deletions = f"<DeleteCitation>{gone}</DeleteCitation>" if deleted else ""
    head = '<?xml version="1.0" encoding="utf-8"?>\n<PubmedArticleSet>\n'
    return f"{head}{records}{more}{deletions}</PubmedArticleSet>\n"


def write_tar(path: Path, members: dict[str, str | bytes]) -> Path:
    """An archive, packed as its ending says."""
    mode = {".gz": "w:gz", ".xz": "w:xz"}.get(path.suffix, "w")
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            data = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path
