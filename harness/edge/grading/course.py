"""A course: many submissions of one assignment, graded once each, whatever happens in between.

Each grade is kept in a file of its own as soon as it is there, under a name that nobody chose. A
run that goes on (`resume`) takes such a grade if it is of the same files, assignment, CNI and mode,
and whole: what was not checked is asked again.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path

from harness.core.grading.causes import Causes
from harness.core.grading.document import grade_document, grades_document, read_grade
from harness.core.grading.judge import Judge, Predicted
from harness.core.grading.marks import grade
from harness.core.grading.model import FlowResult, Grade, Grades, Mode, Status, Submission
from harness.core.grading.randomised import of_student
from harness.core.grading.submitting import read_submission
from harness.core.grading.world import World, fingerprint, world_of
from harness.core.lab.profile import CniProfile
from harness.edge.grading.submissions import HandedIn
from harness.errors import ContentError
from harness.progress import Progress

KEPT = "kept"
"""The folder of the single grades."""
GRADES = "grades.json"
EVERY = 1.0
"""Seconds between two messages of progress."""


@dataclass(frozen=True)
class Course:
    """An assignment on a CNI, judged in one way, and the folder of its results.

    With a `seed`, each student has names of their own, as the handout drew them.
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
    ) -> Grades:
        """Grade the submissions, and write `grades.json`; the grades are sorted by id.

        `judge` hears the flows; None: the oracle, in `jobs` processes.

        Raises:
            ContentError: the folder cannot be written.
        """
        try:
            (self.out / KEPT).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ContentError(
                "the folder of the grades cannot be made", where=str(self.out), seen=str(error)
            ) from error
        done = {one.id: found for one in submissions if resume and (found := self._kept(one))}
        left = [one for one in submissions if one.id not in done]
        if resume:
            progress.note(f"{len(done)} submissions are graded already, {len(left)} are left")
        clock = _Estimate(len(left), progress)
        for one, found in self._graded(left, judge, jobs):
            self._keep(one, found)
            done[one.id] = found
            clock.one_more()
        assignment = self.world.assignment
        names = sorted(done)
        result = Grades(
            assignment.name, self.profile.name, self.mode, tuple(done[name] for name in names)
        )
        write_json(self.out / GRADES, grades_document(result))
        return result

    def causes(self, one: HandedIn) -> Callable[[FlowResult], str]:
        """Why a submission's flows went as they did; each cause is worked out when it is asked."""
        world, submission = _read(self.world, self.seed, one)
        return Causes(world, submission, self.profile).of

    def _graded(
        self, left: Sequence[HandedIn], judge: Judge | None, jobs: int
    ) -> Iterable[tuple[HandedIn, Grade]]:
        if judge is not None or jobs == 1:
            chosen = judge or Predicted(self.profile)
            for one in left:
                yield one, _grade(self.world, self.seed, chosen, one)
            return
        # The child processes begin as copies of this one, so that the world is not sent to them.
        with ProcessPoolExecutor(
            jobs, get_context("fork"), _begin, (self.world, self.seed, self.profile)
        ) as pool:
            yield from zip(left, pool.map(_work, left, chunksize=4), strict=True)

    def _file(self, one: HandedIn) -> Path:
        return self.out / KEPT / f"{sha256(one.id.encode(errors='replace')).hexdigest()[:32]}.json"

    def _digest(self, one: HandedIn) -> str:
        """What a grade depends on: the files, the assignment, the CNI, and the way of judging."""
        marked = fingerprint(self.world.assignment)
        parts = [self.mode.value, self.profile.name, self.seed, marked]
        found = sha256("\0".join(parts).encode(errors="replace"))
        found.update("\0".join((one.problem, *one.notes)).encode(errors="replace"))
        for file in one.files:
            name = file.origin.encode(errors="replace")
            found.update(b"%d %d " % (len(name), len(file.data)) + name + file.data)
        return found.hexdigest()

    def _keep(self, one: HandedIn, found: Grade) -> None:
        write_json(self._file(one), {"digest": self._digest(one), "grade": grade_document(found)})

    def _kept(self, one: HandedIn) -> Grade | None:
        path = self._file(one)
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            if document["digest"] != self._digest(one):
                return None
            rows = {row.id: row for row in self.world.assignment.all_rows}
            found = read_grade(document["grade"], rows, where=str(path))
        except (OSError, ValueError, KeyError, TypeError, ContentError):
            return None  # not there, or cut off: it is graded again
        return None if found.status is Status.NOT_CHECKED else found


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
    except OSError as error:
        raise ContentError(
            "the file cannot be written", where=str(path), seen=str(error)
        ) from error


def _grade(world: World, seed: str, judge: Judge, one: HandedIn) -> Grade:
    return grade(*_read(world, seed, one), judge)


def _read(world: World, seed: str, one: HandedIn) -> tuple[World, Submission]:
    """The world that a submission meets, and the submission as it is read there."""
    if seed:
        world = world_of(of_student(world.assignment, one.id, seed))
    submission = read_submission(world.assignment, one.id, one.files, one.notes, one.problem)
    return world, submission


_begun: list[Callable[[HandedIn], Grade]] = []


def _begin(world: World, seed: str, profile: CniProfile) -> None:
    judge = Predicted(profile)
    _begun.append(lambda one: _grade(world, seed, judge, one))


def _work(one: HandedIn) -> Grade:
    return _begun[-1](one)


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
