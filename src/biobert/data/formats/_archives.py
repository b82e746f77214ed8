"""Members of tar and zip archives, one in memory at a time, whatever they are called."""

import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, cast

from biobert.core.errors import BadInputError
from biobert.core.files import Eager, open_binary, read_at_most, writable

READ_BYTES = 1 << 20
ENCRYPTED = 0x1
ZIP_START = b"PK\x03\x04"
HEADERS = {
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
}
LARGEST_HEADER = 1_000_000
"""In bytes: tarfile reads what stands before a member, such as its long name, whole."""


class _Member(tarfile.TarInfo):
    """A member of an archive from a stranger: nothing but its content may be long."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in HEADERS and self.size > LARGEST_HEADER:
            raise tarfile.ReadError(f"a header of {self.size} bytes")
        if self.type == tarfile.GNUTYPE_SPARSE:
            self._proc_gnusparse_10()
        return super()._proc_member(archive)  # type: ignore[misc,no-any-return]

    def _proc_gnusparse_10(self, *_: object) -> None:
        # The list of the holes is read whole, and may be as long as its writer likes.
        raise tarfile.ReadError("a file with holes, which no text has")


def tar_members(
    path: Path, *, endings: tuple[str, ...], largest: int
) -> Iterator[tuple[str, bytes | None]]:
    """Names and bytes of the files with these endings, in order; None is one beyond `largest`."""
    try:
        # "r|": one pass, nothing kept of what has been read; it asks a stream for `read` alone.
        with (
            open_binary(path) as stream,
            tarfile.open(
                fileobj=cast(Any, Eager(stream)), mode="r|", bufsize=READ_BYTES, tarinfo=_Member
            ) as archive,
        ):
            for member in archive:
                if member.isfile() and member.name.endswith(endings):
                    content = archive.extractfile(member)
                    yield writable(member.name), read_at_most(content, largest) if content else b""
                # tarfile keeps every member it has seen.
                archive.members = []  # type: ignore[attr-defined]
    except (tarfile.TarError, EOFError, OSError, RecursionError) as problem:
        raise BadInputError(f"{path}: damaged archive: {problem}") from None
    _check_end(path)


def _check_end(path: Path) -> None:
    """tarfile takes an archive that breaks off inside a header for one that is whole."""
    if path.suffix.lower() == ".tar" and path.stat().st_size % tarfile.BLOCKSIZE:
        raise BadInputError(f"{path}: damaged archive: cut short")


def is_zip(path: Path) -> bool:
    """Whether the file begins as zip archives do."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(len(ZIP_START)) == ZIP_START


def zip_members(path: Path, *, ending: str, largest: int) -> Iterator[tuple[str, bytes | None]]:
    """Names and bytes of the files with this ending, in order; None is one beyond `largest`.

    Files that begin with a dot, which some packers add, are passed over.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                name = PurePosixPath(member.filename).name
                if member.is_dir() or name.startswith(".") or not name.endswith(ending):
                    continue
                if member.flag_bits & ENCRYPTED:
                    raise BadInputError(f"{path}: {member.filename} is locked with a password")
                with archive.open(member) as stream:
                    yield member.filename, read_at_most(stream, largest)
    except NotImplementedError as problem:  # a newer way of packing than zipfile knows
        raise BadInputError(f"{path}: {problem}; pack it anew, with deflate") from None
    except (zipfile.BadZipFile, zlib.error, EOFError) as problem:
        raise BadInputError(f"{path}: damaged archive: {problem}") from None
