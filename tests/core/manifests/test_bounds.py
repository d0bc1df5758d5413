"""Nothing in a file decides how long we run or how much we hold: 64 KiB get an answer or a refusal.

Time is the process's own, so that a busy machine fails no test.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.manifests.reader import (
    MAX_ALL_PODS,
    SHOWN_FAULTS,
    SHOWN_TEXT,
    File,
    read_files,
)
from harness.core.outcome import Verdict
from harness.core.predict.scenario import Scenario
from harness.core.target.ask import Flow
from harness.errors import ManifestError
from tests.core.manifests.cases import cases

KIB_64 = 64 * 1024
COUNTED = "coverage" in sys.modules
"""Whether branches are counted: that makes each line several times slower, and takes memory."""
SECONDS = 10.0 if COUNTED else 2.0
"""Twice what is promised, for machines that are slower than ours."""
MIB_200 = 200 * 1024 * 1024

HEAD = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: np, namespace: s}\n"
POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: s}\n"
SPEC = "spec: {containers: [{name: c}]}\n"
TWO = f"{POD % 'one'}{SPEC}---\n{POD % 'two'}{SPEC}---\n"
SET = (
    "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: %s, namespace: s}\n"
    "spec: {replicas: 1000000000, selector: {matchLabels: {a: b}}, template: "
    "{metadata: {labels: {a: b}}, spec: {containers: [{name: c}]}}}\n---\n"
)


def full(part: str, *, before: str = "", after: str = "") -> bytes:
    """A part as often as 64 KiB hold it, with something at its ends; `%d` is the number."""
    room = KIB_64 - len(before) - len(after)
    parts: list[str] = []
    while room > 0:
        text = part.replace("%d", str(len(parts)))
        parts.append(text)
        room -= len(text)
    return (before + "".join(parts[:-1]) + after).encode()


def rules(part: str) -> bytes:
    return full(part, before=f"{TWO}{HEAD}spec: {{podSelector: {{}}, ingress: [", after="]}\n")


NASTY = {
    "dashes": full("- "),
    "brackets": full("["),
    "braces": full("{a: "),
    "json": full('{"a":'),
    "json arrays": full("["),
    "a stream": full('{"a":1}'),
    "a stream of numbers": b"{}" + full("1 "),
    "documents": full("a: b\n---\n"),
    "no documents": full("---\n"),
    "objects without a kind": full(
        "{},", before='{"kind":"List","apiVersion":"v1","items":[', after="{}]}"
    ),
    "lists in lists": full('{"kind":"List","apiVersion":"v1","items":[', after="]}" * 50),
    "aliases": b"a: &a [x,x,x,x]\n" + full("b%d: [*a,*a,*a,*a,*a,*a,*a,*a]\n"),
    "aliases of aliases": b"a0: &a0 [x]\n"
    + b"".join(f"a{n + 1}: &a{n + 1} [*a{n},*a{n}]\n".encode() for n in range(2000)),
    "merges": b"a: &a {x: 1}\n" + full("b%d: &b%d {<<: [*a, *a, *a], k%d: 1}\n"),
    "merges of merges": b"a0: &a0 {x: 1}\n"
    + b"".join(f"a{n + 1}: &a{n + 1} {{<<: *a{n}, k{n}: 1}}\n".encode() for n in range(1200)),
    "anchors": full("a%d: &a%d {}\n"),
    "a long line": full("x", before="a: "),
    "a long key": full("x", after=": a"),
    "a long number": full("9", before="a: "),
    "escapes": full("\\x41", before='"', after='"'),
    "a long kind": full("x", before="apiVersion: v1\nkind: "),
    "a long field": full("x", before=f"{HEAD}spec: {{podSelector: {{", after=": 1}}\n"),
    "unknown fields": full("form%d: 1, ", before=f"{HEAD}spec: {{podSelector: {{", after="}}\n"),
    "unknown rules": rules("{form: 1},"),
    "a long label": full(
        "v", before=f"{HEAD}spec: {{podSelector: {{matchLabels: {{a: ", after="}}}"
    ),
    "labels": full("k%d: v, ", before="apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {")
    + b"}}\n"
    + SPEC.encode(),
    "values": full(
        "v%d, ",
        before=f"{TWO}{HEAD}spec: {{podSelector: {{matchExpressions: [{{key: a, operator: NotIn, "
        "values: [",
        after="]}]}}\n",
    ),
    "all ports": rules("{ports: [{port: 1, endPort: 65535}]},"),
    "ranges": rules("{from: [{podSelector: {}}], ports: [{port: 1%d, endPort: 65535}]},"),
    "blocks": rules("{from: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8, 11.0.0.0/8]}}]},"),
    "peers": rules("{from: [{podSelector: {matchLabels: {a: v%d}}, namespaceSelector: {}}]},"),
    "policies": full(
        "---\n" + HEAD.replace("np", "np%d") + "spec: {podSelector: {}, ingress: [{}]}\n",
        before=TWO,
    ),
    "replicas": full(SET % "set%d", before=TWO),
    "pods": full(POD % "p%d" + SPEC + "---\n"),
    "container ports": full(
        "{containerPort: 1%d}, ",
        before=TWO + POD % "p" + "spec: {containers: [{name: c, ports: [",
        after="]}]}\n",
    ),
    "names": full(
        '{matchPattern: "a*a*a*a*a*a*a*a*a*%d.example"}, ',
        before=f"{TWO}apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {{name: cc, "
        "namespace: s}\nspec: {endpointSelector: {}, egress: [{toFQDNs: [",
        after="]}]}\n",
    ),
    "carriage returns": full("\r"),
    "tabs": full("\t"),
    "quotes": full('"'),
    "pipes": full("a: |\n "),
    "questions": full("? "),
    "zeros": bytes(KIB_64),
    "broken UTF-8": b"\xff\xfe\xfd" * (KIB_64 // 3),
    "UTF-16": ("\ufeff" + "- " * 16_000).encode("utf-16-le"),
    "tags": full("!!int "),
    "base64": full("QUFB", before="a: !!binary "),
    "dates": full("2001-01-01T00:00:00Z, ", before="[", after="]"),
}


def answered(data: bytes) -> str:
    """The words of a refusal, or what an answer about the file's pods says."""
    try:
        loaded = read_files([File("f.yaml", data)])
    except ManifestError as error:
        return str(error)
    resources = [resource for file in loaded.values() for resource in file]
    scenario = Scenario(resources, files=loaded)
    ends = list(scenario.topology.pods.values())
    verdict = scenario.oracle.decide(Flow(ends[0], ends[-1], 80)).verdict
    return f"{verdict}\n" + "\n".join(scenario.basis.lines())


def in_time(data: bytes) -> str:
    start = time.process_time()
    said = answered(data)
    assert time.process_time() - start < SECONDS
    return said


@pytest.mark.parametrize("name", NASTY)
def test_64_kib_get_an_answer_or_a_refusal_in_time(name: str) -> None:
    assert len(NASTY[name]) <= 2 * KIB_64

    said = in_time(NASTY[name])
    assert said
    assert len(said) <= (SHOWN_FAULTS + 5) * (SHOWN_TEXT + 5)


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
def test_64_kib_take_little_memory() -> None:
    # getrusage would tell the largest size of the process that began this one, too.
    code = (
        "from tests.core.manifests.test_bounds import NASTY, answered;"
        "[answered(data) for data in NASTY.values()];"
        "print(next(l for l in open('/proc/self/status') if l.startswith('VmHWM')).split()[1])"
    )
    plain = {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE")}
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, capture_output=True, check=True, text=True, env=plain)

    assert 0 < int(done.stdout) * 1024 < MIB_200


CORPUS = [case.text.encode() for case in cases() if case.read][::5]


def mutated(chance: random.Random) -> bytes:
    """A manifest of the corpus that somebody has broken, grown up to 64 KiB."""
    data = chance.choice(CORPUS)
    for _ in range(chance.randint(1, 8)):
        at, to = sorted(chance.choices(range(len(data) + 1), k=2))
        part, times = data[at:to], chance.choice([0, 1, 2, 50, 5_000])
        signs = bytes(chance.choices(b"{}[]:,-&*!?|>'\"#% \n\tab0", k=chance.randint(0, 4)))
        data = (data[:at] + signs + part * times + data[to:])[:KIB_64]
        data = data or b"a"
    return data


@pytest.mark.parametrize("seed", range(60))
def test_a_broken_manifest_gets_an_answer_or_a_refusal_in_time(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - it is no secret
    assert in_time(mutated(chance))


PIECES = st.sampled_from(
    [b"- ", b"[", b"{", b"a: ", b"&a ", b"*a ", b"<<: ", b"\n", b"---\n", b'"', b"'", b"!!map "]
) | st.binary(min_size=1, max_size=6)


@settings(max_examples=30)
@given(st.lists(PIECES, min_size=1, max_size=5).map(b"".join), st.binary(max_size=200))
def test_any_bytes_get_an_answer_or_a_refusal_in_time(part: bytes, end: bytes) -> None:
    assert in_time(part * (KIB_64 // len(part)) + end)


def test_workloads_without_end_are_refused_before_their_pods_are_made() -> None:
    data = (SET * 5_000 % tuple(f"set{n}" for n in range(5_000))).encode()
    said = in_time(data[:KIB_64] + b"\n---\n" + data[: 1 << 20].rpartition(b"---")[0])

    assert f"more than {MAX_ALL_PODS} pods" in said


PORTS = """apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: p, namespace: shop}}
spec: {{podSelector: {{}}, ingress: [{{ports: [{}]}}]}}
"""
DECLARED = """apiVersion: v1
kind: Pod
metadata: {{name: p, namespace: shop}}
spec: {{containers: [{{name: c, image: x, ports: [{}]}}]}}
"""


@pytest.mark.parametrize(
    ("text", "most"),
    [
        (PORTS.format(",".join(f"{{port: {n}}}" for n in range(1, 10_001))), 10_000),
        (DECLARED.format(",".join(f"{{containerPort: {n}}}" for n in range(1, 20_002))), 20_000),
    ],
    ids=["of rules", "of pods"],
)
def test_ports_without_end_are_refused_with_their_number(text: str, most: int) -> None:
    said = in_time(text.encode())

    assert f"{most} is the most" in said
    assert f"{most + 1} " in said


def test_an_answer_is_an_answer() -> None:
    assert answered(TWO.encode()).startswith(Verdict.ALLOW)
