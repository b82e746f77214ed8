"""The one error a user is meant to read."""


class BiobertError(Exception):
    """A problem the user can cure; the message names the value, the place and the cure.

    `code` is a short stable word for programs (`--json` prints it as `error.code`).
    """

    def __init__(self, message: str, *, code: str = "failed") -> None:
        super().__init__(message)
        self.code = code


class BadInputError(BiobertError):
    """A file, record or value that cannot be used."""

    def __init__(self, message: str, *, code: str = "bad-input") -> None:
        super().__init__(message, code=code)


class MissingExtraError(BiobertError):
    """A feature whose optional packages are not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"package {package!r} is not installed; run: pip install 'biobert[{extra}]'",
            code="missing-extra",
        )
        self._names = package, extra

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        """So that it travels from one process to another."""
        return type(self), self._names
