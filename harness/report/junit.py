"""JUnit's XML of test reports, as CI systems read it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Amiss(StrEnum):
    """What keeps a case from having passed, by the name of its element."""

    FAILURE = "failure"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class TestCase:
    """One case of a suite.

    Attributes:
        group: what it belongs to (`classname`).
        name: its name.
        amiss: why it did not pass; None if it did.
        message: what is amiss, in a sentence.
        text: the lines under it; none if empty.
        seconds: how long it took; None if that is not said.
    """

    __test__ = False

    group: str
    name: str
    amiss: Amiss | None = None
    message: str = ""
    text: str = ""
    seconds: float | None = None


def xml(name: str, suites: Sequence[tuple[str, Sequence[TestCase]]]) -> str:
    """The XML of these suites, each with its name and its cases."""
    root = ET.Element("testsuites", name=name)
    for title, cases in suites:
        suite = ET.SubElement(root, "testsuite", name=title)
        for case in cases:
            found = ET.SubElement(suite, "testcase", classname=case.group, name=case.name)
            if case.seconds is not None:
                found.set("time", f"{case.seconds:.3f}")
            if case.amiss:
                told = ET.SubElement(found, case.amiss.value, message=case.message)
                told.text = case.text or None
        suite.set("tests", str(len(cases)))
        for amiss, count in (("failures", Amiss.FAILURE), ("errors", Amiss.ERROR)):
            suite.set(amiss, str(sum(case.amiss is count for case in cases)))
        if skipped := sum(case.amiss is Amiss.SKIPPED for case in cases):
            suite.set("skipped", str(skipped))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"
