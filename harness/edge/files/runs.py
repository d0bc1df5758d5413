"""The folders of results: one folder for each run, and links to the newest runs.

    results/20260117-142530-calico/       a run: the time at which it began (UTC), and the lane
    results/20260117-150210-calico-part/  a run that left out rows of its tutorials (`-k`, one file)
    results/latest                        a link to the newest run
    results/latest-calico                 a link to the newest run on Calico that left out no row

A lane is what the cluster was made with: `calico-1.36` is Calico on Kubernetes 1.36. A run without
a cluster has `offline` in its place.

No run therefore overwrites another run.
"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from harness.errors import EnvironmentFault

KEPT = 20
"""The number of runs to keep, in addition to runs that a link points to."""

DOCUMENT = "labs.json"
LATEST = "latest"
_PART = "-part"
_RUN = re.compile(r"\d{8}-\d{6}(-\d+)?-[a-z0-9.-]+\Z")


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs below one folder, `results/` by default."""

    home: Path

    def begin(self, started: datetime, lane: str, *, partial: bool) -> Path:
        """Make the folder of a run, point `latest` to it, and remove the oldest runs.

        Raises:
            EnvironmentFault: the folder cannot be written.
        """
        try:
            folder = self._make(f"{started:%Y%m%d-%H%M%S}", f"-{lane}{_PART if partial else ''}")
            self._point(LATEST, folder)
            self._prune(folder)
        except OSError as error:
            raise EnvironmentFault(
                "the results cannot be written",
                where=str(self.home),
                seen=str(error),
                try_="name a folder that can be written: --lab-report-dir=DIR",
            ) from error
        return folder

    def finish(self, folder: Path, lane: str) -> None:
        """Point `latest-LANE` to a complete run: it left out no row and was not interrupted."""
        self._point(f"{LATEST}-{lane}", folder)

    def _make(self, stamp: str, rest: str) -> Path:
        """Make the folder; if two runs begin in the same second, the later folder gets a number."""
        self.home.mkdir(parents=True, exist_ok=True)
        number = 1
        while True:
            folder = self.home / f"{stamp}{'' if number == 1 else f'-{number}'}{rest}"
            try:
                folder.mkdir()
            except FileExistsError:
                number += 1
            else:
                return folder

    def _point(self, name: str, folder: Path) -> None:
        """Replace a link in one move, so that a reader never misses it."""
        link = self.home / name
        if link.exists() and not link.is_symlink():
            raise FileExistsError(f"{link} is not a link, so policylab does not replace it")
        # Runs that begin at the same moment have drafts of their own.
        draft = self.home / f".{name}.{folder.name}.new"
        draft.unlink(missing_ok=True)
        try:
            draft.symlink_to(folder.name)
        except OSError:
            if os.name != "nt":
                raise
            return  # Windows gives few users the right to make a link, and a link is a convenience
        draft.replace(link)

    def _prune(self, newest: Path) -> None:
        linked = {link.resolve() for link in self.home.glob(f"{LATEST}*") if link.is_symlink()}
        kept = {newest.resolve(), *linked}
        for folder in runs_in(self.home)[:-KEPT]:
            if folder.resolve() not in kept:
                shutil.rmtree(folder, ignore_errors=True)  # another run may remove it as well


def runs_in(home: Path) -> list[Path]:
    """The folders of runs below `home`, the oldest first, without other files and folders."""
    return sorted(
        path
        for path in home.glob("*")
        if _RUN.match(path.name) and not path.is_symlink() and (path / DOCUMENT).is_file()
    )
