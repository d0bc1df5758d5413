"""`with reach.during(apply=...)`: policies for the time of a block.

They are added, come into force before the block begins, and are gone before the next sentence: both
are seen at the flows whose prediction they change. An object that is there already is not touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from harness.core.manifests.library import POLICY_KINDS
from harness.core.manifests.reader import Resource
from harness.core.predict.scenario import Scenario
from harness.core.predict.settle import candidates, flips, passing
from harness.edge.api.livestate import live_resources
from harness.edge.api.namespaces import OWNER
from harness.edge.machine.wait import wait_for
from harness.edge.stage.settling import POLL_EVERY, Poll
from harness.errors import ContentError, NotSettled
from harness.plugin.reach.live import OnCluster
from harness.plugin.reach.reading import Given, files_of, manifests_in
from harness.plugin.reach.saying import Flows, asked


@dataclass(frozen=True, slots=True, repr=False)
class Reach(Flows):
    """The flows of a running cluster: `reach(SOURCE).to(TARGET).is_blocked()`."""

    _cluster: OnCluster
    _changing: Callable[[], AbstractContextManager[None]]

    @contextmanager
    def during(
        self,
        *,
        apply: Given | Sequence[Given],
        namespace: str = "",
        recursive: bool | None = None,
    ) -> Iterator[Reach]:
        """Have more policies in force while the block runs.

        `apply` names files or folders of policies, relative to pytest's root folder, or is their
        text; `namespace` is that of objects that name none, and `recursive` is as in `predict`. The
        block begins when every flow has flipped
        whose prediction the policies change. Other workers of pytest-xdist wait meanwhile.

        Raises:
            ContentError: there is more than policies, an object is there already, or the policies
                change no flow between these pods, so that nothing shows when they are in force.
            NotSettled: the policies did not come into force, or did not go, before the deadline.
        """
        __tracebackhide__ = True
        given = [apply] if isinstance(apply, Given) else list(apply)
        policies = asked(lambda: self._policies(given, namespace, recursive))
        cluster = self._cluster.alone()
        with self._changing():
            change = asked(lambda: _Change(cluster, policies))
            try:
                asked(change.apply)
                yield replace(self, _asker=cluster, _cluster=cluster)
            except BaseException:
                change.remove()
                raise
            asked(change.undo)

    def _policies(
        self, given: Sequence[Given], namespace: str, recursive: bool | None
    ) -> tuple[Resource, ...]:
        files = files_of(given, self._home, recursive=recursive)
        found = manifests_in(files, namespace).resources
        others = [f"{each.kind} {each.name}" for each in found if each.kind not in POLICY_KINDS]
        if others:
            raise ContentError(
                "during() adds policies, and nothing else",
                where=", ".join(file.origin for file in files),
                seen=", ".join(others),
            )
        return found


class _Change:
    """Policies that come and go, on a cluster in a state that is known."""

    def __init__(self, cluster: OnCluster, policies: Sequence[Resource]) -> None:
        self._kube, self._policies = cluster.kube, policies
        resources = live_resources(self._kube, "the cluster")
        there = {resource.key for resource in resources}
        if known := [each for each in policies if each.key in there]:
            raise ContentError(
                "during() adds policies, and the cluster has one of that name",
                where=self._kube.where,
                seen=", ".join(f"{each.kind} {each.namespace}/{each.name}" for each in known),
                try_="give it another name; `policylab whatif` judges a change of a policy",
            )
        spaces = sorted({each.namespace for each in policies if each.namespace})
        found = cluster.found(spaces)
        self._before = Scenario(resources)
        self._after = Scenario([*resources, *policies])
        can = candidates(self._after, [pod.ref for pod in found.pods], internet=False)
        if not (asks := flips(self._before, self._after, can)):
            raise ContentError(
                "these policies change no flow between the pods of their namespaces, so nothing "
                "shows when they are in force",
                where=", ".join(spaces),
                try_="do they select the pods that you mean? `policylab lint` and `predict` say so",
            )
        self._asks, self._others = list(asks), [ask for ask in can if ask not in asks]
        cluster.equip(found, (pod.ref for pod in found.pods))
        self._observer = cluster.observer(found)

    def apply(self) -> None:
        """Apply the policies, and wait until they are in force."""
        for policy in self._policies:
            self._kube.apply(_marked(policy.body))
        self._settle(self._before, self._after, "the policies are in force")

    def undo(self) -> None:
        """Remove the policies, and wait until they are in force no more."""
        self.remove()
        self._settle(self._after, self._before, "the policies are gone")

    def remove(self) -> None:
        """Remove the policies."""
        for policy in self._policies:
            self._kube.delete(policy.body)

    def _settle(self, old: Scenario, new: Scenario, what: str) -> None:
        clock = self._kube.clock
        poll = Poll(
            self._observer,
            flips(old, new, self._asks),
            acknowledged=clock.monotonic(),
            others=passing(new, self._others),
            clock=clock.monotonic,
        )
        wait_for(
            what,
            poll,
            seconds=self._kube.patience.settle,
            every=POLL_EVERY,
            clock=clock,
            fault=NotSettled,
            where=self._kube.where,
        )


def _marked(body: Any) -> dict[str, Any]:
    meta = body["metadata"]
    return {**body, "metadata": {**meta, "labels": {**(meta.get("labels") or {}), **OWNER}}}
