"""PDFs: what is read of them, and what they may not do."""

import re
import time
from pathlib import Path

import pytest

from biobert.core.document import Document
from biobert.core.errors import BadInputError
from biobert.data.formats._pdf import PdfLimits, read_pages
from biobert.data.reading import read_documents
from biobert.data.rejects import Rejects
from tests.data.formats.pdfs import ENCRYPTED, pdf_of_contents, pdf_of_lines, stream

FORMS = 40


def read(folder: Path, content: bytes) -> tuple[list[Document], list[str]]:
    """Documents of a PDF, and why there are none."""
    path = folder / "paper.pdf"
    path.write_bytes(content)
    rejects = Rejects()
    documents = list(read_documents(path, rejects=rejects))
    return documents, [one.reason for one in rejects.kept]


def texts_of(document: Document) -> list[str]:
    return [document.text[one.start : one.end] for one in document.passages]


def forms_that_draw_one_another() -> bytes:
    """A page whose forms each draw the next one twice: 2^40 drawings in all."""
    last = b"BT /F1 11 Tf (deep) Tj ET"
    others = [
        stream(
            last if number == FORMS - 1 else b"/X%d Do /X%d Do" % (number + 1, number + 1),
            b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /Font << /F1 3 0 R >>"
            b" /XObject << /X%d %d 0 R >> >>" % (number + 1, 24 + number + 1),
        )
        for number in range(FORMS)
    ]
    return pdf_of_contents([b"/X0 Do"] * 10, resources=b"/XObject << /X0 24 0 R >>", others=others)


def test_lines_become_paragraphs_and_parted_words_whole(tmp_path: Path) -> None:
    pages = [
        [
            "Aspirin and the stomach",
            "",
            "Aspirin (a drug) may cause gastric ul-",
            "cers in patients; anti-inflammatory drugs",
            "may do so too, and among them are anti-",
            "inflammatory ibuprofen and the COX-",
            "2 inhibitors.",
            "Another paragraph begins here and goes on",
        ],
        ["to the next page, as it does in most papers,", "where it ends."],
    ]
    ((document,), reasons) = read(tmp_path, pdf_of_lines(pages))
    assert reasons == []
    assert texts_of(document) == [
        "Aspirin and the stomach",
        "Aspirin (a drug) may cause gastric ulcers in patients; anti-inflammatory drugs may do so "
        "too, and among them are anti-inflammatory ibuprofen and the COX-2 inhibitors.",
        "Another paragraph begins here and goes on to the next page, as it does in most papers, "
        "where it ends.",
    ]
    assert [one.metadata["page"] for one in document.passages] == ["1", "1", "1"]
    assert (document.id, document.provenance.source) == ("paper", "paper.pdf")


def test_pages_are_named_and_umlauts_kept(tmp_path: Path) -> None:
    usual = "Aspirin may cause gastric ulcers: of 9"
    ((document,), _) = read(tmp_path, pdf_of_lines([[usual, "Über 5 µg."], ["Naïve café."]]))
    assert texts_of(document) == [f"{usual} Über 5 µg.", "Naïve café."]
    assert [one.metadata["page"] for one in document.passages] == ["1", "2"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "damaged PDF"),
        (b"%PDF-1.7 and nothing more", "damaged PDF"),
        (pdf_of_lines([["Aspirin."]])[:-300], "damaged PDF"),
        (pdf_of_lines([[], []]), "text recognition"),
        (pdf_of_lines([["Aspirin."]], trailer=ENCRYPTED), "encrypted"),
        (pdf_of_lines([["Aspirin."]], trailer=b"/Encrypt << /Filter /Standard >>"), "encrypted"),
    ],
)
def test_what_cannot_be_read_is_set_aside(tmp_path: Path, content: bytes, words: str) -> None:
    documents, reasons = read(tmp_path, content)
    assert documents == [] and words in reasons[0]


def test_a_stream_that_grows_is_not_unpacked(tmp_path: Path) -> None:
    bomb = pdf_of_contents([b"BT /F1 11 Tf (a) Tj ET" + b" " * 100_000_000])
    assert len(bomb) < 200_000
    documents, reasons = read(tmp_path, bomb)
    # On a machine short of memory the time may be up first.
    assert documents == [] and re.search("limit|Limit|60 seconds", reasons[0])


def test_forms_without_end_are_ended() -> None:
    found = read_pages(forms_that_draw_one_another(), PdfLimits(seconds=1))
    assert found.texts == () and "1 seconds" in found.problem


def test_what_nobody_waits_for_is_ended() -> None:
    """At the third look, and the process with it: it would go on for minutes."""
    looks = 0

    def check() -> None:
        nonlocal looks
        looks += 1
        if looks == 3:
            raise BadInputError("nobody waits")

    began = time.monotonic()
    with pytest.raises(BadInputError, match="nobody waits"):
        read_pages(forms_that_draw_one_another(), PdfLimits(seconds=50), check)
    assert time.monotonic() - began < 40.0


def test_memory_pages_and_characters_are_bounded() -> None:
    content = pdf_of_lines([["Aspirin may cause gastric ulcers."]] * 20)
    for limits, words in (
        (PdfLimits(memory_bytes=30_000_000), "emory"),
        (PdfLimits(pages=19), "more than 19 pages"),
        (PdfLimits(characters=100), "more than 100 characters"),
    ):
        found = read_pages(content, limits)
        assert found.texts == () and words in found.problem, found
    assert len(read_pages(content, PdfLimits(pages=20)).texts) == 20
