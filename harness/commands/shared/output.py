"""The options about what a verb prints, and files whose names the user gave."""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.errors import ContentError


def add_format(parser: argparse.ArgumentParser) -> None:
    """Add `--format`."""
    parser.add_argument(
        "--format", choices=["text", "json"], default="text", help="default: %(default)s"
    )


def add_quiet(parser: argparse.ArgumentParser, meaning: str = "print the summary only") -> None:
    """Add `--quiet`; `meaning` is what is left."""
    parser.add_argument("-q", "--quiet", action="store_true", help=meaning)


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
