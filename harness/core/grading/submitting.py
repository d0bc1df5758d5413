"""A student's files, read into a `Submission` by the assignment's rules. Nothing is executed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches

from harness.core.grading.model import Assignment, Broken, Submission
from harness.core.manifests.reader import File, Resource, parse
from harness.core.manifests.text.reading import decoded
from harness.errors import ManifestError
from harness.listing import few

MAX_BYTES = 256 * 1024
"""Of one file. A policy has some hundred bytes."""
MAX_LINES, MAX_LINE = 40, 500
"""Of what a student is told at once."""
_CLUSTERS = ("finalizers", "ownerReferences", "generateName")


def read_submission(
    assignment: Assignment,
    name: str,
    files: Sequence[File],
    notes: Sequence[str] = (),
    problem: str = "",
) -> Submission:
    """Read a student's files. A submission that breaks a rule has a `problem`, and no error.

    `problem` is one that was found before, while the files were fetched.
    """
    if problem:
        return Submission(name, tuple(files), notes=tuple(notes), problem=problem)
    resources: dict[tuple[str, str, str], Resource] = {}
    problems: list[str] = []
    told = list(notes)
    for file in files:
        try:
            found = parse(
                decoded(file.data),
                origin=file.origin,
                max_bytes=MAX_BYTES,
                namespace=assignment.default_namespace,
            )
            faults = list(_faults(assignment, found, resources))
        except ManifestError as error:
            found, faults = (), [error.what]
        if faults and assignment.broken is Broken.SKIP:
            told.append(f"{file.origin} does not count: {' '.join(' '.join(faults).split())}")
        elif faults:
            problems += faults
        else:
            resources |= {resource.key: resource for resource in found}
    if not problems and not resources:
        problems.append("there is no policy in it")
    submission = Submission(name, tuple(files), tuple(resources.values()), tuple(told))
    if problems:
        return replace(submission, resources=(), problem=_shortened(problems))
    return submission


def _faults(
    assignment: Assignment,
    found: Sequence[Resource],
    others: dict[tuple[str, str, str], Resource],
) -> Iterator[str]:
    for resource in found:
        if resource.kind not in assignment.kinds:
            allowed = ", ".join(sorted(assignment.kinds))
            yield f"{resource.origin}: a {resource.kind} may not be submitted, only: {allowed}"
        elif resource.namespace not in assignment.namespaces:
            names = sorted(assignment.namespaces)
            near = get_close_matches(resource.namespace, names, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"allowed are: {', '.join(names)}"
            what = f"nothing may be in the namespace `{resource.namespace}`"
            yield f"{resource.origin}: {what}; {hint}"
        elif own := _of_the_cluster(resource):
            yield f"{resource.origin}: {resource} may not set {own}, for that is the cluster's"
        elif resource.key in others:
            yield f"{resource.origin}: {resource} is in {others[resource.key].origin} as well"


def _of_the_cluster(resource: Resource) -> str:
    """The field that could hold an object on the cluster, or make others go with it."""
    meta = resource.body.get("metadata") or {}
    if "status" in resource.body:
        return "status"
    return next((f"metadata.{name}" for name in _CLUSTERS if name in meta), "")


def _shortened(problems: Sequence[str]) -> str:
    """The first lines of the problems: a student mends some and asks again."""
    lines = (line[:MAX_LINE] for problem in problems for line in problem.splitlines())
    return few(lines, MAX_LINES, "\n")
