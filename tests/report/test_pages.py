"""Reports: everything that a reader needs, nothing that output could smuggle in."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from harness.core.lab.documented import Erratum, parse_table
from harness.core.lab.record import Record, Status
from harness.core.observation import Observation, Transcript
from harness.core.outcome import Outcome, Reading
from harness.core.probe.spread import Spread
from harness.core.target import Target, parse_target
from harness.report import view
from harness.report.document import Run, row_json, to_json
from harness.report.pages import boxes, html, markdown
from harness.report.terminal import terminal

API = "payment-api.secure-zone.svc.cluster.local."
ERRATUM = Erratum("no-service", "it times out", "no Service exists", "ask for the address")
ROWS = parse_table(
    f"""
step base:

| from      | to                       | tutorial says | why      |
|-----------|--------------------------|---------------|----------|
| front/web | pod/secure-zone/db:6379  | connected     | all open |

step deny: 01-deny

| from      | to                       | tutorial says | really       | why                  |
|-----------|--------------------------|---------------|--------------|----------------------|
| front/web | pod/secure-zone/db:6379  | timeout       |              | isolated             |
| front/web | name/db.secure-zone:80   | timeout       | dns_nxdomain | [no-service] by name |
| front/web | name/db.secure-zone:81   | timeout       | dns_nxdomain | [no-service] by name |
| front/web | ping/net/google.com      | timeout       |              | no ping              |

step names: 02-names

| from      | to                       | tutorial says | why  |
|-----------|--------------------------|---------------|------|
| front/web | dns/SRV/_http._tcp.{API} | resolved      | SRV  |
| front/web | fact/lookup-time/x       | shows faster  | time |
""",
    source="lab12-zero-trust#3",
    errata=(ERRATUM,),
).rows
HOSTILE = "<script>alert(1)</script> \x1b[31mred\x1b[0m \x1b]0;title\x07|_*[x](http://evil)\u202e"


def record(number: int, status: Status = Status.PASS, **more: Any) -> Record:
    row = ROWS[number]
    base = Record("lab12-zero-trust", "default_deny", row, row.outcome, None, status)
    return replace(base, **({"observation": Observation(row.outcome)} | more))


RECORDS = (
    record(0),
    record(
        1,
        Status.FAIL,
        observation=Observation(
            Reading(Outcome.CONNECTED),
            control=Reading(Outcome.CONNECTED),
            notes=("db answered",),
            transcripts=(Transcript("nc -z db 6379", HOSTILE, 0, 0.003),),
        ),
        problem="expected timeout, observed connected",
        reasons=("ingress: db is isolated by 01-deny",),
        next_step="kubectl get networkpolicy -A",
    ),
    record(2, Status.ERRATUM),
    record(3, Status.ERRATUM),
    record(
        4,
        Status.NOT_CHECKED,
        observation=None,
        predicted=None,
        problem="the prober was killed",
        next_step="run it again",
    ),
    record(
        5,
        phase="dns_discovery",
        observation=Observation(Reading(Outcome.RESOLVED, f"0 100 80 {API}")),
    ),
    record(
        6,
        phase="dns_discovery",
        predicted=None,
        observation=Observation(
            Reading(Outcome.SHOWS, "faster"),
            evidence={"spread": {"google.com": Spread.of([20.0, 25.0, 40.0]).as_evidence()}},
        ),
    ),
)
ENVIRONMENT = {"kubernetes": "v1.37.2", "cni": "calico 3.30.1", "nodes": ["one", "two"]}


def document(*records: Record, **more: Any) -> dict[str, Any]:
    run = Run("20261121-070000-calico", "pytest labs/", "2026-11-21T07:00", 91.0)
    rows = [row_json(record) for record in records]
    made = to_json(rows, ENVIRONMENT, run=replace(run, **more))
    loaded: dict[str, Any] = json.loads(json.dumps(made))
    return loaded


def printed(*records: Record, width: int = 100, encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    console = Console(file=io.TextIOWrapper(raw, encoding=encoding), width=width)
    console.print(terminal(document(*records), results_dir="results/"))
    console.file.flush()
    return raw.getvalue().decode(encoding)


def lines_with(text: str, *words: str) -> list[str]:
    return [line for line in text.splitlines() if all(word in line for word in words)]


def words_of(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("width", [80, 100, 140])
def test_no_terminal_line_is_longer_than_the_console(width: int) -> None:
    assert max(cell_len(line) for line in printed(*RECORDS, width=width).splitlines()) <= width


@pytest.mark.parametrize("width", [80, 100])
def test_terminal_shows_three_columns_beside_each_flow(width: int) -> None:
    text = printed(*RECORDS, width=width)
    assert lines_with(text, "✓", "front/web", "connected    ")
    [failed] = lines_with(text, "✗", "front/web", "timeout", "connected")
    assert re.search(r"front/web +timeout +timeout +connected", failed)
    assert lines_with(text, "! front/web", "timeout", "dns_nxdomain")
    assert re.search(r"\? front/web +timeout +- +not observed", text)
    assert "→ secure-zone/db:6379" in text


def test_terminal_names_step_and_manifests_in_force() -> None:
    text = printed(*RECORDS)
    assert lines_with(text, "step base", "in force: no manifest")
    assert lines_with(text, "step deny", "in force: 01-deny")


def test_terminal_explains_each_erratum_once() -> None:
    text = words_of(printed(*RECORDS))
    assert text.count("! erratum no-service") == 1
    assert "tutorial says it times out but no Service exists corrected ask for the addr" in text


@pytest.mark.parametrize("width", [80, 100])
def test_terminal_says_of_a_failing_row_what_why_and_what_next(width: int) -> None:
    text = words_of(printed(*RECORDS, width=width))
    for said in (
        "✗ FAIL front/web → secure-zone/db:6379 (step deny)",
        "problem expected timeout, observed connected",
        "policies ingress: db is isolated by 01-deny",
        "why isolated",
        "seen db answered",
        "next step kubectl get networkpolicy -A",
        "? not checked front/web → ping google.com (step deny)",
        "problem the prober was killed",
    ):
        assert said in text


@pytest.mark.parametrize("width", [80, 100])
def test_terminal_shows_an_answer_that_is_too_long_for_its_column(width: int) -> None:
    text = "".join(printed(*RECORDS, width=width).split())
    assert f"=010080{API}" in text


def test_terminal_ends_with_counts_verdict_and_place() -> None:
    text = words_of(printed(*RECORDS))
    assert text.endswith(
        "7 rows: 3 pass, 2 erratum, 1 FAIL, 1 not checked. "
        "1 row failed and 1 row was not checked. Results: results/"
    )
    good = words_of(printed(RECORDS[0], RECORDS[2]))
    assert "2 rows: 1 pass, 1 erratum, 0 FAIL, 0 not checked. Every row was checked" in good


def test_terminal_explains_only_the_words_that_it_used() -> None:
    text = words_of(printed(RECORDS[0]))
    assert "connected the server answered" in text
    assert "timeout" not in text
    assert "erratum the tutorial is wrong" not in text


def test_terminal_uses_plain_letters_where_the_output_is_not_utf8() -> None:
    text = printed(*RECORDS, encoding="ascii")
    assert lines_with(text, "X front/web", "connected")
    assert "-> secure-zone/db:6379" in text


def test_a_run_without_rows_says_that_it_checked_nothing() -> None:
    assert "No row was checked." in printed()
    assert "No row was checked." in html(document())
    assert "No row was checked." in markdown(document())


def test_an_interrupted_run_is_not_called_good() -> None:
    assert "interrupted" in markdown(document(RECORDS[0], interrupted=True))
    assert "Every row was checked" not in html(document(RECORDS[0], interrupted=True))


class Page(HTMLParser):
    """What a browser would make of a page: elements with their attributes, and text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "br", "col"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return words_of(" ".join(self.words))


def test_html_is_well_formed_and_loads_nothing() -> None:
    source = html(document(*RECORDS))
    page = Page(source)
    assert not page.open
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "link", "img", "iframe", "object", "form", "base"}
    for _, attributes in page.elements:
        assert not any(name.startswith("on") or name == "src" for name in attributes)
        assert (attributes.get("href") or "#").startswith("#")
    assert "url(" not in source
    assert "@import" not in source


def test_html_tells_the_whole_run() -> None:
    text = Page(html(document(*RECORDS, deselected=2, partial=True))).text
    for said in (
        "1 row failed and 1 row was not checked.",
        "kubernetes v1.37.2",
        "kernel unknown",
        "nodes one, two",
        "took 1 min 31 s",
        "a part of the tutorials 2 rows were left out",
        "step deny in force: 01-deny",
        "front/web → secure-zone/db:6379 timeout timeout connected",
        "problem expected timeout, observed connected next step kubectl get networkpolicy -A",
        "policies: ingress: db is isolated by 01-deny",
        "without any policy: connected",
        "$ nc -z db 6379 exit code 0, 3 ms",
        "The tutorial says it times out But no Service exists Corrected ask for the address",
        "dns_nxdomain the name does not exist",
    ):
        assert said in text


def test_html_links_lead_somewhere() -> None:
    again = replace(RECORDS[2], phase="dns_discovery")
    page = Page(html(document(*RECORDS, again)))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    links = {attributes["href"] for _, attributes in page.elements if "href" in attributes}
    assert links == {f"#{name}" for name in ids}
    assert len(set(ids)) == len(ids)


def test_html_draws_measured_times() -> None:
    source = html(document(*RECORDS))
    assert "25.0 ms (20.0-40.0, n=3)" in Page(source).text
    assert source.count("<rect") == 1
    assert "<svg" not in html(document(RECORDS[0]))


def test_hostile_output_is_shown_and_never_obeyed() -> None:
    source = html(document(*RECORDS))
    assert "&lt;script&gt;alert(1)&lt;/script&gt; red |_*[x](http://evil)" in source
    hostile = replace(RECORDS[1], problem=HOSTILE, reasons=(HOSTILE,), next_step=HOSTILE)
    summary = markdown(document(hostile))
    assert "&lt;script&gt;alert(1)&lt;/script&gt; red \\|\\_\\*\\[x\\](http://evil)" in summary
    for shown in (html(document(hostile)), summary, printed(hostile)):
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", shown)
        assert "0;title" not in shown


def test_square_brackets_are_not_taken_for_markup() -> None:
    text = printed(replace(RECORDS[1], problem="[bold]read[/] [x"))
    assert "[bold]read[/] [x" in text


def test_markdown_tables_keep_their_columns() -> None:
    hostile = replace(RECORDS[0], row=replace(ROWS[0], why="a | b\n| c"))
    table = lines_with(markdown(document(hostile, *RECORDS[1:])), "| ")
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in table} == {8}
    assert any(r"a \| b \| c |" in line for line in table)


def test_markdown_tells_the_whole_run() -> None:
    text = markdown(document(*RECORDS))
    assert text.startswith("# policylab: 1 row failed and 1 row was not checked.\n")
    for said in (
        "**7 rows: 3 pass, 2 erratum, 1 FAIL, 1 not checked.**",
        "kubernetes v1.37.2, cni calico 3.30.1",
        "## default deny (lab12-zero-trust)",
        "| ✗ FAIL | deny | front/web → secure-zone/db:6379 | timeout | timeout | connected | isol",
        "**! Erratum no-service**\n\n- The tutorial says: it times out\n",
        "- Problem: expected timeout, observed connected\n",
        "- Next step: kubectl get networkpolicy -A\n",
    ):
        assert said in text
    assert text.count("Erratum no-service") == 1


def test_times_are_drawn_to_one_scale() -> None:
    short, long = boxes(
        {
            "spread": {
                "a": {"median": 5, "min": 0, "max": 10, "n": 3, "q1": 2, "q3": 7.5},
                "b": {"median": 10, "min": 5, "max": 20, "n": 3},
            }
        }
    )
    assert (short.left, short.median, short.right) == (0, 105, 210)
    assert (long.left, long.median, long.right) == (105, 210, 420)
    assert [short.box, long.box] == [(42, 115.5), None]


@pytest.mark.parametrize(
    "evidence", [{}, {"spread": "fast"}, {"spread": {"a": 1}}, {"spread": {"a": {"median": 1}}}]
)
def test_evidence_that_is_no_spread_is_not_drawn(evidence: dict[str, Any]) -> None:
    assert boxes(evidence) == []


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("a\x1b[1;31mb\x1b[0m", "ab"),
        ("a\x1b]8;;http://x\x1b\\b\x1b]8;;\x1b\\", "ab"),
        ("a\x1bPq\x1b\\b", "ab"),
        ("one\r\ntwo\tthree\n", "one\ntwo\tthree\n"),
        ("a\rb\x00\x9b\u202e\ud800", "ab"),
        (["\x1b[m", {"k\x07": ("\x08",)}, 3], ["", {"k": [""]}, 3]),
    ],
)
def test_control_characters_are_taken_out(dirty: object, clean: object) -> None:
    assert view.clean(dirty) == clean


@given(st.text())
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert view.clean(view.clean(text)) == view.clean(text)


@given(st.text("ab./ ", max_size=60), st.integers(4, 20))
def test_wrapping_loses_nothing_but_blanks(text: str, width: int) -> None:
    wrapped = view.wrap(text, width)
    assert "".join(wrapped.split()) == "".join(text.split())
    assert all(len(line) <= width or not re.search(r"[ ./].", line) for line in wrapped.split("\n"))


EVERY_KIND = {
    "pod/a-b/c-1:53/udp": "a-b/c-1:53 over UDP",
    "svc/a-b/c-1:80": "Service a-b/c-1:80",
    "nodeport/a-b/c-1:80": "Service a-b/c-1:80 at the address of a node",
    "net/google.com:80": "google.com:80 by address",
    "name/c-1.a-b:80": "c-1.a-b:80 by name",
    "ping/pod/a-b/c-1": "ping a-b/c-1",
    "dns/SRV/x.y/tcp": "ask DNS for SRV x.y over TCP",
    "lookup/x": "look up x",
    "questions/x.": "count the DNS questions for x.",
    "option/ndots": "read the option ndots of resolv.conf",
    "blocked/pod/production-a/db-1:5432": "find the policy that blocks production-a/db-1:5432",
    "rollout/08-broken-port": "roll out 08-broken-port and watch",
    "fact/policies": "measure policies",
    "fact/lookup-time/google.com": "measure lookup-time (google.com)",
}


def test_every_report_shows_every_kind_of_target_in_its_words() -> None:
    targets = {text: parse_target(text, where="here") for text in EVERY_KIND}
    assert {type(target) for target in targets.values()} == set(Target.__args__)
    records = [
        replace(RECORDS[0], row=replace(ROWS[0], id=text, target=target))
        for text, target in targets.items()
    ]
    shown = document(*records)
    reports = {
        "html": Page(html(shown)).text,
        "markdown": words_of(markdown(shown)),
        "terminal": words_of(printed(*records, width=200)),
    }
    for words in EVERY_KIND.values():
        for name, text in reports.items():
            assert f"→ {words}" in text, (name, words)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.003, "3 ms"), (2.04, "2.0 s"), (91.0, "1 min 31 s")]
)
def test_a_duration_reads_as_words(seconds: float, words: str) -> None:
    assert view.duration(seconds) == words
