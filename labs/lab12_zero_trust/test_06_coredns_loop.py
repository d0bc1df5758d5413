"""Phase 6: a CoreDNS that asks itself.

A CoreDNS whose upstream is the pod's own address asks itself every question again. Its loop plugin
sends one odd question at the start and ends the process when that comes back. We let it happen to a
CoreDNS of our own; the cluster's is not touched.
"""

from harness.core.lab.documented import Row
from harness.core.outcome import Reading
from harness.lab import Erratum, documented

WORDS = Erratum(
    id="loop-words",
    wrong="the log then reads [PANIC] loop: loop detected",
    why="the plugin ends CoreDNS by a fatal log line of its own, not by a panic, and names the zone and the odd question",
    corrected='[FATAL] plugin/loop: Loop (...) detected for zone "."',
)

OUTCOMES = documented(
    """
| step  | apply                            | from                 | to              | outcome                              | actual                           | erratum    | cite | why |
|-------|----------------------------------|----------------------|-----------------|--------------------------------------|----------------------------------|------------|------|-----|
| loop | 01-workloads, 06-coredns-loop, 06-coredns-fixed | coredns-loop/coredns | fact/crash      | shows exit code 1                    |                                  |            | 6.2  | its resolv.conf points to 127.0.0.1, where it listens itself |
| loop | 01-workloads, 06-coredns-loop, 06-coredns-fixed | coredns-loop/coredns | fact/last-words | shows [PANIC] loop: loop             | shows [FATAL] plugin/loop: Loop  | loop-words | 6.2  | the line that the text tells to look for |
| loop | 01-workloads, 06-coredns-loop, 06-coredns-fixed | coredns-loop/coredns-fixed | fact/ready      | shows ready after 0 restarts         |                                  |            | ours | with an upstream that is not itself, the same Corefile runs |
""",
    source="lab12-zero-trust#6.2",
    errata=[WORDS],
)


@OUTCOMES.each_row
def test_coredns_loop(row: Row, observed: Reading) -> None:
    assert observed == row.outcome, row.why
