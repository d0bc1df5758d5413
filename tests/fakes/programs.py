"""Programs in the pods of a fake cluster: what students type, and what CNIs say of themselves."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from harness.core.dns.podconf import KUBEADM_SERVERS
from harness.core.dns.question import Question, absolute, query_plan
from harness.core.dns.resolver import walk
from harness.core.dns.wire import decode, encode
from harness.core.lab.profile import KEPT
from harness.core.model import Direction, NetworkPolicy
from harness.core.observation import Phase
from harness.core.outcome import Outcome, Reading
from harness.core.policy.selectors import selects
from harness.core.target.family import Family
from harness.edge.api.kubectl import Dialogue
from harness.edge.api.livenames import LivePod
from harness.edge.cni.calico.felix import interface
from harness.edge.machine.process import CommandFailed, Completed
from tests.fakes.clock import MIDNIGHT
from tests.fakes.kubectl import Said
from tests.fakes.packet import Met, Packet, PodKey
from tests.fakes.prober import resolv_conf, search_list

if TYPE_CHECKING:
    from tests.fakes.cluster import FakeCluster

DNS_PORT = 53
IDENT = 7
CURL_RESOLVES, CURL_CONNECTS, CURL_WAITS = 6, 7, 28
CURL_UNDERSTANDS = 1
"""curl's exit code for an answer that is no HTTP."""
DIG_WAITS = 9
URL = re.compile(r"(?:(?P<scheme>https?)://)?(?P<host>[^:/]+)(?::(?P<port>\d+))?")


class FakePrograms:
    """`kubectl exec` on a fake cluster. A program takes no time of the cluster's clock."""

    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster

    def run(
        self,
        namespace: str,
        pod: str,
        command: Sequence[str],
        *,
        seconds: float,
        container: str = "",
        check: bool = True,
    ) -> Completed:
        words = tuple(command)
        if namespace == "kube-system":
            said = Account(self._cluster, pod).said(words)
        else:
            said = Shell(self._cluster, (namespace, pod)).said(words)
        stderr = said.stderr
        if said.code:
            stderr += f"command terminated with exit code {said.code}"
        done = Completed(words, said.code, said.stdout, stderr, 0.0)
        if check and said.code:
            raise CommandFailed(f"{words[0]} failed with exit code {said.code}", done)
        return done

    def talk(self, namespace: str, pod: str, command: Sequence[str], *, container: str) -> Dialogue:
        *_, request, address, port = command
        asked = (address, int(port), request.encode())
        return Conversation(self._cluster, (namespace, pod), *asked)


class Conversation:
    """The script of a held connection: says `open`, then after each line what the server did."""

    def __init__(
        self, cluster: FakeCluster, pod: PodKey, address: str, port: int, request: bytes
    ) -> None:
        self._cluster = cluster
        self._pod, self._asked = pod, (address, port, request)
        self._lines = ["open" if self._answers() else "TimeoutError"]

    def _answers(self) -> bool:
        met = Shell(self._cluster, self._pod).send("tcp", *self._asked)
        return met.phase is Phase.ANSWERED

    def say(self, line: str) -> None:
        kept = self._cluster.cni.profile.established == KEPT
        answers = not self._cluster.lie.cuts() and (kept or self._answers())
        self._lines.append("answered" if answers else "TimeoutError")

    def hear(self, seconds: float) -> str | None:
        return json.dumps(self._lines.pop(0)) + "\n" if self._lines else None

    def end(self) -> str:
        return ""


class Shell:
    """The tools of a pod, as far as tutorials type them."""

    def __init__(self, cluster: FakeCluster, pod: PodKey) -> None:
        self._cluster = cluster
        self._pod = pod

    def said(self, words: Sequence[str]) -> Said:
        """What a command prints, and its exit code."""
        match words:
            case ("sh", "-c", line):
                first, _, rest = line.partition(" | ")
                said = self.said(shlex.split(first))
                head = "\n".join(said.stdout.splitlines()[:1])
                return Said(head if rest else said.stdout, said.stderr, 0 if rest else said.code)
            case ("cat", "/etc/resolv.conf"):
                return Said(resolv_conf(self._pod[0], self._cluster.families))
            case ("curl", *arguments):
                return self._curl(arguments)
            case ("dig", *arguments):
                return self._dig(arguments)
            case ("nslookup", name):
                return self._nslookup(name)
        raise AssertionError(f"no pod here has a program for {shlex.join(words)}")

    def send(self, protocol: str, address: str, port: int, payload: bytes = b"") -> Met:
        """Send a packet from the pod now."""
        at = self._cluster.clock.monotonic()
        packet = Packet(self._pod, protocol, address, port, payload, at, probe=False)
        return self._cluster.network.send(packet, self._cluster.network.port())

    def _curl(self, arguments: Sequence[str]) -> Said:
        patience = 300
        if "--connect-timeout" in arguments:
            patience = int(arguments[arguments.index("--connect-timeout") + 1])
        found = URL.match(arguments[-1])
        assert found is not None
        waited = f"Connection timed out after {patience * 1000 + 1} milliseconds"
        reading = self.resolve(found["host"])
        if reading.outcome is Outcome.DNS_TIMEOUT:
            return Said(stderr=f"curl: ({CURL_WAITS}) {waited}\n", code=CURL_WAITS)
        if reading.outcome is not Outcome.RESOLVED:
            text = f"curl: ({CURL_RESOLVES}) Could not resolve host: {found['host']}\n"
            return Said(stderr=text, code=CURL_RESOLVES)
        secure = found["scheme"] == "https"
        port = int(found["port"] or (443 if secure else 80))
        met = self.send("tcp", reading.detail.split(", ")[0], port, b"HEAD")
        match met.phase:
            case Phase.TIMEOUT:
                return Said(stderr=f"curl: ({CURL_WAITS}) {waited}\n", code=CURL_WAITS)
            case Phase.ANSWERED:
                return Said("HTTP/2 200 \n" if secure else "HTTP/1.1 200 OK\n")
            case Phase.CONNECTED:
                return Said(stderr="curl: (1) not HTTP\n", code=CURL_UNDERSTANDS)
        return Said(stderr=f"curl: ({CURL_CONNECTS}) Connection refused\n", code=CURL_CONNECTS)

    def _dig(self, arguments: Sequence[str]) -> Said:
        plain = [word for word in arguments if not word.startswith("+")]
        rdtype = plain[0] if len(plain) > 1 else "A"
        if "+search" in arguments:
            reading = self.resolve(plain[-1])
        else:
            reading = self.ask(Question(absolute(plain[-1]), rdtype))
        if reading.outcome is Outcome.DNS_TIMEOUT:
            return Said(";; communications error: timed out\n", code=DIG_WAITS)
        return Said(f"{reading}\n")

    def _nslookup(self, name: str) -> Said:
        reading = Reading(Outcome.DNS_NXDOMAIN)
        for question in query_plan(name, search=search_list(self._pod[0]), ndots=5):
            reading = self.ask(question)
            if reading.outcome is Outcome.RESOLVED:
                self.ask(Question(question.qname, "AAAA"))
                return Said(f"{reading}\n")
        return Said(f"{reading}\n", code=1)

    def resolve(self, name: str) -> Reading:
        """Look a name up as the C library does."""
        rdtypes = (self._cluster.families[0].rdtype,)
        plan = query_plan(name, search=search_list(self._pod[0]), ndots=5, rdtypes=rdtypes)
        return walk(plan, absolute(name), self.ask)[0]

    def ask(self, question: Question) -> Reading:
        """Ask the cluster's name server one question over UDP."""
        server = KUBEADM_SERVERS[self._cluster.families[0]]
        met = self.send("udp", server, DNS_PORT, encode(question, ident=IDENT))
        if met.phase is Phase.TIMEOUT:
            return Reading(Outcome.DNS_TIMEOUT)
        if met.phase is Phase.REFUSED:
            return Reading(Outcome.REFUSED)
        return decode(met.data, question, ident=IDENT).reading


class Account:
    """What the CNI's agent in a pod of kube-system says of the pods on its node."""

    def __init__(self, cluster: FakeCluster, agent: str) -> None:
        self._cluster = cluster
        self._node = cluster.objects["Pod", "kube-system", agent]["spec"]["nodeName"]

    def said(self, words: Sequence[str]) -> Said:
        """The answer of one of the agent's commands."""
        match words:
            case ("iptables-nft-save" | "ip6tables-nft-save" as program, *_):
                # All drops are counted by the rules of the cluster's first family.
                six = program.startswith("ip6")
                first = six is (self._cluster.families[0] is Family.IPV6)
                return Said(self._iptables(counts=first))
            case ("hubble", "observe", *options):
                since = next(o.partition("=")[2] for o in options if o.startswith("--since="))
                return Said(self._events(since))
            case ("cilium-dbg", "policy", "get", *_):
                return Said(json.dumps({"policy": json.dumps(self._rules()), "revision": 1}))
            case ("sh", "-c", _):
                return Said(self._realised())
            case ("cilium-dbg", "bpf" | "fqdn", *_):
                return Said("\n".join(self._cluster.network.known_addresses()))
        raise AssertionError(f"no agent here has a program for {shlex.join(words)}")

    def _pods(self) -> list[Mapping[str, Any]]:
        return [
            body
            for body in self._cluster.pods()
            if body["spec"].get("nodeName") == self._node and not body["spec"].get("hostNetwork")
        ]

    def _policies(self) -> tuple[NetworkPolicy, ...]:
        return self._cluster.in_force(self._cluster.clock.monotonic())

    # Calico: counters of Felix's rules.

    def _iptables(self, *, counts: bool) -> str:
        """As iptables-save prints them, with a chain for each policy that isolates a pod."""
        lines = ["*filter"]
        for body in self._pods():
            meta = body["metadata"]
            link = interface(LivePod(meta["namespace"], meta["name"]))
            for direction, start in (
                (Direction.EGRESS, "cali-fw-"),
                (Direction.INGRESS, "cali-tw-"),
            ):
                chain = f"{start}{link}"
                lines.append(f"[0:0] -A {chain} -m conntrack --ctstate ESTABLISHED -j ACCEPT")
                for policy in self._isolating(body, direction):
                    own = f"cali-pi-{policy.namespace}-{policy.name}"
                    comment = f'"Policy {policy.namespace}/knp.default.{policy.name} '
                    lines.append(f"[0:0] -A {chain} -j {own}")
                    lines.append(
                        f'[0:0] -A {own} -m comment --comment {comment}{direction.lower()}"'
                    )
                key = (meta["namespace"], meta["name"])
                counted = self._cluster.counted[key, direction] if counts else 0
                lines.append(
                    f"[{self._cluster.lie.told(counted)}:0] -A {chain} -m comment --comment "
                    '"End of tier default. Drop if no policies passed packet" -j DROP'
                )
        return "\n".join([*lines, "COMMIT", ""])

    def _isolating(self, body: Mapping[str, Any], direction: Direction) -> list[NetworkPolicy]:
        meta = body["metadata"]
        return [
            policy
            for policy in self._policies()
            if policy.namespace == meta["namespace"]
            and direction in policy.policy_types
            and selects(policy.pod_selector, meta.get("labels", {}))
        ]

    # Cilium: Hubble's events, the agent's rules and revisions.

    def _events(self, since: str) -> str:
        lines = []
        here = {(b["metadata"]["namespace"], b["metadata"]["name"]) for b in self._pods()}
        for number, drop in enumerate(self._cluster.drops):
            stamp = f"{MIDNIGHT + timedelta(seconds=drop.at):%Y-%m-%dT%H:%M:%S.%fZ}"
            if drop.pod not in here or stamp < since or not self._cluster.lie.told(1):
                continue
            ends = {
                side: {"namespace": namespace, "pod_name": name}
                for side, (namespace, name) in (
                    ("source", drop.source),
                    ("destination", drop.target),
                )
            }
            flow = {
                "time": stamp,
                "uuid": str(number),
                "drop_reason_desc": "POLICY_DENIED",
                "traffic_direction": drop.direction.upper(),
                "l4": {drop.protocol.upper(): {"source_port": drop.port}},
                **ends,
            }
            lines.append(json.dumps({"flow": flow}))
        return "\n".join(lines)

    def _rules(self) -> list[dict[str, Any]]:
        """Each policy in force, for each direction and each pod of this node that it isolates."""
        return [
            {
                "Subject": {
                    "matchLabels": {
                        "k8s:io.kubernetes.pod.namespace": body["metadata"]["namespace"],
                        **{f"k8s:{k}": v for k, v in body["metadata"].get("labels", {}).items()},
                    }
                },
                "Ingress": direction is Direction.INGRESS,
                "DefaultDeny": True,
                "Labels": [
                    {"key": "io.cilium.k8s.policy.name", "value": policy.name},
                    {"key": "io.cilium.k8s.policy.namespace", "value": policy.namespace},
                ],
            }
            for body in self._pods()
            for direction in Direction
            for policy in self._isolating(body, direction)
        ]

    def _labels(self, body: Mapping[str, Any]) -> Mapping[str, str]:
        """The labels of a pod, and of its namespace."""
        space = self._cluster.objects["Namespace", "", body["metadata"]["namespace"]]
        of_space = space["metadata"].get("labels", {})
        of_pod = body["metadata"].get("labels", {})
        named = {f"io.cilium.k8s.namespace.labels.{key}": each for key, each in of_space.items()}
        return named | {key: each for key, each in of_pod.items() if "/" not in key}

    def _written(self, body: Mapping[str, Any]) -> list[str]:
        """The labels of a pod as Cilium writes them: without a value there is no equals sign."""
        labels = (key + (f"={value}" if value else "") for key, value in self._labels(body).items())
        return [
            f"k8s:io.kubernetes.pod.namespace={body['metadata']['namespace']}",
            "k8s:io.cilium.k8s.policy.serviceaccount=default",
            *(f"k8s:{each}" for each in labels),
        ]

    def _realised(self) -> str:
        """The agent's revision, and what each endpoint has of it: a number for each change."""
        wanted = len(self._cluster.programmed)
        has = self._cluster.reached(self._cluster.clock.monotonic())
        endpoints = [
            {
                "id": number,
                "status": {
                    "state": "ready",
                    "labels": {"security-relevant": self._written(body)},
                    "identity": {"id": number, "labels": self._written(body)},
                    "external-identifiers": {"k8s-pod-name": body["metadata"]["name"]},
                    "policy": {"realized": {"policy-revision": has}},
                },
            }
            for number, body in enumerate(self._pods())
        ]
        return f"{json.dumps({'policy': '[]', 'revision': wanted})}\n\n{json.dumps(endpoints)}\n"
