"""A failed case without policylab: manifests, and two lines of kubectl that show the difference.

The pods of the manifests have servers of their own. The lines bring a cluster to the state before
the one that failed, so that a fault of a change shows as well. Addresses are new on every cluster:
where a policy names that of a pod, the lines put it in.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from harness.core.conformance.case import State
from harness.core.conformance.placing import Addresses, Place, policies, workloads
from harness.core.manifests.reader import Resource
from harness.core.model import Protocol
from harness.core.outcome import Reading
from harness.core.target import NamePort, NodePort, PodPort, ServiceAddress
from harness.core.target.ask import Ask

SECONDS = 5
"""How long the client of a reproduction waits for an answer."""

_SERVER = """
import json, socket, sys, threading
six = socket.has_dualstack_ipv6()
family = socket.AF_INET6 if six else socket.AF_INET
def stream(s):
    s.listen()
    while True:
        s.accept()[0].sendall(b"open")
def datagram(s):
    while True:
        s.sendto(b"open", s.recvfrom(9)[1])
serve = {"TCP": (stream, 1, 6), "UDP": (datagram, 2, 17), "SCTP": (stream, 1, 132)}
for protocol, port in json.loads(sys.argv[1]):
    answer, *kind = serve[protocol]
    s = socket.socket(family, *kind)
    if six:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    if answer is stream:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("", port))
    threading.Thread(target=answer, args=(s,)).start()
threading.Event().wait()
"""
_CLIENT = (
    "import socket as s, sys; a = sys.argv; "
    'kind = {"TCP": (1, 6), "UDP": (2, 17), "SCTP": (1, 132)}[a[1]]; '
    'c = s.socket(s.AF_INET6 if ":" in a[2] else s.AF_INET, *kind); '
    f"c.settimeout({SECONDS}); c.connect((a[2], int(a[3]))); "
    # The server of a connection speaks first; SCTP can be written to no more when it has gone.
    'a[1] == "UDP" and c.send(b"hello"); print(c.recv(9).decode())'
)
_WAIT = (
    "kubectl wait pod --all-namespaces -l policylab/part=conformance --for=condition=Ready "
    "--timeout=120s"
)
_PAUSE = f"sleep {SECONDS}"
"""A change of policies takes its time to come into force, and kubectl does not know when it has."""
REUSED = "# A pod of this case asks for the address of one that has ended; these lines do not."


@dataclass(frozen=True, slots=True)
class Reproduction:
    """How a case is repeated.

    Attributes:
        place: where the case was.
        image: the image of its pods.
        addresses: the addresses that its pods had.
    """

    place: Place
    image: str
    addresses: Addresses

    def files(
        self, before: State | None, state: State, wrong: Mapping[Ask, Reading]
    ) -> dict[str, str]:
        """The files, by their names.

        `state` is the one that failed, and `before` the one before it. `wrong` are the flows that
        differ; without one, no flow shows what failed.
        """
        pods, rules = workloads(state.cast, self.place), self._policies(state)
        found = {"manifests.yaml": self._written(pods), "policies.yaml": self._written(rules)}
        steps: list[str] = []
        if before is not None:
            old_pods, old_rules = workloads(before.cast, self.place), self._policies(before)
            found["before-policies.yaml"] = self._written(old_rules)
            if before.cast != state.cast:
                found["before.yaml"] = self._written(old_pods)
            start = "before.yaml" if "before.yaml" in found else "manifests.yaml"
            steps += [f"kubectl apply -f {start}", _WAIT]
            steps += [*self._apply("before-policies.yaml", found), _PAUSE]
            if gone := _gone((*old_pods, *old_rules), (*pods, *rules)):
                found["gone.yaml"] = yaml.safe_dump_all(gone, sort_keys=False)
                steps.append("kubectl delete --ignore-not-found -f gone.yaml")
        if before is None or "before.yaml" in found:
            steps += ["kubectl apply -f manifests.yaml", _WAIT]
        steps += [*self._apply("policies.yaml", found), _PAUSE]
        reused = any(pod.address_of for pod in state.cast.pods.values())
        lines = [*([REUSED] if reused else []), *self._lines(" && ".join(steps), wrong)]
        written = {name: text for name, text in found.items() if text}
        return {**written, "reproduce.sh": "\n".join(lines) + "\n"}

    def _lines(self, bring: str, wrong: Mapping[Ask, Reading]) -> list[str]:
        """Two lines of kubectl; the second prints `open` where the flow passes, else an error."""
        end = "# `kubectl delete -f manifests.yaml` removes it all."
        if not wrong:
            what = "no flow alone shows what failed: flows.txt says it"
            return [f"# {what}; this line brings the state.", bring, end]
        ask, expected = next(iter(wrong.items()))
        words = [
            *("kubectl", "-n", ask.source.namespace, "exec", ask.source.name, "--"),
            *("python3", "-c", _CLIENT, str(ask.target.protocol or Protocol.TCP)),
        ]
        client = f"{shlex.join(words)} {_host(ask)} {_port(ask)}"
        about = f"# {self.place.short(str(ask))}: must be {expected}; `open` is connected."
        return [about, bring, client, end]

    def _policies(self, state: State) -> tuple[Resource, ...]:
        return policies(state, self.place, self.addresses)

    def _apply(self, name: str, files: Mapping[str, str]) -> list[str]:
        """The command that applies a file of policies, with the pods' addresses of now."""
        text = files[name]
        if not text:
            return []
        puts = []
        for pod, number, mark in self._marks():
            if mark in text:
                namespace, _, pod_name = pod.partition("/")
                path = f"{{.status.podIPs[{number}].ip}}"
                get = f"kubectl -n {self.place.space(namespace)} get pod {pod_name}"
                puts.append(f"-e \"s|{mark}|$({get} -o jsonpath='{path}')|g\"")
        if not puts:
            return [f"kubectl apply -f {name}"]
        return [f"sed {' '.join(puts)} {name} | kubectl apply -f -"]

    def _marks(self) -> Iterable[tuple[str, int, str]]:
        """What stands for each address of each pod in the files of policies."""
        for pod, found in self.addresses.items():
            for number in range(len(found)):
                yield pod, number, f"ADDRESS-{number + 1}-OF-{pod.replace('/', '-')}-"

    def _written(self, objects: Iterable[Resource]) -> str:
        bodies = [_served(dict(resource.body), self.image) for resource in objects]
        if not bodies:
            return ""
        plain = [json.loads(json.dumps(body)) for body in bodies]
        text = yaml.safe_dump_all(plain, sort_keys=False)
        for pod, number, mark in self._marks():
            address = self.addresses[pod][number]
            length = 128 if ":" in address else 32
            text = text.replace(f" {address}/{length}\n", f" {mark}/{length}\n")
        return text


def _gone(before: Iterable[Resource], now: Iterable[Resource]) -> list[dict[str, Any]]:
    """What must be deleted: what is no more, and pods that cannot become what they are now."""
    there = {resource.key: resource.body for resource in now}
    return [
        {
            "apiVersion": resource.body["apiVersion"],
            "kind": resource.kind,
            "metadata": {
                key: value
                for key, value in resource.body["metadata"].items()
                if key in ("namespace", "name")
            },
        }
        for resource in before
        if resource.key not in there
        or (resource.kind == "Pod" and resource.body["spec"] != there[resource.key]["spec"])
    ]


def _host(ask: Ask) -> str:
    """Where the client asks, as a shell finds it: addresses are new on every cluster."""
    match ask.target:
        case PodPort(pod):
            path = "{.status.podIP}"
            return f'"$(kubectl -n {pod.namespace} get pod {pod.name} -o jsonpath={path})"'
        case ServiceAddress(namespace, name):
            path = "{.spec.clusterIP}"
            return f'"$(kubectl -n {namespace} get service {name} -o jsonpath={path})"'
        case NodePort():
            path = "{.items[0].status.addresses[0].address}"
            return f'"$(kubectl get nodes -o jsonpath={path})"'
        case NamePort(name):
            return name
    return str(getattr(ask.target, "name", ask.target))


def _port(ask: Ask) -> str:
    """The port that the client asks, as a shell finds it."""
    if isinstance(target := ask.target, NodePort):
        path = f"{{.spec.ports[?(@.port=={target.port})].nodePort}}"
        get = f"kubectl -n {target.namespace} get service {target.name} -o jsonpath='{path}'"
        return f'"$({get})"'
    return str(target.port or 0)


def _served(body: dict[str, Any], image: str) -> dict[str, Any]:
    """The object; a pod with a server on each of its ports, and a label to wait for."""
    if body["kind"] != "Pod":
        return body
    spec = dict(body["spec"])
    (container,) = spec["containers"]
    ports = [[port["protocol"], port["containerPort"]] for port in container.get("ports", ())]
    command = ["python3", "-c", _SERVER, json.dumps(ports)]
    meta = dict(body["metadata"])
    labels = {**meta.get("labels", {}), "policylab/part": "conformance"}
    containers = [{**container, "image": image, "command": command}]
    return {
        **body,
        "metadata": {**meta, "labels": labels},
        "spec": {**spec, "containers": containers},
    }
