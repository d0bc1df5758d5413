"""A cluster in memory that does what the oracle says: an API with controllers, and a network.

Objects that are applied come to life as on a real cluster: pods run and have addresses, Services
have cluster IPs, Deployments have pods with made-up names. Policies come into force a moment after
the API took them. `tests.fakes.network` says what a packet meets; `tests.fakes.lies` how a bad CNI
departs from that. Time is the cluster's own clock, so nothing here sleeps.
"""

from __future__ import annotations

import copy
import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from hashlib import sha1
from itertools import count, repeat
from pathlib import Path
from typing import Any

from harness.core.dns.podconf import KUBEADM_SERVERS
from harness.core.manifests.ciliumpolicy import cilium_policy
from harness.core.manifests.library import POLICY_KINDS
from harness.core.manifests.networkpolicy import network_policy
from harness.core.model import (
    CILIUM_POLICY,
    Direction,
    IPBlock,
    NetworkPolicy,
    Peer,
    Rule,
)
from harness.core.target.family import FAMILIES, IPV4, Families, Family
from harness.core.target.internet import INTERNET
from harness.edge.api.kube import Kube
from harness.edge.api.kubectl import Exec
from harness.edge.cluster.lane import Lane
from harness.edge.cluster.opening import Cluster
from harness.edge.cni.known import cni_of
from harness.edge.internet.controls import Outside
from harness.edge.internet.state import DOCUMENTED, Internet, Site, WebFault, initial_sites
from harness.edge.probe.prober import Prober
from tests.fakes.account import FakeAccount
from tests.fakes.clock import FakeClock
from tests.fakes.kube import FakeKube, Key, agent_pod
from tests.fakes.lies import Lie
from tests.fakes.network import Network
from tests.fakes.outside import FakeControls
from tests.fakes.packet import Drop, InForce, PodKey, Policies
from tests.fakes.prober import FakeProber
from tests.fakes.programs import FakePrograms

LEAST_SLEEP = 3.0
"""Seconds: a wait for what never comes ends after few looks."""
RESTED = 3
"""How many sleeps after a change of policies may be shorter: most changes are in force by then."""
PROGRAM_SECONDS = 0.05
"""How long after the API's answer a change of policies is in force."""
NODES = ("control-plane", "worker")
NODE_ADDRESS, NODE_SIX = "172.18.0.2", "fc00::2"
STAND_INS = {known: f"172.18.255.{number}" for number, known in enumerate(DOCUMENTED, 1)}
REVISION = "deployment.kubernetes.io/revision"


class FakeCluster(FakeKube):
    """The API, and behind it all that a live cluster would do. Also its own doors.

    `lie` is how its CNI departs from what it should do; the plain `Lie()` departs in nothing.
    `delays` are how many s after the API's answer each change of policies is in force. `families`
    are those of its pods and Services. `without_sctp` are the nodes whose kernel has no SCTP.
    """

    def __init__(
        self,
        cni: str = "calico",
        lie: Lie | None = None,
        *,
        delays: Iterable[float] = repeat(PROGRAM_SECONDS),
        families: Families = IPV4,
        without_sctp: Collection[str] = (),
    ) -> None:
        super().__init__(FakeClock(LEAST_SLEEP), cilium=cni == "cilium")
        self.cni = cni_of(cni)
        self.lie = lie or Lie()
        self.families = families
        self._without_sctp = frozenset(without_sctp)
        self._delays = iter(delays)
        self.version = 0
        self.programmed = [InForce(0.0, ())]
        self.drops: list[Drop] = []
        self.counted: Counter[tuple[PodKey, Direction]] = Counter()
        self.sites: list[tuple[float, Mapping[str, Site]]] = [(0.0, initial_sites(STAND_INS))]
        self.network = Network(self)
        self._addresses = count(2)
        self._services = count(20)
        self._node_ports = count(30000)
        self._names = count(1)
        self._furnish()

    def _furnish(self) -> None:
        """What every cluster has before anybody comes."""
        for name in NODES:
            self.put({"kind": "Node", "metadata": {"name": name}})
        self.put({"kind": "Namespace", "metadata": {"name": "kube-system", "labels": {}}})
        labels = self.objects["Namespace", "", "kube-system"]["metadata"]["labels"]
        labels["kubernetes.io/metadata.name"] = "kube-system"
        for node in NODES:
            self.put(agent_pod(f"{self.cni.name}-{node}", self._agent, node))
        ports = [("dns", 53, "UDP"), ("dns-tcp", 53, "TCP"), ("metrics", 9153, "TCP")]
        meta = {"namespace": "kube-system", "name": "coredns-1", "labels": {"k8s-app": "kube-dns"}}
        declared = [{"name": n, "containerPort": p, "protocol": proto} for n, p, proto in ports]
        container = {"name": "coredns", "image": "coredns", "ports": declared}
        self._run({"kind": "Pod", "metadata": meta, "spec": {"containers": [container]}})
        spec = {
            "clusterIP": KUBEADM_SERVERS[self.families[0]],
            "selector": {"k8s-app": "kube-dns"},
            "ports": [{"name": n, "port": p, "protocol": proto} for n, p, proto in ports],
        }
        meta = {"namespace": "kube-system", "name": "kube-dns"}
        self.put({"kind": "Service", "metadata": meta, "spec": spec})

    @property
    def _agent(self) -> str:
        """The label of the CNI's agents."""
        return self.cni.daemon_set

    # The doors (`harness.edge.probe.doors.Doors`).

    def kube(self) -> Kube:
        return self

    def acting_as(self, account: str) -> Kube:
        return FakeAccount(self, account)

    def prober(self) -> Prober:
        return FakeProber(self)

    def nodes(self, image: str) -> Prober:
        return FakeProber(self, on_nodes=True)

    def programs(self) -> Exec:
        return FakePrograms(self)

    def controls(self, internet: Internet) -> Outside:
        return FakeControls(self)

    @cached_property
    def internet(self) -> Internet:
        """Where what is outside is found from here."""
        names = {name: STAND_INS[address] for name, address in INTERNET.items()}
        return Internet(
            dns="172.18.255.250",
            web="172.18.255.251",
            names=names,
            addresses=STAND_INS,
            prefix="fc00::" if Family.IPV6 in self.families else "",
        )

    def value(self) -> Cluster:
        """The cluster as the rest of policylab has it."""
        nowhere = Path("nowhere")
        name = next(name for name, found in FAMILIES.items() if found == self.families)
        return Cluster(
            name="fake",
            kubeconfig=nowhere,
            context="",
            kubectl=nowhere,
            lane=Lane(self.cni.name, family=name),
            owned=True,
            created=True,
            refs={},
            environment={},
            internet=self.internet,
        )

    # What happens when objects change.

    def changed(self, before: Mapping[str, Any] | None, after: dict[str, Any] | None) -> None:
        body = after or before or {}
        match body["kind"]:
            case "Namespace" if after and not before:
                meta = {"namespace": body["metadata"]["name"], "name": "default"}
                self.put({"kind": "ServiceAccount", "metadata": meta})
            case "Pod" if after and not before:
                self._run(after)
            case "Pod" if after and "activeDeadlineSeconds" in after["spec"]:
                after["status"] = {**after["status"], "phase": "Failed"}
            case "Service" if after:
                self._give_address(before, after)
            case "Deployment":
                self._roll(before, after)
            case kind if kind in POLICY_KINDS:
                self._program()
        self.version += 1

    def _run(self, body: dict[str, Any]) -> None:
        """Let a pod run at once, on its node and with an address."""
        spec, number = body["spec"], next(self._addresses)
        spec.setdefault("nodeName", NODES[number % len(NODES)])
        node = NODES.index(spec["nodeName"])
        places = {
            Family.IPV4: f"10.244.{node}.{number}",
            Family.IPV6: f"fd00:10:244:{node + 1}::{number:x}",
        }
        at_node = {Family.IPV4: NODE_ADDRESS, Family.IPV6: NODE_SIX}
        if spec.get("hostNetwork"):
            places = at_node
        if asked := body["metadata"].get("annotations", {}).get("cni.projectcalico.org/ipAddrs"):
            places |= dict(zip(self.families, json.loads(asked), strict=True))
        addresses = [places[family] for family in self.families]
        body["status"] = {
            "phase": "Running",
            "hostIP": at_node[self.families[0]],
            "hostIPs": [{"ip": at_node[family]} for family in self.families],
            "podIP": addresses[0],
            "podIPs": [{"ip": address} for address in addresses],
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [
                {
                    "name": spec["containers"][0]["name"],
                    "containerID": f"containerd://{body['metadata']['name']}-{number}",
                    "restartCount": 0,
                    "state": {"running": {"startedAt": self._stamp()}},
                }
            ],
        }
        if spec.get("dnsConfig", {}).get("nameservers") == ["127.0.0.1"]:
            self._crash(body)  # a CoreDNS that is its own upstream
        self.put(body)

    def _crash(self, body: dict[str, Any]) -> None:
        meta = body["metadata"]
        self.write(
            meta["namespace"], meta["name"], "[FATAL] plugin/loop: Loop (127.0.0.1) detected"
        )
        body["status"]["phase"] = "Running"
        body["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
        body["status"]["containerStatuses"] = [
            {
                "name": "coredns",
                "restartCount": 2,
                "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {"terminated": {"exitCode": 1}},
            }
        ]

    def _give_address(self, before: Mapping[str, Any] | None, after: dict[str, Any]) -> None:
        spec = after["spec"]
        if spec.get("clusterIP") is None:
            old = (before or {}).get("spec", {})
            number = next(self._services)
            places = {Family.IPV4: f"10.96.1.{number}", Family.IPV6: f"fd00:10:96::1:{number:x}"}
            two = spec.get("ipFamilyPolicy") == "PreferDualStack"
            new = [places[family] for family in self.families[: 2 if two else 1]]
            spec["clusterIPs"] = old.get("clusterIPs") or new
            spec["clusterIP"] = spec["clusterIPs"][0]
        if spec.get("type") == "NodePort":
            for port in spec["ports"]:
                port.setdefault("nodePort", next(self._node_ports))

    def _roll(self, before: Mapping[str, Any] | None, after: dict[str, Any] | None) -> None:
        """A Deployment's controller: a ReplicaSet for each template, pods for the current one."""
        if before and after and before["spec"]["template"] == after["spec"]["template"]:
            return
        if before:
            owned = [
                k for k, b in tuple(self.objects.items()) if _owner(b) == before["metadata"]["uid"]
            ]
            pods = [
                k
                for k, b in tuple(self.objects.items())
                if _owner(b) in {self.objects[o]["metadata"]["uid"] for o in owned}
            ]
            for key in [*pods, *(owned if after is None else [])]:
                self.remove(key)
        if after is None:
            return
        meta, spec = after["metadata"], after["spec"]
        revision = str(meta["generation"])
        meta.setdefault("annotations", {})[REVISION] = revision
        digest = sha1(str(spec["template"]).encode(), usedforsecurity=False).hexdigest()[:6]
        name = f"{meta['name']}-{digest}"
        uid = f"uid-set-{meta['uid']}-{revision}"
        self.put(
            {
                "kind": "ReplicaSet",
                "metadata": {
                    "namespace": meta["namespace"],
                    "name": name,
                    "uid": uid,
                    "annotations": {REVISION: revision},
                    "ownerReferences": [{"uid": meta["uid"], "controller": True}],
                },
            }
        )
        wanted = spec.get("replicas", 1)
        crashed = 0
        for _ in range(wanted):
            number = next(self._names)
            template = copy.deepcopy(spec["template"])
            pod = {
                "kind": "Pod",
                "metadata": {
                    "namespace": meta["namespace"],
                    "name": f"{name}-{number:05}",
                    "labels": {
                        **template["metadata"].get("labels", {}),
                        "pod-template-hash": digest,
                    },
                    "ownerReferences": [
                        {"uid": uid, "controller": True, "kind": "ReplicaSet", "name": name}
                    ],
                },
                "spec": template["spec"],
            }
            self._run(pod)
            crashed += pod["status"]["conditions"][0]["status"] == "False"
        after["status"] = {
            "observedGeneration": meta["generation"],
            "replicas": wanted,
            "updatedReplicas": wanted,
            "availableReplicas": wanted - crashed,
        }

    # Policies, as the CNI has them.

    def _program(self) -> None:
        """The CNI takes in all policies of the API, and has them in force a moment later."""
        found = tuple(
            self._policy(body)
            for key, body in tuple(self.objects.items())
            if key[0] in POLICY_KINDS
        )
        self.clock.rested = RESTED
        at = self.clock.monotonic() + next(self._delays)
        self.programmed.append(InForce(max(at, self.programmed[-1].since), found))

    def _policy(self, body: Mapping[str, Any]) -> NetworkPolicy:
        if body["kind"] == CILIUM_POLICY:
            return cilium_policy(body, "the API")
        found = network_policy(body, "the API")
        return _as_cilium_takes_it(found) if self.cni.name == "cilium" else found

    def state(self, moment: float) -> Hashable:
        """What tells the state of policies at one moment from the state at another."""
        number = self.reached(moment)
        return number, self.lie.mood(self.programmed[:number], moment)

    def in_force(self, moment: float) -> Policies:
        """The policies by which a packet is judged at that moment."""
        return self.lie.enforced(self.programmed[: self.reached(moment)], moment)

    def reached(self, moment: float) -> int:
        """How many changes of policies are in force at that moment."""
        return bisect_right(self.programmed, moment, key=lambda state: state.since)

    def dropped(self, drop: Drop) -> None:
        """The CNI keeps account of a packet that policies dropped."""
        self.drops.append(drop)
        self.counted[drop.pod, drop.direction] += 1

    # What is outside.

    def site(self, name: str, moment: float) -> Site | None:
        """A name of the simulated internet as the cluster's name server has it at that moment."""
        number = bisect_right(self.sites, moment, key=lambda change: change[0])
        return self.sites[number - 1][1].get(name)

    def change_sites(self, sites: Mapping[str, Site], *, after: float) -> None:
        """Change what is outside; the name server's cache lets it through `after` seconds later."""
        at = self.clock.monotonic() + after
        self.sites = [*(change for change in self.sites if change[0] <= at), (at, sites)]

    def refuses(self, address: str) -> bool:
        """Whether nobody listens at an address outside, from now on."""
        return any(
            site.web is WebFault.REFUSED and address in self.internet.both(site.address)
            for site in self.sites[-1][1].values()
        )

    def listening(self, pod: PodKey) -> set[tuple[str, int]]:
        """The protocols and ports on which a pod's own servers listen; one that sleeps has none."""
        return {
            (str(port.get("protocol", "TCP")).lower(), int(port["containerPort"]))
            for container in self.objects["Pod", *pod]["spec"]["containers"]
            if container.get("command", [""])[0] != "sleep"
            for port in container.get("ports", [])
        }

    def has_sctp(self, pod: PodKey) -> bool:
        """Whether the kernel of a pod's node has SCTP."""
        return self.objects["Pod", *pod]["spec"]["nodeName"] not in self._without_sctp

    def pods(self) -> list[Mapping[str, Any]]:
        """All pods that run."""
        pods = (body for (kind, _, _), body in tuple(self.objects.items()) if kind == "Pod")
        return [body for body in pods if body.get("status", {}).get("phase") != "Failed"]

    def remove(self, key: Key) -> None:
        super().remove(key)
        self.version += 1


def _owner(body: Mapping[str, Any]) -> str:
    return str((body["metadata"].get("ownerReferences") or [{"uid": ""}])[0]["uid"])


def _as_cilium_takes_it(policy: NetworkPolicy) -> NetworkPolicy:
    """A NetworkPolicy by Cilium: rules isolate whatever policyTypes say; a CIDR means no pod."""
    types = set(policy.policy_types)
    types |= {Direction.INGRESS} if policy.ingress else set()
    types |= {Direction.EGRESS} if policy.egress else set()
    return replace(
        policy,
        policy_types=frozenset(types),
        ingress=tuple(map(_outside_only, policy.ingress)),
        egress=tuple(map(_outside_only, policy.egress)),
    )


def _outside_only(rule: Rule) -> Rule:
    def peer(each: Peer) -> Peer:
        block: IPBlock | None = each.ip_block
        return replace(each, ip_block=replace(block, outside_only=True)) if block else each

    return replace(rule, peers=tuple(map(peer, rule.peers)))
