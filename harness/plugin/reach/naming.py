"""The names in a test's sentences: pods, workloads, and targets with their short form."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from harness.core.target import (
    FORMS,
    PodPort,
    PodRef,
    Target,
    parse_pod,
    parse_source,
    parse_target,
)
from harness.core.target.ask import absent
from harness.errors import ContentError

KINDS = frozenset(form.partition("/")[0] for form in FORMS)


@dataclass(frozen=True, slots=True)
class Pods:
    """The pods that are there, and those of each workload, by its `NAMESPACE/NAME`."""

    names: Collection[PodRef]
    workloads: Mapping[str, Sequence[PodRef]] = field(default_factory=dict)

    def called(self, ref: PodRef, *, where: str) -> tuple[PodRef, ...]:
        """The pod of that name, or else the pods of the workload of that name.

        Raises:
            ManifestError: nobody has that name.
            ContentError: the workload has no pods.
        """
        if ref in self.names:
            return (ref,)
        if str(ref) not in self.workloads:
            known = [*map(str, self.names), *self.workloads]
            what = f"there is no pod and no workload {ref}"
            raise absent(what, str(ref), known, where, try_="correct the name")
        if not (found := self.workloads[str(ref)]):
            raise ContentError(f"the workload {ref} has no pods", where=where)
        return tuple(found)

    def targets(self, target: Target, *, where: str) -> tuple[Target, ...]:
        """The target, for each of the pods that its name stands for.

        Raises:
            ManifestError: nobody has that name.
        """
        if not isinstance(target, PodPort):
            return (target,)
        return tuple(replace(target, pod=pod) for pod in self.called(target.pod, where=where))


def read_source(text: str) -> PodRef | str:
    """A client as a test writes it; a name or an address outside after `net/`.

    Raises:
        OutcomeTableError: the text has neither form.
    """
    return parse_source(text, where="the flow's source")


def read_pod(text: str) -> PodRef:
    """A client that must be a pod or a workload.

    Raises:
        OutcomeTableError: the text does not have that form.
    """
    return parse_pod(text, where="the flow's source")


def read_target(text: str) -> Target:
    """A target as a test writes it: `shop/db:6379` is short for `pod/shop/db:6379`.

    Raises:
        OutcomeTableError: the text has no form of a target.
    """
    full = text if text.partition("/")[0] in KINDS else f"pod/{text}"
    return parse_target(full, where="the flow's target")
