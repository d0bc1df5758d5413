from __future__ import annotations

import pytest

from harness.core.lab.replay import agrees, remote_exit_code
from harness.core.outcome import Outcome, Reading


def test_exit_code_of_the_command_is_the_one_that_kubectl_names() -> None:
    assert remote_exit_code(28, "curl: (28) timeout\ncommand terminated with exit code 28\n") == 28
    assert remote_exit_code(0, "") == 0


@pytest.mark.parametrize(
    "stderr",
    [
        "error: unable to upgrade connection: container not found",
        'exec: "curl": executable file not found in $PATH\ncommand terminated with exit code 127',
        "stat curl: no such file or directory\ncommand terminated with exit code 126",
        "",
    ],
)
def test_command_that_never_ran_has_no_exit_code(stderr: str) -> None:
    assert remote_exit_code(1, stderr) is None


@pytest.mark.parametrize(
    ("command", "code", "outcome", "fits"),
    [
        ("curl x", 0, Outcome.CONNECTED, True),
        ("curl x", 52, Outcome.CONNECTED, True),  # connected, but no HTTP at the other end
        ("curl x", 28, Outcome.CONNECTED, False),
        ("curl x", 28, Outcome.TIMEOUT, True),
        ("curl x", 6, Outcome.TIMEOUT, False),
        ("curl x", 6, Outcome.DNS_NXDOMAIN, True),
        ("curl x", 28, Outcome.DNS_TIMEOUT, True),
        ("curl x", 7, Outcome.REFUSED, True),
        ("dig x", 0, Outcome.DNS_NXDOMAIN, True),
        ("dig x", 9, Outcome.DNS_TIMEOUT, True),
        ("dig x", 0, Outcome.DNS_TIMEOUT, False),
        ("nslookup x", 1, Outcome.DNS_NXDOMAIN, True),
        ("nslookup x", 0, Outcome.RESOLVED, True),
        ("cat x", 0, Outcome.SHOWS, True),
        ("cat x", 1, Outcome.SHOWS, False),
    ],
)
def test_command_and_prober_must_tell_one_story(
    command: str, code: int, outcome: Outcome, fits: bool
) -> None:
    assert agrees(command.split(), code, Reading(outcome)) is fits
