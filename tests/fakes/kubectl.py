"""Programs in containers that answer from a script; nothing is started."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from harness.edge.api.kubectl import Dialogue
from harness.edge.machine.process import CommandFailed, Completed


@dataclass(frozen=True, slots=True)
class Said:
    """What a program says, and with which exit code it ends."""

    stdout: str = ""
    stderr: str = ""
    code: int = 0


@dataclass(slots=True)
class FakeExec:
    """Every program is a function of (namespace, pod, command); `ran` has each call."""

    answer: Callable[[str, str, tuple[str, ...]], Said]
    ran: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)

    def run(
        self,
        namespace: str,
        pod: str,
        command: Sequence[str],
        *,
        seconds: float,
        container: str = "",
        check: bool = True,
    ) -> Completed:
        call = (namespace, pod, tuple(command))
        self.ran.append(call)
        said = self.answer(*call)
        done = Completed(call[2], said.code, said.stdout, said.stderr, 0.0)
        if check and said.code:
            raise CommandFailed(f"{command[0]} failed with exit code {said.code}", done)
        return done

    def talk(self, namespace: str, pod: str, command: Sequence[str], *, container: str) -> Dialogue:
        raise AssertionError(f"nobody talks with {command[0]} here")
