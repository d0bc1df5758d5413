"""Cases and topologies as files: read strictly, and every number in them is bounded.

A case is one YAML document:

    about: A podSelector in `from` chooses pods of the policy's own namespace only.
    source: https://kubernetes.io/docs/concepts/services-networking/network-policies/
    level: core
    features: [ingress, pod-selector]
    topology: grid
    policies:                     # NetworkPolicies, without apiVersion and kind
      - metadata: {namespace: red, name: from-b}
        spec: {podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {pod: b}}}]}]}
    expect: [deny * -> red/*, allow red/b -> red/*]
    steps:                        # what then happens, and the flows afterwards
      - does: the pod green/a gets the label
        labels: {green/a: {pod: b}}
        expect: [...]

Each state may say `policies` (all that are in force from then on), `labels` of pods and `spaces`
(labels of namespaces, new ones too), which replace those before, new `pods`, `services`, and `gone`
(pods, namespaces), pods that it `ends` and that stay as objects (a new pod may ask for the address
of one: `addressOf: red/c`), and connections that it `opens` (`red/b -> red/a:8080/TCP`), which stay
open from then on. What a step does not say stays. A policy or a pod with `times: 20` is made 20
times; `{n}` in it is its number.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from harness.core.conformance.case import HOST_PORTS, Case, CasePod, Cast, Said, State
from harness.core.conformance.expected import Line, expected, written
from harness.core.conformance.features import FEATURES
from harness.core.conformance.row import Level
from harness.core.manifests.text.parts import Part
from harness.core.manifests.text.reading import read
from harness.core.model import NETWORK_POLICY, ContainerPort, Protocol
from harness.core.target import PodPort
from harness.core.target.ask import Ask
from harness.errors import ContentError

MAX_BYTES = 64 * 1024
"""Of one file."""
MAX_PODS, MAX_POLICIES, MAX_STEPS, MAX_OPEN = 200, 1000, 20, 10
_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,40}[a-z0-9])?(?:-\{n\})?")
_KEY = re.compile(rf"{_NAME.pattern}/{_NAME.pattern}")
_STATE = ("policies", "expect", "opens", "labels", "spaces", "pods", "services", "gone", "ends")
_CASE = ("about", "source", "level", "features", "topology", "steps", *_STATE)
_POD = ("labels", "ports", "hostNetwork", "times", "addressOf")
_PORT = re.compile(r"(\d{1,5})/(TCP|UDP|SCTP)(?:/([a-z0-9-]{1,15}))?")


def read_topology(text: str, *, origin: str) -> Cast:
    """Read a topology: `about`, `namespaces` with their labels, `pods` and `services`.

    Raises:
        ContentError: it is not of this form, or too large.
    """
    top = _top(text, origin, "the topology")
    top.only(("about", "namespaces", "pods", "services"))
    top.text("about")
    return _with(Cast({}, {}, {}), top, spaces="namespaces")


def read_case(name: str, text: str, topologies: Mapping[str, Cast], *, origin: str) -> Case:
    """Read a case; `topologies` are those that it may begin with, by their names.

    Raises:
        ContentError: it is not of this form, or too large; or a line of it fits no flow.
    """
    top = _top(text, origin, "the case")
    top.only(_CASE)
    features = top.names("features", FEATURES)
    topology = top.names("topology", topologies)
    if len(topology) != 1:
        top.fail("a case begins with one topology", "topology")
    steps = top.parts("steps", needed=False)
    if len(steps) > MAX_STEPS:
        top.fail(f"the case has {len(steps)} steps, and {MAX_STEPS} are the most", "steps")
    first = State("", topologies[topology[0]], (), {})
    states = [_state(top, first, "")]
    for step in steps:
        step.only(("does", *_STATE))
        states.append(_state(step, states[-1], step.text("does")))
    return Case(
        name,
        top.sentence("about"),
        top.link("source"),
        top.word("level", Level),
        features,
        topology[0],
        tuple(states),
        text,
    )


def _top(text: str, origin: str, root: str) -> Part:
    if len(text.encode()) > MAX_BYTES:
        raise ContentError(f"{root} has more than {MAX_BYTES} bytes", where=origin)
    documents = read(text, origin=origin)
    if len(documents) != 1:
        seen = f"{len(documents)} documents"
        raise ContentError(f"{root} is one YAML document", where=origin, seen=seen)
    return Part(documents[0], origin, root=root)


def _state(part: Part, before: State, does: str) -> State:
    ends = part.texts("ends") if part.has("ends") else ()
    cast = _with(_without(before.cast, ends, part), part, spaces="spaces", ended=ends)
    policies = before.policies
    if part.has("policies"):
        policies = tuple(p for each in part.parts("policies") for p in _policies(each, cast))
    if len(policies) > MAX_POLICIES:
        part.fail(f"there are {len(policies)} policies, and {MAX_POLICIES} are the most")
    _check_twice(policies, part)
    lines = part.texts("expect") if part.get("expect") else ()
    try:
        flows = expected((Line(line, part.where("expect")) for line in lines), cast)
    except ContentError as error:
        if error.where:
            raise
        part.fail(error.what)
    return State(does, cast, policies, flows, _opens(part, flows), ends)


def _check_twice(policies: tuple[Mapping[str, Any], ...], part: Part) -> None:
    """Each policy of a state has a name of its own: of two, the cluster would keep the last."""
    names = Counter((p["metadata"]["namespace"], p["metadata"]["name"]) for p in policies)
    for (namespace, name), count in names.items():
        if count > 1:
            what = f"the policy {namespace}/{name} is there {count} times"
            part.fail(what, "policies", "give each a name of its own; {n} is the number of `times`")


def _opens(part: Part, flows: Mapping[Ask, Said]) -> tuple[Ask, ...]:
    """The connections that a state opens: TCP flows between pods that must pass in it."""
    texts = part.texts("opens") if part.has("opens") else ()
    passing = {
        f"{ask.source} -> {written(ask.target)}": ask
        for ask, said in flows.items()
        if isinstance(ask.target, PodPort)
        and ask.target.protocol is Protocol.TCP
        and said is Said.ALLOW
    }
    for text in texts:
        if text not in passing:
            what = f"`{text}` is no flow over TCP that passes here"
            part.fail(what, "opens", "write red/b -> red/a:8080/TCP")
    if len(texts) > MAX_OPEN:
        part.fail(f"it opens {len(texts)} connections, and {MAX_OPEN} are the most", "opens")
    return tuple(passing[text] for text in texts)


def _without(cast: Cast, ends: tuple[str, ...], part: Part) -> Cast:
    """The cast without the pods that end."""
    for key in ends:
        if key not in cast.pods or cast.pods[key].host_network:
            part.fail(f"there is no pod {key} with an address of its own that could end", "ends")
    pods = {key: pod for key, pod in cast.pods.items() if key not in ends}
    return Cast(cast.namespaces, pods, cast.services)


def _with(cast: Cast, part: Part, *, spaces: str, ended: Collection[str] = ()) -> Cast:
    """The cast with what the part adds, changes and takes away; `ended` are pods that end here."""
    found = part.mapping(spaces, needed=False)
    namespaces = {**cast.namespaces, **{_name(found, n): found.labels(n) for n in found.value}}
    made = part.mapping("pods", needed=False)
    pods = {**cast.pods, **{k: p for key in made.value for k, p in _pods(made, key).items()}}
    _check_ended(cast, pods, ended, made)
    relabelled = part.mapping("labels", needed=False)
    for key in relabelled.value:
        if key not in pods:
            relabelled.fail(f"there is no pod {key}", key)
        pods[key] = replace(pods[key], labels=relabelled.labels(key))
    written = part.mapping("services", needed=False)
    services = {
        **cast.services,
        **{_key(written, key): dict(written.mapping(key).value) for key in written.value},
    }
    for name in part.texts("gone") if part.has("gone") else ():
        if name not in pods and name not in namespaces:
            part.fail(f"there is no pod and no namespace {name}", "gone")
        pods = {k: p for k, p in pods.items() if k != name and not k.startswith(f"{name}/")}
        namespaces = {k: labels for k, labels in namespaces.items() if k != name}
        services = {k: s for k, s in services.items() if not k.startswith(f"{name}/")}
    if len(pods) > MAX_PODS:
        part.fail(f"there are {len(pods)} pods, and {MAX_PODS} are the most")
    for key in (*pods, *services):
        if key.partition("/")[0] not in namespaces:
            part.fail(f"{key} is in a namespace that is not there")
    return Cast(namespaces, pods, services)


def _check_ended(
    before: Cast, pods: Mapping[str, CasePod], ended: Collection[str], made: Part
) -> None:
    for key, pod in pods.items():
        if pod.address_of and pod is not before.pods.get(key) and pod.address_of not in ended:
            made.fail(f"{pod.address_of} does not end here, so its address is not free", key)
        if key in ended:
            made.fail(f"{key} ends here, and stays as an object: call the new pod otherwise", key)


def _pods(part: Part, key: str) -> dict[str, CasePod]:
    body = part.mapping(_key(part, key))
    body.only(_POD)
    ports = tuple(_port(body, text) for text in body.texts("ports")) if body.get("ports") else ()
    host = body.flag("hostNetwork", default=False)
    for port in ports:
        if host is not (port.number in HOST_PORTS):
            most = f"{HOST_PORTS.start} to {HOST_PORTS.stop - 1}"
            body.fail(
                f"the ports of pods in their node's network, and only theirs, are {most}", "ports"
            )
    times = _times(body, MAX_PODS)
    if len(times) > 1 and "{n}" not in key:
        body.fail(f"{key} is one name for {len(times)} pods", "times", f"write {key}-{{n}}")
    wanted = body.text("addressOf") if body.has("addressOf") else ""
    pod = CasePod(body.labels("labels"), ports, host, wanted)
    return {
        key.replace("{n}", str(n)): replace(pod, labels=_numbered(dict(pod.labels), n))
        for n in times
    }


def _policies(part: Part, cast: Cast) -> list[Mapping[str, Any]]:
    part.only(("metadata", "spec", "times"))
    meta = part.mapping("metadata")
    meta.only(("namespace", "name"))
    if meta.text("namespace") not in cast.namespaces:
        meta.fail(f"there is no namespace {meta.text('namespace')}", "namespace")
    body = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": NETWORK_POLICY,
        "metadata": {"namespace": meta.text("namespace"), "name": _name(meta, meta.text("name"))},
        "spec": dict(part.mapping("spec").value),
    }
    return [_numbered(body, n) for n in _times(part, MAX_POLICIES)]


def _times(part: Part, most: int) -> range:
    count = part.get("times") or 1
    if not isinstance(count, int) or isinstance(count, bool) or not 0 < count <= most:
        part.fail(f"`times` must be a number from 1 to {most}, and is `{count}`", "times")
    return range(1, count + 1)


def _numbered(value: Any, number: int) -> Any:
    match value:
        case str():
            return value.replace("{n}", str(number))
        case list():
            return [_numbered(one, number) for one in value]
        case Mapping():
            return {key: _numbered(one, number) for key, one in value.items()}
    return value


def _name(part: Part, name: str) -> str:
    if not _NAME.fullmatch(name):
        part.fail(f"`{name}` is no name here", try_="write lower-case letters, digits and `-`")
    return name


def _key(part: Part, key: str) -> str:
    if not _KEY.fullmatch(key):
        part.fail(f"`{key}` is no pod and no Service", key, "write NAMESPACE/NAME")
    return key


def _port(part: Part, text: str) -> ContainerPort:
    found = _PORT.fullmatch(text)
    if found is None:
        part.fail(f"`{text}` is no port", "ports", "write 8080/TCP, or 8080/TCP/web with a name")
    return ContainerPort(int(found[1]), Protocol(found[2]), found[3] or "")
