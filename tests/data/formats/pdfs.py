"""PDFs written by hand, byte by byte, with the table of places that readers look for."""

import zlib
from collections.abc import Sequence

FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"

ENCRYPTED = b"/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O (%b) /U (%b) >> /ID [(a) (a)]" % (
    b"a" * 32,
    b"a" * 32,
)
"""What the trailer of a PDF with a password says."""


def pdf_of_lines(pages: Sequence[Sequence[str]], trailer: bytes = b"") -> bytes:
    """A PDF with these lines on its pages; a line is at most 80 characters of WinAnsi."""
    return pdf_of_contents([_shown(lines) for lines in pages], trailer=trailer)


def pdf_of_contents(
    contents: Sequence[bytes],
    *,
    resources: bytes = b"",
    others: Sequence[bytes] = (),
    trailer: bytes = b"",
) -> bytes:
    """A PDF whose pages have these content streams.

    Objects: 1 the catalogue, 2 the pages, 3 the font, then two for each page, then `others`.
    """
    numbers = [4 + 2 * place for place in range(len(contents))]
    kids = b" ".join(b"%d 0 R" % number for number in numbers)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(numbers)),
        FONT,
    ]
    for number, content in zip(numbers, contents, strict=True):
        objects += [
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R"
            b" /Resources << /Font << /F1 3 0 R >> %s >> >>" % (number + 1, resources),
            stream(content),
        ]
    return _file([*objects, *others], trailer)


def stream(content: bytes, entries: bytes = b"") -> bytes:
    """A packed stream object."""
    packed = zlib.compress(content, 9)
    return b"<< /Length %d /Filter /FlateDecode %s >>\nstream\n%s\nendstream" % (
        len(packed),
        entries,
        packed,
    )


def _shown(lines: Sequence[str]) -> bytes:
    rows = [b"BT /F1 11 Tf 14 TL 72 770 Td"]
    for line in lines:
        text = line.encode("cp1252").replace(b"\\", b"\\\\")
        text = text.replace(b"(", b"\\(").replace(b")", b"\\)")
        rows.append(b"(%s) Tj T*" % text)
    return b"\n".join([*rows, b"ET"])


def _file(objects: Sequence[bytes], trailer: bytes) -> bytes:
    content = bytearray(b"%PDF-1.7\n")
    places = []
    for number, one in enumerate(objects, start=1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    table = len(content)
    content += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    content += b"".join(b"%010d 00000 n \n" % place for place in places)
    content += b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        trailer,
        table,
    )
    return bytes(content)
