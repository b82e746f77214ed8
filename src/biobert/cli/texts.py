"""Texts on a terminal."""

import re

from rich.text import Text

# What a terminal would obey. Some of it rich leaves out, and offsets behind it would be wrong.
OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def as_it_stands(text: str) -> Text:
    """The text to be printed, in which offsets are those of the text itself."""
    return Text(OBEYED.sub(" ", text))
