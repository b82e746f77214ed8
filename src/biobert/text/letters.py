"""Letters changed in their places, so that offsets stay."""

from collections.abc import Callable


def letter_by_letter(text: str, change: Callable[[str], str]) -> str:
    """The text changed, such as by `str.upper`, with every character in its place.

    A few letters become two, such as the lower case of the Turkish dotted capital I: they stay.
    """
    changed = change(text)
    if len(changed) == len(text):
        return changed
    return "".join(new if len(new := change(one)) == 1 else one for one in text)
