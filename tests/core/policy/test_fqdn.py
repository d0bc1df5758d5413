"""What names and patterns of names stand for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.policy.fqdn import canonical, fault, matches

label = st.text("abc-_019", min_size=1, max_size=5)
names = st.lists(label, min_size=1, max_size=4).map(".".join)


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("cilium.io", "cilium.io", True),
        ("cilium.io", "ciliumxio", False),
        ("cilium.io", "www.cilium.io", False),
        ("*.cilium.io", "www.cilium.io", True),
        ("*.cilium.io", "cilium.io", False),
        ("*.cilium.io", "a.b.cilium.io", False),
        ("*.cilium.io", "www.cilium.io.evil.org", False),
        ("*cilium.io", "cilium.io", True),
        ("*cilium.io", "subcilium.io", True),
        ("*cilium.io", "www.cilium.io", False),
        ("sub*.cilium.io", "sub.cilium.io", True),
        ("sub*.cilium.io", "subdomain.cilium.io", True),
        ("sub*.cilium.io", "www.cilium.io", False),
        ("**.cilium.io", "app.cilium.io", True),
        ("**.cilium.io", "test.app.cilium.io", True),
        ("**.cilium.io", "cilium.io", False),
        ("***.cilium.io", "test.app.cilium.io", True),
        ("**cilium.io", "subcilium.io", True),
        ("**cilium.io", "a.cilium.io", False),
        ("a.**.io", "a.b.io", True),
        ("a.**.io", "a.b.c.io", False),
        ("*.*.svc.cluster.local", "web.shop.svc.cluster.local", True),
        ("*.*.svc.cluster.local", "web.svc.cluster.local", False),
        ("*", "a.b.c", True),
        ("*", "", True),
        ("**", "a.b.c", True),
        ("*.*", "a.b", True),
        ("*.*", "a", False),
    ],
)
def test_pattern_stands_for_names(pattern: str, name: str, expected: bool) -> None:
    assert matches(pattern, name) is expected


@given(names)
def test_star_is_every_name(name: str) -> None:
    assert matches("*", name)


@given(names)
def test_case_and_the_last_dot_do_not_count(name: str) -> None:
    assert matches(canonical(f"{name.upper()}."), name)
    assert matches(name, f"{name.upper()}.")


@given(names, names)
def test_name_stands_for_itself_alone(one: str, other: str) -> None:
    assert matches(one, other) is (one == other)


@given(label, names)
def test_star_with_a_dot_is_one_label_and_two_stars_any_number(front: str, name: str) -> None:
    assert matches(f"*.{name}", f"{front}.{name}")
    assert not matches(f"*.{name}", f"{front}.{front}.{name}")
    assert matches(f"**.{name}", f"{front}.{front}.{name}")
    assert not matches(f"**.{name}", name)


@given(names)
def test_every_name_is_a_name_and_a_pattern(name: str) -> None:
    assert not fault(name, pattern=False)
    assert not fault(f"*.{name}", pattern=True)
    assert "matchPattern" in fault(f"*.{name}", pattern=False)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not a valid name"),
        (".io", "not a valid name"),
        ("a..io", "not a valid name"),
        ("a b", "not a valid name"),
        ("https://a.io", "not a valid name"),
        ("a/b", "not a valid name"),
        ("a\n", "not a valid name"),
        ("a" * 256, "256 characters"),
        ("a" * 254 + "!", "not a valid name"),
    ],
)
def test_what_is_no_pattern_is_refused(text: str, why: str) -> None:
    assert why in fault(text, pattern=True)
