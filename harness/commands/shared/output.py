"""Files whose names the user gave on the command line."""

from __future__ import annotations

from pathlib import Path

from harness.errors import ContentError


def write_output(file: Path, text: str) -> None:
    """Write the text into a file that the command line names.

    Raises:
        ContentError: the file cannot be written.
    """
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ContentError(
            "the file cannot be written",
            where=str(file),
            seen=error.strerror or str(error),
            try_="name a file in an existing folder",
        ) from error
