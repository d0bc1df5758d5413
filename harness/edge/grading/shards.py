"""A course that several machines grade in parts, and the parts put together again.

A part's folder has what any folder of grades has, and `shard.json`, which is written last: what was
graded, and of which course it is a part. The kept grades have all that reports tell, so that the
whole course is made of the folders alone, without the submissions and without the seed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

from harness import __version__
from harness.core.compare.sharding import MAX_SHARDS, Shard, ranges, shard_of
from harness.core.grading.model import Grade, Grades, Mode, Status
from harness.core.grading.world import fingerprint, world_of
from harness.edge.cni.known import CNIS, PROFILES
from harness.edge.grading.assignments import load_assignment
from harness.edge.grading.course import KEPT, Course, read_json, write_json
from harness.errors import ContentError
from harness.listing import few

RECORD = "shard.json"
SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Record:
    """What a part says of itself.

    Attributes:
        schema_version: the form of the record, and of the kept grades beside it.
        policylab: the version of policylab that graded; another one may judge otherwise.
        number: the part's number, from 1.
        of: how many parts the course has.
        assignment: the assignment's name.
        named: the assignment as the command line named it.
        marked: a text that differs between assignments that mark differently.
        cni: the CNI.
        mode: how submissions were judged.
        seeded: a text that differs between seeds; empty: there was none.
        students: the ids of the whole course, as this part found it.
        graded: the ids of those whose grades are here.
    """

    schema_version: int
    policylab: str
    number: int
    of: int
    assignment: str
    named: str
    marked: str
    cni: str
    mode: str
    seeded: str
    students: tuple[str, ...]
    graded: tuple[str, ...]


_SAME = {
    "schema_version": "the schema version",
    "policylab": "the version of policylab",
    "assignment": "the assignment",
    "marked": "the text of the assignment",
    "cni": "the CNI",
    "mode": "the way of judging",
    "seeded": "the seed",
    "of": "the number of shards",
}
"""What all parts of a course must agree about, in words."""


def begin_shard(out: Path) -> None:
    """Take an older record away: a part has one only while its grades are whole.

    Raises:
        ContentError: the file cannot be removed.
    """
    try:
        (out / RECORD).unlink(missing_ok=True)
    except OSError as error:
        raise ContentError(
            "the record of an older run cannot be removed", where=str(out), seen=str(error)
        ) from error


def end_shard(
    course: Course, shard: Shard, *, named: str, students: Iterable[str], graded: Iterable[str]
) -> None:
    """Write the record of a part that is graded; its fields are explained in `Record`.

    Raises:
        ContentError: the file cannot be written.
    """
    assignment = course.world.assignment
    seeded = sha256(f"{course.marked}\0{course.seed}".encode(errors="replace")).hexdigest()
    found = Record(
        SCHEMA_VERSION,
        __version__,
        shard.number,
        shard.of,
        assignment.name,
        named,
        course.marked,
        course.profile.name,
        course.mode.value,
        seeded if course.seed else "",
        tuple(sorted(students)),
        tuple(sorted(graded)),
    )
    write_json(course.out / RECORD, asdict(found))


def read_record(folder: Path) -> Record:
    """The record of a part.

    Raises:
        ContentError: there is none, or it is none of ours.
    """
    path = folder / RECORD
    try:
        document = read_json(path)
        if document is None:
            raise _no_record(folder)
        version = document.get("schema_version")
        if version != SCHEMA_VERSION:
            raise ContentError(
                f"the schema version of this shard is not {SCHEMA_VERSION}",
                where=str(path),
                seen=str(version),
                try_="grade and merge with the same version of policylab",
            )
        return _record_of(document)
    except (KeyError, TypeError, ValueError) as error:
        raise ContentError(
            "this is not the record of a shard, or not the whole of it",
            where=str(path),
            seen=repr(error),
            try_="grade this shard again, with --resume",
        ) from error


def _record_of(document: Mapping[str, Any]) -> Record:
    lists = {name: tuple(map(str, document[name])) for name in ("students", "graded")}
    found = Record(**{**document, **lists})
    Mode(found.mode)
    if not 1 <= found.number <= found.of <= MAX_SHARDS:
        raise ValueError(f"{found.number}/{found.of}")
    return found


def _no_record(folder: Path) -> ContentError:
    if not folder.is_dir():
        return ContentError("there is no such folder", where=str(folder))
    if (folder / KEPT).is_dir():
        return ContentError(
            f"there is no {RECORD} here: this shard was not graded to its end, or in one piece",
            where=str(folder),
            try_="run its command again with --resume, and with --shard",
        )
    return ContentError(
        f"this is no folder of a shard: there is no {RECORD}",
        where=str(folder),
        try_="name the folders that `policylab grade --shard` wrote with --out",
    )


@dataclass(frozen=True, slots=True)
class Merged:
    """A course that was put together.

    `missing` are the numbers of parts that are not there, and `lost` the students whom no part
    graded.
    """

    course: Course
    grades: Grades
    missing: tuple[int, ...]
    lost: tuple[str, ...]


def merge(
    folders: Sequence[Path], out: Path, *, assignment: str = "", missing: bool = False
) -> Merged:
    """Put the parts of a course together, and write `grades.json` into a folder.

    `assignment` is where the assignment is now; empty: where it was. With `missing`, parts and
    students that are not there are marked as not checked.

    Raises:
        ContentError: the parts are not of one course, or some are not there.
    """
    records = [(folder, read_record(folder)) for folder in folders]
    _must_agree(records)
    _must_differ(records)
    first = records[0][1]
    absent = tuple(sorted({*range(1, first.of + 1)} - {one.number for _, one in records}))
    if absent and not missing:
        raise ContentError(
            f"of {first.of} shards these are missing: {ranges(absent)}",
            seen="; ".join(f"{folder} is shard {one.number}" for folder, one in records)[:1000],
            try_="name their folders as well; with --missing-ok their students are marked as not "
            "checked",
        )
    course = _course(first, out, assignment)
    found: dict[str, Grade] = {}
    came: dict[str, Path] = {}
    documents: dict[str, dict[str, Any]] = {}
    for folder, record in records:
        for document, grade in _graded(course, folder, record):
            if grade.id in came:
                raise ContentError(
                    f"the student `{grade.id}` is in two shards",
                    where=f"{came[grade.id]} and {folder}",
                    try_="grade both shards again, each into a folder of its own",
                )
            found[grade.id], documents[grade.id], came[grade.id] = grade, document, folder
    students = sorted({name for _, record in records for name in record.students})
    lost = tuple(name for name in students if name not in found)
    if lost and not missing:
        raise _not_graded(lost, first.of)
    for name in lost:
        found[name] = _held(course, name, first.of)
    course.make()
    for name, document in documents.items():
        write_json(course.file(name), document)
    return Merged(course, course.written(found.values()), absent, lost)


def _must_agree(records: Sequence[tuple[Path, Record]]) -> None:
    where, first = records[0]
    for folder, record in records[1:]:
        for field, words in _SAME.items():
            one, other = getattr(first, field), getattr(record, field)
            if one != other:
                shown = f"{one} and {other}" if field not in ("marked", "seeded") else ""
                raise ContentError(
                    f"these shards are not of one course: {words} differs",
                    where=f"{where} and {folder}",
                    seen=shown,
                    try_="grade all shards with the same command, but for --shard and --out",
                )


def _must_differ(records: Sequence[tuple[Path, Record]]) -> None:
    came: dict[int, Path] = {}
    for folder, record in records:
        if record.number in came:
            raise ContentError(
                f"shard {record.number} of {record.of} is there twice",
                where=f"{came[record.number]} and {folder}",
                try_="name the folder of each shard once",
            )
        came[record.number] = folder


def _not_graded(lost: Sequence[str], of: int) -> ContentError:
    return ContentError(
        f"no shard graded {len(lost)} of the students",
        seen=few((f"{name} (shard {shard_of(name, of)})" for name in lost), 10),
        try_="run these shards again with --resume, over the same submissions and without --only; "
        "with --missing-ok these students are marked as not checked",
    )


def _course(record: Record, out: Path, named: str) -> Course:
    assignment = load_assignment(named or record.named, CNIS)
    if fingerprint(assignment) != record.marked:
        raise ContentError(
            "the assignment is not the one by which these shards were graded",
            where=named or record.named,
            try_="say where that one is with --assignment, or grade the shards again",
        )
    if record.cni not in PROFILES:
        raise ContentError("no such CNI is known", seen=record.cni)
    mode = Mode(record.mode)
    return Course(world_of(assignment), PROFILES[record.cni], mode, out)


def _graded(course: Course, folder: Path, record: Record) -> Iterator[tuple[dict[str, Any], Grade]]:
    """The grades of a part, each with the document in which it was kept."""
    here = set(record.graded)
    for path in sorted((folder / KEPT).glob("*.json")):
        try:
            document = read_json(path) or {}
            grade = course.read(document)
        except ValueError as error:
            raise ContentError(
                "this kept grade is not whole",
                where=str(path),
                seen=str(error)[:200],
                try_=f"grade shard {record.number} again with --resume",
            ) from error
        if grade.id in here:
            here.remove(grade.id)
            yield document, grade
    if here:
        raise ContentError(
            f"shard {record.number} graded {len(here)} submissions whose grades are not here",
            where=str(folder / KEPT),
            seen=", ".join(sorted(here))[:400],
            try_=f"copy the whole folder, or grade shard {record.number} again with --resume",
        )


def _held(course: Course, name: str, of: int) -> Grade:
    """The grade of a submission that nobody judged: all points are held back."""
    most = course.world.assignment.max_score
    words = f"it was not graded: shard {shard_of(name, of)} of {of} has no grade of it"
    return Grade(name, Status.NOT_CHECKED, Fraction(0), Fraction(0), held=most, problem=words)
