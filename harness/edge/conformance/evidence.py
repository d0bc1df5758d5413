"""What a failed case leaves for a person: the case, a way to see it without policylab, the rules.

The manifests have servers of their own, so that two lines of kubectl show the difference on any
cluster. The CNI's rules and its agent's log come through an adapter that a CNI may have.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

import yaml

from harness.core.conformance.case import Case, State
from harness.core.conformance.placing import Addresses, Place, policies, workloads
from harness.core.model import Protocol
from harness.core.outcome import Reading
from harness.core.target import NamePort, NodePort, PodPort, ServiceAddress
from harness.core.target.ask import Ask
from harness.edge.api.kube import Kube
from harness.edge.api.kubectl import Exec
from harness.edge.cluster.opening import Cluster
from harness.errors import HarnessError

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


class Evidence:
    """Writes down what is known of a failed case while its state still stands."""

    def __init__(self, cluster: Cluster, kube: Kube, programs: Exec, place: Place) -> None:
        self._cluster, self._kube, self._place = cluster, kube, place
        drops = cluster.lane.value.drops
        self._counter = drops and drops(kube, programs)

    def files(
        self,
        case: Case,
        state: State,
        wrong: Mapping[Ask, Reading],
        addresses: Addresses,
    ) -> dict[str, str]:
        """The files of a case, by their names; `wrong` are the flows that differ."""
        ask = next(iter(wrong))
        return {
            "case.yaml": case.text,
            "manifests.yaml": self._manifests(state, addresses),
            "reproduce.sh": self._reproduce(ask, wrong[ask]),
            **self._told(ask),
        }

    def _manifests(self, state: State, addresses: Addresses) -> str:
        image = self._cluster.toolbox
        bodies = [
            _served(dict(resource.body), image)
            for resource in (
                *workloads(state.cast, self._place),
                *policies(state, self._place, addresses),
            )
        ]
        plain = [json.loads(json.dumps(body)) for body in bodies]
        return yaml.safe_dump_all(plain, sort_keys=False)

    def _reproduce(self, ask: Ask, expected: Reading) -> str:
        """Two lines of kubectl; the second prints `open` where the flow passes, else an error."""
        host = self._host(ask)
        target = ask.target
        words = [
            *("kubectl", "-n", ask.source.namespace, "exec", ask.source.name, "--"),
            *("python3", "-c", _CLIENT, str(target.protocol or Protocol.TCP)),
        ]
        client = f"{shlex.join(words)} {host} {_port(ask)}"
        return (
            f"# {self._place.short(str(ask))}: must be {expected}; `open` is connected.\n"
            "kubectl apply -f manifests.yaml && kubectl wait pod --all-namespaces"
            " -l policylab/part=conformance --for=condition=Ready --timeout=120s\n"
            f"{client}\n"
        )

    def _host(self, ask: Ask) -> str:
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

    def _told(self, ask: Ask) -> dict[str, str]:
        if self._counter is None:
            return {}
        pods = [ask.source, *([ask.target.pod] if isinstance(ask.target, PodPort) else [])]
        try:
            return dict(self._counter.tell(pods))
        except HarnessError as error:
            return {"rules.txt": f"the CNI's rules could not be read\n{error}\n"}


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
