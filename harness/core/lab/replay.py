"""Whether a tutorial's own command shows the same result as the probe.

Two instruments check every documented command: the tool itself, by its exit code, and the prober.
If they disagree, there is no verdict.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.core.outcome import Outcome, Reading

_TERMINATED = re.compile(r"command terminated with exit code (\d+)")
_CURL: dict[Outcome, frozenset[int]] = {
    # The numbers are from curl's manual, section EXIT CODES.
    Outcome.DNS_NXDOMAIN: frozenset({6}),
    Outcome.DNS_TIMEOUT: frozenset({6, 28}),
    Outcome.DNS_REFUSED: frozenset({6}),
    Outcome.DNS_SERVFAIL: frozenset({6}),
    Outcome.TIMEOUT: frozenset({28}),
    Outcome.REFUSED: frozenset({7}),
}
_NOT_CONNECTED = frozenset({5, 6, 7, 28})


def remote_exit_code(returncode: int, stderr: str) -> int | None:
    """The exit code of the command in the pod, or None if it never ran.

    kubectl ends with exit code 1 for its own failures as well. A failure therefore counts as the
    command's failure only if kubectl says that the command ended with this code.
    """
    if returncode == 0:
        return 0
    found = _TERMINATED.search(stderr)
    if (
        found is None
        or "executable file not found" in stderr
        or "no such file or directory" in stderr
    ):
        return None
    return int(found[1])


def agrees(command: Sequence[str], exit_code: int, reading: Reading) -> bool:
    """Whether the command's exit code fits the prober's reading; True for tools without a rule."""
    match command[0]:
        case "curl" if reading.outcome is Outcome.CONNECTED:
            return exit_code not in _NOT_CONNECTED
        case "curl":
            return exit_code in _CURL.get(reading.outcome, frozenset())
        case "dig":
            return exit_code == (9 if reading.outcome is Outcome.DNS_TIMEOUT else 0)
        case "nslookup":
            return (exit_code == 0) == (reading.outcome in (Outcome.RESOLVED, Outcome.SHOWS))
        case "cat":
            return exit_code == 0
    return True
