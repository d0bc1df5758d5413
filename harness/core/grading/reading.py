"""`assignment.yaml` and the files beside it, read into an `Assignment`.

Every fault names its file and line, and the nearest word that would be right. The ends of rows are
looked up here too, so that a row about a pod that is not there never gets as far as a student.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from fractions import Fraction

from harness.core.grading.model import (
    REST,
    Assignment,
    Broken,
    LeastPrivilege,
    Row,
    Want,
    Witness,
)
from harness.core.grading.world import world_of
from harness.core.manifests.library import POLICY_KINDS
from harness.core.manifests.reader import File, Resource
from harness.core.manifests.text.parts import Part, near
from harness.core.manifests.text.reading import read
from harness.core.model import PodRef
from harness.core.target import INTERNET
from harness.errors import ContentError

FILE = "assignment.yaml"
MAX_ROWS = 200
MAX_POINTS = 10_000
_KEYS = (
    *("title", "tutorial", "cni", "submission", "rows", "rest", "least_privilege", "witnesses"),
    "outside",
)
_SUBMISSION = ("kinds", "namespaces", "default_namespace", "broken_files")
_ROW = ("id", "from", "to", "outcome", "points", "each", "why", "hint", "topic", "shown")
_REST = ("outcome", "points", "each", "why", "hint", "topic", "shown")
_WITNESS = ("pod", "labels", "why", "live")


def read_assignment(
    name: str,
    text: str,
    *,
    origin: str,
    workloads: Iterable[Resource],
    reference: Iterable[File],
    task: str,
    cnis: Collection[str],
) -> Assignment:
    """Read an assignment. `origin` is the folder, `cnis` are the names of the known CNIs.

    Raises:
        ContentError: it has a word that is not known, lacks one, or names an end that is not there.
    """
    documents = read(text, origin=f"{origin}/{FILE}")
    if len(documents) != 1:
        raise ContentError(
            "an assignment is one YAML document",
            where=f"{origin}/{FILE}",
            seen=f"{len(documents)} documents",
        )
    top = _Part(documents[0], f"{origin}/{FILE}", root="the assignment")
    top.only(_KEYS)
    rules = top.mapping("submission")
    rules.only(_SUBMISSION)
    rows = tuple(_row(part, number) for number, part in enumerate(top.parts("rows"), 1))
    if len(rows) > MAX_ROWS:
        top.fail(f"the assignment has {len(rows)} rows, and {MAX_ROWS} are the most", "rows")
    witnesses = top.mapping("witnesses", needed=False)
    witnesses.only(("namespaces", "pods"))
    least = top.mapping("least_privilege", needed=False)
    least.only(("points", "each"))
    found = Assignment(
        name,
        top.text("title"),
        top.text("tutorial", ""),
        top.names("cni", cnis),
        frozenset(rules.names("kinds", POLICY_KINDS)),
        frozenset(rules.texts("namespaces")),
        rules.text("default_namespace", ""),
        rules.word("broken_files", Broken, Broken.REFUSE),
        rows,
        _rest(top.mapping("rest")),
        LeastPrivilege(least.points("points", Fraction(0)), least.points("each", Fraction(0))),
        _spaces(witnesses),
        tuple(_witness(part) for part in witnesses.parts("pods", needed=False)),
        top.names("outside", INTERNET, needed=False),
        tuple(workloads),
        tuple(reference),
        task,
        origin,
    )
    _check(found, top, rules)
    return found


def _check(found: Assignment, top: _Part, rules: _Part) -> None:
    ids = [row.id for row in found.rows]
    for number, row in enumerate(found.rows):
        if row.id == REST or row.id in ids[:number]:
            raise ContentError(
                f"two rows are called `{row.id}`", where=row.where, try_="give each an `id`"
            )
    declared = {r.name for r in found.workloads if r.kind == "Namespace"}
    if missing := sorted(found.namespaces - declared):
        rules.fail(
            f"the workloads have no namespace `{missing[0]}`",
            "namespaces",
            near(missing[0], declared),
        )
    if found.default_namespace and found.default_namespace not in found.namespaces:
        rules.fail(
            f"`{found.default_namespace}` is no namespace of this assignment",
            "default_namespace",
            near(found.default_namespace, found.namespaces),
        )
    if not found.max_score:
        top.fail("no row is worth a point", "rows")
    world_of(found)  # reads the ends of all rows, and raises for one that is not there


def _row(part: _Part, number: int) -> Row:
    part.only(_ROW)
    sources, targets = part.texts("from"), part.texts("to")
    return Row(
        part.text("id", "") or f"row-{number}",
        sources,
        targets,
        part.word("outcome", Want),
        part.points("points", Fraction(0) if part.get("outcome") == Want.EITHER else None),
        part.points("each") if part.has("each") else None,
        part.text("why", ""),
        part.text("hint", ""),
        part.text("topic", ""),
        hidden=not part.flag("shown", default=True),
        where=part.where(),
    )


def _rest(part: _Part) -> Row:
    part.only(_REST)
    return Row(
        REST,
        (),
        (),
        part.word("outcome", Want),
        part.points("points"),
        part.points("each") if part.has("each") else None,
        part.text("why", ""),
        part.text("hint", ""),
        part.text("topic", ""),
        hidden=not part.flag("shown", default=True),
        where=part.where(),
    )


def _spaces(part: _Part) -> dict[str, dict[str, str]]:
    spaces = part.mapping("namespaces", needed=False)
    return {str(name): spaces.labels(str(name)) for name in spaces.value}


def _witness(part: _Part) -> Witness:
    part.only(_WITNESS)
    namespace, slash, name = part.text("pod").partition("/")
    if not slash or not name:
        part.fail(f"`{namespace}` is no name of a pod", "pod", "write NAMESPACE/NAME")
    return Witness(
        PodRef(namespace, name),
        part.labels("labels"),
        part.text("why", ""),
        part.flag("live", default=False),
    )


class _Part(Part):
    """A part of an assignment."""

    def points(self, key: str, default: Fraction | None = None) -> Fraction:
        if default is not None and not self.has(key):
            return default
        value = self._must(key)
        number = not isinstance(value, bool) and isinstance(value, int | float)
        if not number or not 0 <= value <= MAX_POINTS:
            self.fail(f"`{key}` must be a number from 0 to {MAX_POINTS}, and is `{value}`", key)
        return Fraction(str(value))
