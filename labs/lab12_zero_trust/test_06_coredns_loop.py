"""Phase 6: a CoreDNS that asks itself.

If the upstream server of a CoreDNS is the address of its own pod, it asks itself every question
again. Its loop plugin sends one odd question at the start, and ends the process when this question
comes back. The lab lets this happen to a CoreDNS of its own. It does not touch the CoreDNS of the
cluster.
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
| coredns-loop/coredns       | fact/last-words | shows [PANIC]     | shows [FATAL]     | [loop-words] the loop plugin |
|                            |                 | loop: loop        | plugin/loop: Loop | has words of its own         |
| coredns-loop/coredns-fixed | fact/ready      | shows ready after |                   | [ours] with another server   |
|                            |                 | 0 restarts        |                   | as its upstream, the same    |
|                            |                 |                   |                   | Corefile runs                |
""",
    source="lab12-zero-trust#6.2",
    errata=[
        Erratum(
            id="loop-words",
            wrong="the log then has the line [PANIC] loop: loop detected",
            why="the plugin ends CoreDNS with a fatal log line of its own, not with a panic. The line names "
            "the zone and the odd question",
            corrected='[FATAL] plugin/loop: Loop (...) detected for zone "."',
        ),
    ],
)


@OUTCOMES.each_row
def test_coredns_loop(row, observed):
    assert observed == row.outcome, row.why
