"""Which plain words are numbers, truth values or text: kubectl's answers, not Python's."""

from __future__ import annotations

import pytest

from harness.core.manifests.text.reading import read, read_all
from harness.errors import ManifestError


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("8e1", 80),
        ("80.0", 80),
        ("8.5", 8.5),
        ("017", 15),
        ("08", 8),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b101", 5),
        ("1_000", 1000),
        ("+12", 12),
        (".5", 0.5),
        ("1e400", "1e400"),
        ("18446744073709551615", 18446744073709551615),
        ("190:20:30", "190:20:30"),
        ("y", True),
        ("yES", "yES"),
        ("on", True),
        ("Off", False),
        ("n", False),
        ("~", None),
        ("NULL", None),
        ("2001-01-01", "2001-01-01"),
        ("2001-12-14t21:59:43.10-05:00", "2001-12-14t21:59:43.10-05:00"),
        ("2001-99-99", "2001-99-99"),
        ("'80'", "80"),
        ('"yes"', "yes"),
        ("!!str 80", "80"),
        ("!!int '80'", 80),
        ("!!float 8", 8),
        ("! 80", "80"),
        ("!!binary aGVsbG8=", "hello"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("0777777777777777777777777", 7.777777777777777e23),
        ("1e21", 1e21),
        ("|\n  80", "80\n"),
    ],
)
def test_word_is_what_kubectl_makes_of_it(written: str, value: object) -> None:
    (document,) = read(f"a: {written}\nb: c", origin="f")

    found = document.value["a"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("y", "true"),
        ("on", "true"),
        ("no", "false"),
        ("017", "15"),
        ("8e1", "80"),
        ("1e6", "1e+06"),
        ("1.5", "1.5"),
        ("0.00001", "1e-05"),
        ("16777217.5", "1.6777218e+07"),
        (".inf", ".inf"),
        ("2001-01-01", "2001-01-01"),
        ("'y'", "y"),
        ("!!str y", "y"),
    ],
)
def test_key_is_a_text_made_of_the_word(written: str, key: str) -> None:
    assert read(f"{{{written}: a}}", origin="f")[0].value == {key: "a"}


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("a: !!int ''", "`` is not a value of !!int"),
        ("a: !!bool x", "`x` is not a value of !!bool"),
        ("a: !!null x", "is not a value of !!null"),
        ("a: !!timestamp x", "is not a value of !!timestamp"),
        ("a: !!binary x", "is not base64"),
        ("a: !foo x", "the tag `!foo` is not known"),
        ("a: !!python/object:os.system x", "is not known"),
        ("a: !foo {b: c}", "the tag `!foo` is not known"),
        ("a: .inf", "inf is not a number that JSON can write"),
        ("~: a", "null is not a key"),
        ("18446744073709551615: a", "is not a key"),
        ("[a]: b", "a key is a text"),
        ("a: b\na: c", "the key `a` stands twice"),
        ("y: b\ntrue: c", "the key `true` stands twice"),
        ("a: *b", "no anchor `&b`"),
        ("a: &a [*a]", "the anchor `&a` holds itself"),
        ("<<: a", "`<<` needs a mapping"),
        ("a: [b\n", "this is not YAML"),
        ("a: b\x07", "this is not YAML"),
        ("{a: b?c}", "put `b?c` in quotes"),
        ("%YAML 1.2\n---\na: b", "this is not YAML"),
    ],
)
def test_what_has_no_value_is_a_fault_with_its_line(written: str, fault: str) -> None:
    with pytest.raises(ManifestError) as caught:
        read(f"# one line before\n{written}", origin="f.yaml")

    assert fault in str(caught.value)
    assert "f.yaml:" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a: &x {k: v}\nb: {<<: *x, k: w}", {"k": "w"}),
        # A merge acts where it stands: behind a key it replaces that key.
        ("a: &x {k: v}\nb: {k: w, <<: *x}", {"k": "v"}),
        ("a: &x {k: v}\nb: {<<: [*x, {k: u, l: m}]}", {"k": "v", "l": "m"}),
        ("b: {'<<': c}", {"<<": "c"}),
    ],
)
def test_merge_acts_where_it_stands(text: str, values: dict[str, str]) -> None:
    assert read(text, origin="f")[0].value["b"] == values


def test_every_document_that_cannot_be_read_is_told_of() -> None:
    documents, faults = read_all("a: [\n---\nb: c\n---\nd: !!int x\n")

    assert [document.value for document in documents] == [{"b": "c"}]
    assert [fault.line for fault in faults] == [2, 5]
