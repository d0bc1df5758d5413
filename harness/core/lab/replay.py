"""Whether a tutorial's own command tells the same story as our probe.

Two instruments look at every documented command: the tool itself, by its exit code, and the prober.
Where they disagree there is no verdict.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.core.outcome import Outcome, Reading

_TERMINATED = re.compile(r"command terminated with exit code (\d+)")
_CURL: dict[Outcome, frozenset[int]] = {
    # The numbers are curl's own (its manual, EXIT CODES).
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

    kubectl gives its own failures exit code 1 as well, so a failure counts as the command's only
    where kubectl says that the command was the one that ended with it.
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
    """Whether the command's exit code fits what the prober saw; True for tools without a rule."""
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
