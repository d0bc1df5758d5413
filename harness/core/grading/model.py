"""The words of grading: assignments and their rows, submissions, what was heard, and grades.

Points are fractions, so that a sum is exact and the same on every machine; `digits` makes a number
of two decimals of them, rounded down, so that only a faultless submission has all points.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from harness.core.grading.telling.sketch import Sketch
from harness.core.manifests.reader import File, Resource
from harness.core.model import Labels, PodRef, Protocol

SCHEMA_VERSION = 1


class Want(StrEnum):
    """What a row asks for. EITHER: both answers are right, and the flows cost nothing."""

    OPEN = "open"
    CLOSED = "closed"
    EITHER = "either"


class Got(StrEnum):
    """What becomes of a flow. A refusal by the receiver is OPEN: the packet came through."""

    OPEN = "open"
    CLOSED = "closed"
    NO_VERDICT = "no_verdict"


_WANT_OPEN, _WANT_CLOSED = Want.OPEN, Want.CLOSED
_GOT_OPEN, _GOT_CLOSED = Got.OPEN, Got.CLOSED


class Mode(StrEnum):
    """How a submission was judged: on a cluster, or by the oracle alone."""

    LIVE = "live"
    PREDICT = "predict"


class Status(StrEnum):
    """What became of a submission.

    UNGRADABLE: it cannot be read, or breaks a rule of the assignment; there are no marks. It is
    the student's to mend. NOT_CHECKED: some points are held back, for no fault of the student's.
    """

    GRADED = "graded"
    UNGRADABLE = "ungradable"
    NOT_CHECKED = "not_checked"


class Broken(StrEnum):
    """What one file that cannot be read means for the others of its submission."""

    REFUSE = "refuse"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Row:
    """Flows that are worth points together.

    Attributes:
        id: the row's name, unique in the assignment.
        sources: who sends, in the words of a list of wanted flows (`shop/web`, `shop/*`, `net/*`).
        targets: who receives, in the same words (`pod/shop/api:80`, `dns`), or `name/HOST:PORT`.
        want: what the flows must be.
        points: what the row is worth.
        each: points that each wrong pair of sender and receiver costs, up to `points`; None: the
            points are shared evenly among all pairs.
        why: one sentence, the reason for the flow in the student's task.
        hint: one sentence that helps a student whose flow is wrong.
        topic: a few words; of a hidden row a student sees nothing else.
        hidden: whether the row is missing in the handout and in `policylab check`.
        where: its file and line.

    The first row that means a flow decides about it.
    """

    id: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    want: Want
    points: Fraction
    each: Fraction | None = None
    why: str = ""
    hint: str = ""
    topic: str = ""
    hidden: bool = False
    where: str = field(default="", compare=False)


REST = "rest"
"""The id of the row of all flows that no other row means."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A pod that nobody deployed, and by which a submission is judged all the same.

    `why` is one sentence: what the pod shows. `live`: whether it is started on a cluster too.
    """

    ref: PodRef
    labels: Labels = field(hash=False)
    why: str = ""
    live: bool = False


@dataclass(frozen=True, slots=True)
class LeastPrivilege:
    """Points for rules that are no wider than what is wanted, at each side by itself.

    A rule that is too wide on one side, where the other side shuts the flow, costs `each` points.
    With no points such a rule costs nothing.
    """

    points: Fraction = Fraction(0)
    each: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class Assignment:
    """What students are asked to do, and how it is marked.

    Attributes:
        name: the name of its folder.
        title: one line for people.
        tutorial: the tutorial whose workloads it uses; empty if it is none of ours.
        cnis: the names of the CNIs on which it can be graded; the first is the usual one.
        kinds: the kinds of object that a submission may have.
        namespaces: the namespaces in which its objects may be.
        default_namespace: where an object goes that states none; empty: it is refused.
        broken: what a file that cannot be read means for the others.
        rows: the rows, hidden ones too, in the order of the file; the first that means a flow wins.
        rest: the row of all other flows, whose id is `REST`.
        least_privilege: what rules that are too wide on one side cost.
        spaces: further namespaces by name, with their labels, in which witnesses are.
        witnesses: the pods that nobody deployed.
        outside: names of the simulated internet that are always asked for.
        workloads: the objects that students get: namespaces, pods, Services.
        reference: the files of a right solution, which are never handed out.
        task: the text for students, in Markdown.
        origin: the folder that it was read from, for messages.
    """

    name: str
    title: str
    tutorial: str
    cnis: tuple[str, ...]
    kinds: frozenset[str]
    namespaces: frozenset[str]
    default_namespace: str
    broken: Broken
    rows: tuple[Row, ...]
    rest: Row
    least_privilege: LeastPrivilege = LeastPrivilege()
    spaces: Mapping[str, Labels] = field(default_factory=dict)
    witnesses: tuple[Witness, ...] = ()
    outside: tuple[str, ...] = ()
    workloads: tuple[Resource, ...] = ()
    reference: tuple[File, ...] = ()
    task: str = ""
    origin: str = field(default="", compare=False)

    @property
    def all_rows(self) -> tuple[Row, ...]:
        """The rows in the order in which they decide; the rest comes last."""
        return (*self.rows, self.rest)

    @property
    def max_score(self) -> Fraction:
        """The points of a faultless submission."""
        return sum((row.points for row in self.all_rows), self.least_privilege.points)


@dataclass(frozen=True, slots=True)
class Submission:
    """What one student handed in. Nothing of it is ever executed or used as a path.

    Attributes:
        id: who handed it in, as the course names them.
        files: the files as they came; `origin` is a name for messages.
        resources: the objects of all files that count; empty if there is a `problem`.
        notes: sentences on what was passed over (`conftest.py is no manifest and was ignored`).
        problem: why it cannot be graded, in words for the student; empty if it can.
    """

    id: str
    files: tuple[File, ...] = ()
    resources: tuple[Resource, ...] = ()
    notes: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of one flow, and the row that decides about it.

    `source` and `target` are ends in words: `shop/web`, `net/cilium.io`. `port` is 0 where the
    protocol has none. `pair` are the ends as they are counted (everybody outside is one end).
    `why` says in a sentence what decided, where that is known.
    """

    source: str
    target: str
    port: int
    protocol: Protocol
    row: Row
    got: Got
    pair: tuple[str, str]
    why: str = ""

    @property
    def right(self) -> bool:
        """Whether the flow is as its row wants it."""
        # Thousands of flows are asked for each submission, so that this compares identities only.
        want = self.row.want
        if want is _WANT_OPEN:
            return self.got is _GOT_OPEN
        return self.got is _GOT_CLOSED if want is _WANT_CLOSED else True


@dataclass(frozen=True, slots=True)
class FlowResult:
    """One flow that is not as it was wanted; `points` are what it cost, at least 0."""

    source: str
    target: str
    port: int
    protocol: Protocol
    wanted: Want
    got: Got
    points: Fraction
    row: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class RowResult:
    """What a row gave: `points` of `out_of`, and `held` that could not be checked.

    `wrong` counts the pairs of ends that went wrong, `pairs` all of them.
    """

    row: Row
    points: Fraction
    out_of: Fraction
    held: Fraction = Fraction(0)
    wrong: int = 0
    pairs: int = 0


@dataclass(frozen=True, slots=True)
class Grade:
    """What a submission gets.

    Attributes:
        id: the submission's.
        status: whether there are marks, and whether they are whole.
        score: the points; 0 where it is ungradable.
        max_score: the points that could be had: those held back are in neither number.
        held: the points that could not be checked.
        problem: in words, why there are no marks, or why some are held back; else empty.
        flows: every flow that is not as it was wanted, and every one without a verdict.
        rows: what each row gave.
        notes: what was passed over, and what rules are too wide on one side.
        sketch: what is written in it, as far as alike submissions are found by that.
        key: from which the student's names were drawn; empty: they are the assignment's.
    """

    id: str
    status: Status
    score: Fraction
    max_score: Fraction
    held: Fraction = Fraction(0)
    problem: str = ""
    flows: tuple[FlowResult, ...] = ()
    rows: tuple[RowResult, ...] = ()
    notes: tuple[str, ...] = ()
    sketch: Sketch = field(default=Sketch())
    key: str = ""


@dataclass(frozen=True, slots=True)
class Grades:
    """The grades of a course, sorted by id: on which CNI, and how they came about."""

    assignment: str
    cni: str
    mode: Mode
    grades: tuple[Grade, ...]


def digits(points: Fraction) -> float:
    """Points with two decimals, rounded down: what is not whole never looks whole."""
    return float(Fraction(int(points * 100), 100))
