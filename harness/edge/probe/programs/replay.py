"""The tutorial's own commands, run in the pod that it names; the transcript is evidence."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from harness.core.lab.replay import remote_exit_code
from harness.core.observation import Transcript
from harness.core.target import PodRef
from harness.edge.api.kubectl import Exec, exec_words
from harness.edge.api.livenames import LiveNames
from harness.edge.machine.patience import PATIENCE, Patience
from harness.edge.machine.process import CommandFailed
from harness.edge.probe.programs.held import HEAD, Held
from harness.errors import ProbeError


class Replayer:
    """Runs commands by `kubectl exec`, as a student would, in pods of these live names."""

    def __init__(self, kubectl: Exec, names: LiveNames, patience: Patience = PATIENCE) -> None:
        self._patience = patience
        self.kubectl = kubectl
        self._names = names

    def hold(self, pod: PodRef, address: str, port: int, *, request: str = HEAD) -> Held:
        """A connection from the pod's prober that stays open; a context manager.

        `request` is what its server answers.
        """
        live, seconds = self._names.live(pod), self._patience.held_answer
        return Held(self.kubectl, live, address, port, seconds, request=request)

    def run(self, pod: PodRef, command: Sequence[str]) -> Transcript:
        """Run the command and keep what it said.

        Raises:
            ProbeError: the command did not run (no such program, no such pod, no answer from the
                kubelet), so its silence means nothing.
        """
        name = self._names.of(pod)
        typed = exec_words(pod.namespace, name, command)
        try:
            done = self.kubectl.run(
                pod.namespace, name, command, seconds=self._patience.command, check=False
            )
        except CommandFailed as error:
            raise ProbeError(
                f"`{shlex.join(command)}` did not end", where=f"in {pod}", seen=error.seen
            ) from error
        code = remote_exit_code(done.returncode, done.stderr)
        if code is None:
            raise ProbeError(
                f"`{shlex.join(command)}` did not run",
                where=f"in {pod}",
                seen=done.stderr.strip()[-600:],
                try_=f"is {command[0]} in the image? kubectl {shlex.join(typed)}",
            )
        said = done.stdout + done.stderr
        return Transcript(f"kubectl {shlex.join(typed)}", said, code, round(done.seconds, 3))
