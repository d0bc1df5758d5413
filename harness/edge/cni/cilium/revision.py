"""Whether Cilium has its policies in force: the policy revision that each endpoint has realised.

An agent numbers the changes of its policies. Each endpoint reports the number of the change up to
which its eBPF maps are written, in `status.policy.realized`. The revision in `spec` lags behind
(1.20.2).

A pod that gets other labels, or whose namespace does, gets another identity, and policies are
written for it: 7 to 36 s later (1.20.2, measured). So the labels of its identity are compared with
those that the API has. The endpoint's own labels (`status.labels`) do not tell: one that a pod no
longer has is gone from them at once, and from the identity 32 s later.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from harness.core.manifests.ciliumrules import NAMESPACE, NAMESPACE_LABELS
from harness.edge.api.kube import Kube
from harness.edge.cni.cilium.agents import CiliumAgents
from harness.edge.machine.wait import NotYet, wait_for
from harness.errors import NotSettled

POD_NAMESPACE = f"k8s:{NAMESPACE}="
# One exec runs both commands, because an exec takes longer than its commands.
BOTH = ("sh", "-c", "cilium-dbg policy get -o json && cilium-dbg endpoint list -o json")
GOING = frozenset({"disconnecting", "disconnected", "invalid"})

Labels = frozenset[str]
"""The labels of a pod and of its namespace, as Cilium writes them: `k8s:KEY=VALUE` or `k8s:KEY`."""

NO_LABELS_OF_PODS = (
    *("io.cilium.", "io.kubernetes."),
    *("pod-template-", "controller-revision-hash", "controller-uid", "annotation.", "etcd_node"),
)
"""The beginnings of keys that Cilium adds to an endpoint, and of keys that it leaves out unasked.

Source of the latter: "Limiting Identity-Relevant Labels" in the documentation of Cilium.
"""


class Revisions:
    """The revisions of all agents of a cluster."""

    def __init__(self, agents: CiliumAgents, kube: Kube) -> None:
        self._agents = agents
        self._kube = kube
        # Keys that this Cilium is told to leave out, as a wait for them has shown.
        self._left_out: frozenset[str] = frozenset()

    def realised(self, namespaces: Collection[str]) -> None:
        """Wait until every pod of these namespaces has realised the policies that its agent holds.

        And until Cilium knows the pods by the labels that they have now.

        Raises:
            NotSettled: one has not before the deadline; the message has its revision, or its
                labels.
            ProbeError: an agent does not answer.
        """
        missing: tuple[set[Labels], Labels] = set(), frozenset()

        def check() -> None:
            nonlocal missing
            told = [parse(self._agents.ask(each, BOTH)) for each in self._agents.by_node().values()]
            late = [
                line for revision, found in told for line in behind(revision, found, namespaces)
            ]
            has = labels_of([each for _, found in told for each in found], namespaces)
            known = frozenset(label for labels in has for label in labels)
            self._left_out -= keys_of(known)
            wanted = self._labels(namespaces) if not late else Counter()
            missing = {*(wanted - self._kept(has))}, known
            unknown = [
                f"no endpoint of Cilium has the labels {', '.join(sorted(labels))}"
                for labels in missing[0]
            ]
            if late or unknown:
                raise NotYet("; ".join([*late, *unknown]))

        try:
            wait_for(
                "Cilium has realised its policies",
                check,
                seconds=self._kube.patience.cni_realised,
                every=0.05,
                clock=self._kube.clock,
            )
        except NotSettled:
            unknown, known = missing
            self._left_out |= keys_of(label for each in unknown for label in each) - keys_of(known)
            raise

    def _labels(self, namespaces: Collection[str]) -> Counter[Labels]:
        """The labels of the pods that have an endpoint, as the API has them now."""
        found: Counter[Labels] = Counter()
        for namespace in namespaces:
            body = self._kube.get("v1", "Namespace", namespace) or {"metadata": {}}
            of_space = _written(body["metadata"].get("labels") or {}, NAMESPACE_LABELS)
            for pod in self._kube.list("v1", "Pod", namespace):
                runs = (pod.get("status") or {}).get("phase") == "Running"
                if runs and not pod["spec"].get("hostNetwork"):
                    found[of_space | _written(pod["metadata"].get("labels") or {})] += 1
        return self._kept(found)

    def _kept(self, found: Mapping[Labels, int]) -> Counter[Labels]:
        """The same without the labels that this Cilium leaves out."""
        kept: Counter[Labels] = Counter()
        for labels, count in found.items():
            kept[frozenset(label for label in labels if _key(label) not in self._left_out)] += count
        return kept


def _written(labels: Mapping[str, str], prefix: str = "") -> Labels:
    """Labels as Cilium writes them, without those that are not compared."""
    found = (f"k8s:{prefix}{key}" + (f"={value}" if value else "") for key, value in labels.items())
    return frozenset(filter(_is_compared, found))


def keys_of(labels: Iterable[str]) -> frozenset[str]:
    """The keys of labels as Cilium writes them, without their source."""
    return frozenset(map(_key, labels))


def _key(label: str) -> str:
    return label.partition(":")[2].partition("=")[0]


def labels_of(
    endpoints: Iterable[Mapping[str, Any]], namespaces: Collection[str]
) -> Counter[Labels]:
    """How many endpoints of these namespaces have each set of labels, with those of the space."""
    return Counter(
        frozenset(filter(_is_compared, _identity(endpoint)))
        for endpoint in endpoints
        if _is_of(endpoint, namespaces)
    )


def _is_compared(label: str) -> bool:
    """Whether a label is one of a namespace, or of a pod and surely kept by Cilium."""
    source, key = label.partition(":")[0], _key(label)
    of_pod = not key.startswith(NO_LABELS_OF_PODS) and "/" not in key
    return source == "k8s" and (key.startswith(NAMESPACE_LABELS) or of_pod)


def _relevant(endpoint: Mapping[str, Any]) -> frozenset[str]:
    return frozenset((endpoint["status"].get("labels") or {}).get("security-relevant") or ())


def _identity(endpoint: Mapping[str, Any]) -> frozenset[str]:
    """The labels by which policies are written; none before the endpoint has its identity."""
    return frozenset((endpoint["status"].get("identity") or {}).get("labels") or ())


def _is_of(endpoint: Mapping[str, Any], namespaces: Collection[str]) -> bool:
    """Whether an endpoint stands for a pod of these namespaces that is not on its way out."""
    if endpoint["status"].get("state") in GOING:
        return False
    return not _relevant(endpoint).isdisjoint(POD_NAMESPACE + each for each in namespaces)


def parse(text: str) -> tuple[int, list[dict[str, Any]]]:
    """The agent's revision and its endpoints, from the two documents that it prints."""
    policies, end = json.JSONDecoder().raw_decode(text)
    endpoints, _ = json.JSONDecoder().raw_decode(text[end:].lstrip())
    return int(policies["revision"]), list(endpoints)


def behind(
    revision: int, endpoints: Iterable[Mapping[str, Any]], namespaces: Collection[str]
) -> list[str]:
    """The endpoints of these namespaces that have not realised the revision, in words."""
    late = []
    for endpoint in endpoints:
        if not _is_of(endpoint, namespaces):
            continue
        status = endpoint["status"]
        has = status["policy"]["realized"]["policy-revision"]
        if has < revision:
            name = (status.get("external-identifiers") or {}).get("k8s-pod-name", endpoint["id"])
            late.append(f"{name} has realised revision {has}, not {revision}")
    return late
