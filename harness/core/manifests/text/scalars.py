"""Plain YAML scalars as kubectl reads them: which text is a number, a truth value, null or text.

kubectl reads YAML 1.1 with the words of its Go library, which are not Python's: `y`, `on` and `off`
are truth values, `017` is fifteen, `8e1` is eighty, and a date is a text.
Source: go.yaml.in/yaml v2.4.2, resolve.go and decode.go; sigs.k8s.io/yaml v1.6.0, yaml.go, for the
way from Go's values to JSON.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
import struct
from datetime import datetime

Scalar = str | int | float | bool | None

_LONG = "tag:yaml.org,2002:"
_WORDS: dict[str, tuple[str, Scalar]] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES"), ("bool", True)),
    **dict.fromkeys(("true", "True", "TRUE", "on", "On", "ON"), ("bool", True)),
    **dict.fromkeys(("n", "N", "no", "No", "NO"), ("bool", False)),
    **dict.fromkeys(("false", "False", "FALSE", "off", "Off", "OFF"), ("bool", False)),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), ("null", None)),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), ("float", math.nan)),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), ("float", math.inf)),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), ("float", -math.inf)),
}
_RESOLVED = ("", "str", "bool", "int", "float", "null", "timestamp")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_INTEGER = re.compile(
    r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[oO]([0-7]+)|0[bB]([01]+)|0([0-7]+)|(0|[1-9][0-9]*))\Z"
)
_BASES = (16, 8, 2, 8, 10)
_TIME = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
    r"(?:(?:[Tt]|\x20)([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:\.[0-9]{1,9})?(Z|[-+]\d\d:\d\d)?)?\Z"
)
_MOST_DIGITS = 400
"""Longer numbers are text, or no integer of 64 bits: nothing is computed of them."""

MIN_INTEGER, MAX_INTEGER, MAX_UNSIGNED = -(2**63), 2**63 - 1, 2**64 - 1
_EXPONENT_FROM = 1e21
"""Go writes a whole number below this without an exponent, so the API reads an integer."""


_SMALLEST_POWER, _GREATEST_POWER = -4, 6
"""Go's format `g` writes floats between these powers of ten without an exponent."""


class NotAValueError(ValueError):
    """A scalar whose tag does not fit its text; the message says so in words."""


def resolve(tag: str | None, text: str, *, plain: bool) -> Scalar:
    """The value of a scalar: `tag` as written or None, `plain` if no quotes make it a text.

    Raises:
        NotAValueError: the tag is unknown, or the text does not fit it; the message says which.
    """
    if tag == "!" or (tag is None and not plain):
        return text
    short = tag.removeprefix(_LONG) if tag else ""
    if tag and short == "binary":
        return _binary(text)
    if tag and (short == tag or short not in _RESOLVED):
        raise NotAValueError(f"the tag `{tag}` is not known: kubectl knows !!str, !!int and so on")
    found, value = ("str", text) if short == "str" else _plain(text)
    if short == "float" and found == "int" and isinstance(value, int):
        found, value = "float", float(value)
    if short not in ("", found):
        raise NotAValueError(f"`{text[:40]}` is not a value of !!{short}")
    return value


def as_json(value: Scalar) -> Scalar:
    """A value as the API gets it: JSON stands between, with one kind of number and no infinity.

    Raises:
        NotAValueError: JSON cannot write this number.
    """
    if isinstance(value, float):
        if not math.isfinite(value):
            raise NotAValueError(f"{value} is not a number that JSON can write")
        if value.is_integer() and abs(value) < _EXPONENT_FROM:
            return int(value)
    return value


def key_text(key: Scalar) -> str:
    """A mapping's key as the JSON that kubectl sends has it: always a text.

    Raises:
        NotAValueError: null, or a number beyond 63 bits, is not a key.
    """
    match key:
        case bool():
            return "true" if key else "false"
        case int() if MIN_INTEGER <= key <= MAX_INTEGER:
            return str(key)
        case float():
            return _shortest(key)
        case str():
            return key
    raise NotAValueError(f"{'null' if key is None else key} is not a key: write it in quotes")


def _plain(text: str) -> tuple[str, Scalar]:
    if text in _WORDS:
        return _WORDS[text]
    if text[0] == ".":
        return _float(text) if _FLOAT.match(text) else ("str", text)
    if text[0] not in "+-0123456789" or len(text) > _MOST_DIGITS:
        return "str", text
    if _is_time(text):
        return "timestamp", text
    digits = text.replace("_", "")
    if (integer := _integer(digits)) is not None:
        return "int", integer
    return _float(digits, written=text) if _FLOAT.match(digits) else ("str", text)


def _integer(digits: str) -> int | None:
    if not (found := _INTEGER.match(digits)):
        return None
    number, base = next((n, b) for n, b in zip(found.groups()[1:], _BASES, strict=True) if n)
    value = int(number, base) * (-1 if found[1] == "-" else 1)
    highest = MAX_INTEGER if found[1] else MAX_UNSIGNED  # Go reads no sign beyond 63 bits
    return value if MIN_INTEGER <= value <= highest else None


def _float(digits: str, written: str = "") -> tuple[str, Scalar]:
    value = float(digits)
    # Go's ParseFloat refuses what does not fit, and the text stays a text.
    return ("str", written or digits) if math.isinf(value) else ("float", value)


def _is_time(text: str) -> bool:
    found = _TIME.match(text)
    if not found or (found[4] and (" " in text) == bool(found[7])):
        return False
    try:
        year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
        datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - only its form
    except ValueError:
        return False
    return True


def _binary(text: str) -> str:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode(errors="replace")
    except (binascii.Error, ValueError) as error:
        raise NotAValueError("the value of !!binary is not base64") from error


def _shortest(value: float) -> str:
    """Go's FormatFloat(value, 'g', -1, 32): the shortest text that is this 32 bit float."""
    try:
        (single,) = struct.unpack("f", struct.pack("f", value))
    except OverflowError:
        single = math.copysign(math.inf, value)
    if not math.isfinite(single):
        return ".nan" if math.isnan(single) else ".inf" if single > 0 else "-.inf"
    text = next(
        text
        for digits in range(9)
        if struct.pack("f", float(text := f"{single:.{digits}e}")) == struct.pack("f", single)
    )
    mantissa, _, power = text.partition("e")
    exponent = int(power)
    if _SMALLEST_POWER <= exponent < _GREATEST_POWER:
        digits = len(mantissa.strip("-").replace(".", ""))
        return f"{single:.{max(digits - 1 - exponent, 0)}f}"
    return f"{mantissa}e{exponent:+03d}"
