from __future__ import annotations

import json
import time
from dataclasses import replace
from fractions import Fraction
from random import Random

import pytest

from harness.core.grading.model import Grade, Status
from harness.core.grading.randomised import USUAL, Names
from harness.core.grading.telling.alike import COMPARED, LISTED, alike
from harness.core.grading.telling.sketch import MOST, Sketch, sketch_of
from harness.core.manifests.reader import File, parse

POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api, namespace: shop}
spec:
  podSelector: {matchLabels: {app: api}}
  policyTypes: [Ingress]
  ingress:
  - from: [{podSelector: {matchLabels: {app: web}}}, {podSelector: {matchLabels: {app: job}}}]
    ports: [{port: 80, protocol: TCP}]
"""


def sketch(text: str, drawn: Names = USUAL) -> Sketch:
    files = (File("a.yaml", text.encode()),)
    return sketch_of(files, parse(text, origin="a.yaml"), drawn.back().tree)


def grade(name: str, found: Sketch) -> Grade:
    return Grade(name, Status.GRADED, Fraction(1), Fraction(1), sketch=found)


def of_parts(name: str, parts: range | list[int]) -> Grade:
    return grade(name, Sketch(f"f{name}", f"o{name}", tuple(parts)))


@pytest.mark.parametrize(
    "other",
    [
        f"# mine\n{POLICY}",
        POLICY.replace("name: api", "name: another-name"),
        POLICY.replace("name: api,", "name: api, annotations: {by: me},"),
        POLICY.replace(
            "{podSelector: {matchLabels: {app: web}}}, {podSelector: {matchLabels: {app: job}}}",
            "{podSelector: {matchLabels: {app: job}}}, {podSelector: {matchLabels: {app: web}}}",
        ),
        json.dumps({
            "kind": "NetworkPolicy", "apiVersion": "networking.k8s.io/v1",
            "metadata": {"namespace": "shop", "name": "x"},
            "spec": {
                "policyTypes": ["Ingress"], "podSelector": {"matchLabels": {"app": "api"}},
                "ingress": [{
                    "ports": [{"protocol": "TCP", "port": 80}],
                    "from": [{"podSelector": {"matchLabels": {"app": a}}} for a in ("web", "job")],
                }],
            },
        }),
    ],
)  # fmt: skip
def test_the_same_written_otherwise_is_equal_and_not_to_the_byte(other: str) -> None:
    found = alike([grade("ann", sketch(POLICY)), grade("bob", sketch(other))])

    (equal,) = found.equal
    assert (equal.ids, equal.to_the_byte) == (("ann", "bob"), False)


def test_the_same_files_are_equal_to_the_byte_even_if_nobody_can_read_them() -> None:
    refused = Sketch("the same", "")
    found = alike([grade("ann", refused), grade("bob", refused), grade("eve", Sketch())])

    assert [(one.ids, one.to_the_byte) for one in found.equal] == [(("ann", "bob"), True)]


def test_another_value_is_another_submission() -> None:
    assert sketch(POLICY).objects != sketch(POLICY.replace("port: 80", "port: 81")).objects


def test_a_copy_in_another_student_s_names_is_found() -> None:
    drawn = Names({"shop": "shop-x1y2", "api": "api-zzzz"}, {80: 4321})
    text = json.dumps(next(drawn.tree(one.body) for one in parse(POLICY, origin="a")))

    assert text != json.dumps(next(one.body for one in parse(POLICY, origin="a")))
    assert sketch(text, drawn).objects == sketch(POLICY).objects


def test_nearly_equal_ones_are_listed_with_their_share_and_others_are_not() -> None:
    course = [
        of_parts("ann", range(20)),
        of_parts("bob", range(1, 20)),
        of_parts("eve", range(100, 120)),
    ]
    found = alike(course)

    assert not found.equal
    assert [(near.first, near.second, near.share) for near in found.near] == [
        (("ann",), ("bob",), 0.95)
    ]


def test_equal_mistakes_come_before_equal_solutions() -> None:
    right, wrong = sketch(POLICY), sketch(POLICY.replace("port: 80", "port: 81"))
    course = [grade("ann", right), grade("bob", right), grade("cat", wrong), grade("dan", wrong)]
    course = [replace(one, score=Fraction(one.id < "c")) for one in course]

    found = alike(course)

    assert [one.ids for one in found.equal] == [("cat", "dan"), ("ann", "bob")]


def test_samples_of_long_submissions_tell_what_they_have_in_common() -> None:
    draw = Random(1)  # noqa: S311 - a test's numbers
    whole = draw.sample(range(10**9), 4_000)
    mostly = whole[:3_900] + draw.sample(range(10**9), 100)
    half = whole[:2_000] + draw.sample(range(10**9), 2_000)
    course = [
        of_parts(name, sorted(parts)[:MOST])
        for name, parts in (("all", whole), ("most", mostly), ("half", half))
    ]
    (near,) = alike(course).near

    assert (near.first, near.second) == (("all",), ("most",))
    assert near.share == pytest.approx(3_900 / 4_100, abs=0.05)


def test_a_class_that_all_wrote_the_same_is_compared_fast_and_the_list_ends() -> None:
    course = [of_parts(f"s{n}", [*range(200), 1_000 + n]) for n in range(300)]
    began = time.process_time()

    found = alike(course)

    assert time.process_time() - began < 5
    assert len(found.near) == LISTED
    assert found.more == 300 * 299 // 2 - LISTED


def test_a_course_that_is_too_large_for_pairs_says_so_and_finds_equal_ones() -> None:
    course = [of_parts(f"s{n}", [n]) for n in range(COMPARED + 1)]

    found = alike([*course, of_parts("s0", [0])])

    assert not found.compared
    assert [one.ids for one in found.equal] == [("s0", "s0")]
