"""Texts of strangers as one line that every reader sees as it is: nothing steers, nothing hides."""

from __future__ import annotations

import re
import unicodedata

MAX_TEXT = 2000
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Letters and marks that show nothing, though Unicode does not count them as controls."""


def visible(text: str) -> str:
    """The text with a name in place of each character that shows nothing or turns the others.

    A character that steers a terminal, turns the direction of the text, or has no shape becomes
    `[U+202E]`, so that two texts which look the same are the same.
    """
    return "".join(f"[U+{ord(c):04X}]" if _is_unseen(c) else c for c in text)


def plain(text: str, most: int = MAX_TEXT) -> str:
    """The text as one line of at most so many characters, all of them visible."""
    return visible(" ".join(text[: most * 2].split()))[:most]


def _is_unseen(character: str) -> bool:
    # Letters, digits and signs come first, because nearly all characters are one.
    if character.isascii():
        return not character.isprintable()
    kind = unicodedata.category(character)
    return kind[0] == "C" or kind in ("Zl", "Zp") or _BLANK.match(character) is not None
