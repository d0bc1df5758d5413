"""The results of a run, as files on disk: a folder of `results/`, a link to one, or its labs.json.

Somebody may have sent the file. Its size is bounded before it is read.
"""

from __future__ import annotations

import json
from pathlib import Path

from harness.core.compare.results import Results, results_of
from harness.edge.files.runs import DOCUMENT
from harness.errors import ContentError

MIB = 1 << 20
MAX_MIB = 16
"""The size of the largest file that is read; a run of all labs writes less than 1 MiB."""


def read_results(path: Path) -> Results:
    """The results in this folder or file.

    Raises:
        ContentError: there is no labs.json, or it cannot be read; the message says why.
    """
    file = path / DOCUMENT if path.is_dir() else path
    if not file.is_file():
        raise ContentError(
            "there are no results",
            where=str(path),
            seen=f"no file {file.name}",
            try_="name a folder of results, such as results/latest-calico; `make labs` makes one",
        )
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_MIB * MIB + 1)
    except OSError as error:
        raise ContentError(
            "the results cannot be read", where=str(file), seen=error.strerror or str(error)
        ) from error
    if len(data) > MAX_MIB * MIB:
        raise ContentError(
            f"the results are larger than {MAX_MIB} MiB",
            where=str(file),
            try_="is this the labs.json of one run?",
        )
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        seen = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ContentError(
            "the results are not JSON",
            where=str(file),
            seen=seen,
            try_="name a folder of results, or the labs.json in it",
        ) from error
    return results_of(document, str(path))
