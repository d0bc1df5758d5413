"""Phase 6: a CoreDNS that asks itself.

A CoreDNS whose upstream is the pod's own address asks itself every question again. Its loop plugin
sends one odd question at the start and ends the process when that comes back. We let it happen to a
CoreDNS of our own; the cluster's is not touched.
"""

from harness.lab import Erratum, documented

OUTCOMES = documented(
    """
step loop: 01-workloads, 06-coredns-loop, 06-coredns-fixed

| from                       | to              | tutorial says     | really            | why                          |
|----------------------------|-----------------|-------------------|-------------------|------------------------------|
| coredns-loop/coredns       | fact/crash      | shows exit code 1 |                   | its resolv.conf points to    |
|                            |                 |                   |                   | 127.0.0.1, where it listens  |
|                            |                 |                   |                   | itself                       |
| coredns-loop/coredns       | fact/last-words | shows [PANIC]     | shows [FATAL]     | [loop-words] the line that   |
|                            |                 | loop: loop        | plugin/loop: Loop | the text tells to look for   |
| coredns-loop/coredns-fixed | fact/ready      | shows ready after |                   | [ours] with an upstream that |
|                            |                 | 0 restarts        |                   | is not itself, the same      |
|                            |                 |                   |                   | Corefile runs                |
""",
    source="lab12-zero-trust#6.2",
    errata=[
        Erratum(
            id="loop-words",
            wrong="the log then reads [PANIC] loop: loop detected",
            why="the plugin ends CoreDNS by a fatal log line of its own, not by a panic, and names the zone "
            "and the odd question",
            corrected='[FATAL] plugin/loop: Loop (...) detected for zone "."',
        ),
    ],
)


@OUTCOMES.each_row
def test_coredns_loop(row, observed):
    assert observed == row.outcome, row.why
