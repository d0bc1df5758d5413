"""How a file's bytes become documents: encodings, parts, JSON, and the bounds of all of them."""

from __future__ import annotations

import pytest

from harness.core.manifests.text.reading import decoded, read, read_all


def values(data: bytes | str) -> list[object]:
    text = decoded(data) if isinstance(data, bytes) else data
    return [document.value for document in read(text, origin="f")]


@pytest.mark.parametrize(
    "data",
    [
        b"a: \xc3\xa9\n",
        b"\xef\xbb\xbfa: \xc3\xa9",
        b"\xff\xfe" + "a: \xe9\n".encode("utf-16-le"),
        b"\xfe\xff" + "a: \xe9\n".encode("utf-16-be"),
        b"---\r\na: \xc3\xa9\r\n",
        b"# comment\n\n---\n---\n# another\na: \xc3\xa9\n---\n",
        b"a: \xc3\xa9\n...\n",
        b"--- # comment\na: \xc3\xa9",
    ],
)
def test_encodings_line_ends_and_empty_parts_do_not_matter(data: bytes) -> None:
    assert values(data) == [{"a": "é"}]


def test_byte_that_is_no_character_is_replaced() -> None:
    assert values(b"a: \xff") == [{"a": "\ufffd"}]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1}', [{"a": 1}]),
        ('{"a": 1}{"b": 2}\n\n{"c": 3}', [{"a": 1}, {"b": 2}, {"c": 3}]),
        ('{"a": 1}\n---\nb: 2', [{"a": 1}, {"b": 2}]),
        ("{a: 1}", [{"a": 1}]),
        ('{"a": "\\ud83d\\ude00", "b": "\\/"}', [{"a": "\U0001f600", "b": "/"}]),
        ('{\n\t"a": [1, 2.0, 8e1, null, true]\n}', [{"a": [1, 2, 80, None, True]}]),
        ("", []),
        ("null\n---\n~", []),
    ],
)
def test_json_stands_one_after_the_other(text: str, found: list[object]) -> None:
    assert values(text) == found


@pytest.mark.parametrize(
    ("text", "line", "fault"),
    [
        ('{"a": 1}{"b": 2}\n{"c": ', 2, "this is not JSON"),
        ('{"a": 1}\n{"b": 1}\n{"b": 1, "b": 2}', 3, "the key `b` stands twice"),
        ("a: b\n--- c: d\n", 2, "stands behind it in its line"),
        ("{a: b}\n...\nc: d", 3, "the document ends above this line"),
        ("policyTypes:\n- Ingress\n - a\nb: c\n  d: e", 5, "this is not YAML"),
    ],
)
def test_text_that_kubectl_would_not_read_is_a_fault(text: str, line: int, fault: str) -> None:
    (found,) = read_all(text)[1]

    assert (found.line, fault in found.text) == (line, True)


def test_line_of_a_part_is_the_one_of_its_key() -> None:
    (document,) = read("---\n# c\na:\n  b:\n  - c\n  -\n    d: e\n", origin="f")

    assert document.line() == 3
    assert document.line(("a", "b")) == 4
    assert document.line(("a", "b", 1, "d")) == 7
    assert document.line(("a", "x", "y")) == 3
    assert document.part(("a", "b", 1)).value == {"d": "e"}


def test_lines_of_json_are_counted() -> None:
    first, second = read('{"a":\n {"b": 1}}\n{"c":\n\n[2]}', origin="f")

    assert (first.line(("a", "b")), second.line(), second.line(("c", 0))) == (2, 3, 5)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("- " * 32_000, "more than 100 levels"),
        ("[" * 64_000, "more than 100 levels"),
        ('{"a":' * 12_000, "more than 100 levels"),
        ("{a: " * 16_000, "more than 100 levels"),
        ("? " * 32_000, "more than 100 levels"),
        ("---\n#\n" * 6_000, "more than 5000 documents"),
        ('{"a":1}' * 6_000, "more than 5000 documents"),
        ('{"a":1}' * 2 + '{"a":' + "1" * 5_000 + "}", "this is a number of 5000 characters"),
        (
            "a: &a [1, 1]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(9_000)),
            "aliases repeat more than 20000",
        ),
        (
            "a0: &a0 [1]\n"
            + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 90)),
            "aliases repeat more than 20000",
        ),
    ],
)
def test_what_a_text_decides_is_bounded(text: str, fault: str) -> None:
    assert fault in read_all(text)[1][0].text
