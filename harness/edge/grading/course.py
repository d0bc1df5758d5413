"""A course: many submissions of one assignment, graded once each, whatever happens in between.

Each grade is kept in a file of its own as soon as it is there, under a name that nobody chose. A
run that goes on (`resume`) takes such a grade if it is of the same files, assignment, CNI and mode,
and whole: what was not checked is asked again.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from harness.core.grading.document import grade_document, grades_document, read_grade
from harness.core.grading.judge import Judge, Predicted
from harness.core.grading.model import Grade, Grades, Mode, Status
from harness.core.grading.randomised import USUAL, key_of, names_for, randomised
from harness.core.grading.submitting import read_submission
from harness.core.grading.telling.graded import graded
from harness.core.grading.world import World, fingerprint, world_of
from harness.core.lab.profile import CniProfile
from harness.edge.grading.submissions import HandedIn
from harness.edge.machine.workers import shared
from harness.errors import ContentError
from harness.progress import Progress

KEPT = "kept"
"""The folder of the single grades."""
GRADES = "grades.json"
EVERY = 1.0
"""Seconds between two messages of progress."""
_BEGUN = re.compile(r"\..+\.[0-9]+")
"""The name of a file that was begun, and is not whole."""


@dataclass(frozen=True)
class Course:
    """An assignment on a CNI, judged in one way, and the folder of its results.

    Attributes:
        world: the assignment's.
        profile: the CNI's.
        mode: how submissions are judged.
        out: the folder.
        seed: from which each student has names of their own, as the handout drew them; empty: all
            have the assignment's.
    """

    world: World
    profile: CniProfile
    mode: Mode
    out: Path
    seed: str = ""

    def grades(
        self,
        submissions: Sequence[HandedIn],
        progress: Progress,
        *,
        judge: Judge | None = None,
        jobs: int = 1,
        resume: bool = False,
        others: Sequence[HandedIn] = (),
    ) -> Grades:
        """Grade the submissions, and write `grades.json`; the grades are sorted by id.

        `judge` hears the flows; None: the oracle, in `jobs` processes. A run that goes on takes
        the grades of `others` that are kept, and grades none of them.

        Raises:
            ContentError: the folder cannot be written.
            EnvironmentFault: a process was ended from outside.
        """
        self.make()
        done, spoilt = self._kept_of([*submissions, *others]) if resume else ({}, [])
        left = [one for one in submissions if one.id not in done]
        if resume:
            progress.note(f"{len(done)} submissions are graded already, {len(left)} are left")
        for path in spoilt:
            progress.note(f"{path} is not whole, so that this submission is graded again")
        clock = _Estimate(len(left), progress)
        own = judge or Predicted(self.profile)
        # A grade is kept by whoever made it: no run that is stopped loses one.
        for one, found in shared(
            lambda one: self._once(own, one), left, 1 if judge is not None else jobs
        ):
            done[one.id] = found
            clock.one_more()
        return self.written(done.values())

    def written(self, found: Iterable[Grade]) -> Grades:
        """Write `grades.json` of these grades, sorted by id.

        Raises:
            ContentError: the file cannot be written.
        """
        ordered = sorted(found, key=lambda one: one.id)
        result = Grades(self.world.assignment.name, self.profile.name, self.mode, tuple(ordered))
        write_json(self.out / GRADES, grades_document(result))
        return result

    @cached_property
    def marked(self) -> str:
        """A text that differs between assignments that mark differently."""
        return fingerprint(self.world.assignment)

    def key(self, student: str) -> str:
        """The student's key, by which names of their own are drawn; empty: there is no seed."""
        if self.seed:
            return key_of(self.world.assignment, student, self.seed)
        return ""

    def kept(self, one: HandedIn) -> Grade | None:
        """The grade that was kept of exactly this submission; None: there is none.

        Raises:
            ValueError: the file is not whole.
        """
        document = read_json(self.file(one.id))
        if document is None or document.get("digest") != self._digest(one):
            return None
        return self.read(document)

    def read(self, document: Mapping[str, Any]) -> Grade:
        """The grade in a file that was kept, of whomever it is.

        Raises:
            ValueError: it is not whole.
        """
        try:
            # The rows are in the student's own names: reports quote their hints.
            assignment, key = self.world.assignment, str(document["key"])
            rows = (randomised(assignment, key) if key else assignment).all_rows
            found = read_grade(document["grade"], {row.id: row for row in rows}, where=KEPT)
            return replace(found, key=key)
        except (KeyError, TypeError, ContentError) as error:
            raise ValueError(repr(error)) from error

    def file(self, student: str) -> Path:
        """The file in which a student's grade is kept."""
        return self.out / KEPT / f"{sha256(student.encode(errors='replace')).hexdigest()[:32]}.json"

    def make(self) -> None:
        """Make the folder, and take away what a run that was killed had only begun to write.

        Raises:
            ContentError: it cannot be made.
        """
        try:
            (self.out / KEPT).mkdir(parents=True, exist_ok=True)
            for path in (*self.out.iterdir(), *(self.out / KEPT).iterdir()):
                if _BEGUN.fullmatch(path.name) and path.is_file():
                    path.unlink()  # a run was killed while it wrote this
        except OSError as error:
            raise ContentError(
                "the folder of the grades cannot be made", where=str(self.out), seen=str(error)
            ) from error

    def _kept_of(self, all_of: Iterable[HandedIn]) -> tuple[dict[str, Grade], list[Path]]:
        """The grades that are kept, and the files that are not whole."""
        done: dict[str, Grade] = {}
        spoilt: list[Path] = []
        for one in all_of:
            try:
                found = self.kept(one)
            except ValueError:
                spoilt.append(self.file(one.id))
            else:
                # What was not checked is asked again.
                if found is not None and found.status is not Status.NOT_CHECKED:
                    done[one.id] = found
        return done, spoilt

    def _once(self, judge: Judge, one: HandedIn) -> Grade:
        world, drawn, key = self.world, USUAL, self.key(one.id)
        if key:
            drawn = names_for(world.assignment, key)
            world = world_of(randomised(world.assignment, key))
        submission = read_submission(world.assignment, one.id, one.files, one.notes, one.problem)
        found = replace(graded(world, submission, judge, self.profile, drawn), key=key)
        document = {
            "digest": self._digest(one),
            "key": key,
            "grade": grade_document(found, exact=True),
        }
        write_json(self.file(one.id), document)
        return found

    def _digest(self, one: HandedIn) -> str:
        """What a grade depends on: the files, the assignment, the CNI, and the way of judging."""
        parts = [self.mode.value, self.profile.name, self.key(one.id), self.marked]
        found = sha256("\0".join(parts).encode(errors="replace"))
        found.update("\0".join((one.problem, *one.notes)).encode(errors="replace"))
        for file in one.files:
            name = file.origin.encode(errors="replace")
            found.update(b"%d %d " % (len(name), len(file.data)) + name + file.data)
        return found.hexdigest()


def read_json(path: Path) -> dict[str, Any] | None:
    """A document of ours; None: there is no such file.

    Raises:
        ValueError: it is not whole, or none of ours.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, RecursionError) as error:
        raise ValueError(str(error)) from error
    if not isinstance(document, dict):
        raise ValueError(str(path))  # noqa: TRY004 - what the file holds is a wrong value
    return document


def write_json(path: Path, document: object) -> None:
    """Write a document whole or not at all.

    Raises:
        ContentError: the file cannot be written.
    """
    write_text(path, json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all: a run that is killed leaves no half of a file.

    Raises:
        ContentError: the file cannot be written.
    """
    begun = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        begun.write_text(text, encoding="utf-8", errors="replace", newline="")
        begun.replace(path)
    except BaseException as error:
        with suppress(OSError):
            begun.unlink()
        if not isinstance(error, OSError):
            raise
        raise ContentError(
            "the file cannot be written", where=str(path), seen=str(error)
        ) from error


class _Estimate:
    """Says how far the course is, and how long the rest will take by the pace so far."""

    def __init__(self, total: int, progress: Progress) -> None:
        self._total, self._progress = total, progress
        self._done, self._began = 0, time.monotonic()
        self._said = self._began

    def one_more(self) -> None:
        self._done += 1
        now = time.monotonic()
        if now - self._said >= EVERY and self._done < self._total:
            left = (now - self._began) / self._done * (self._total - self._done)
            self._progress.note(
                f"{self._done} of {self._total} are graded; about {left:.0f} s are left"
            )
            self._said = now
