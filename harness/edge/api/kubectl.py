"""Calls of kubectl, and programs inside of containers."""

from __future__ import annotations

import selectors
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from harness.edge.machine.process import Completed, run, start


class Dialogue(Protocol):
    """A program in a container that reads and writes lines until it is ended."""

    def say(self, line: str) -> None:
        """Write one line to the program.

        Raises:
            OSError: the program has ended.
        """
        ...

    def hear(self, seconds: float) -> str | None:
        """The next line of the program; None if no line came within `seconds`."""
        ...

    def end(self) -> str:
        """End the program; its error output."""
        ...


class Exec(Protocol):
    """Programs inside of containers, run by `kubectl exec`."""

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
        """Run a program to its end in a container of the pod; without a name, in its first one.

        Raises:
            CommandFailed: the program or kubectl failed (unless `check` is false), or was not done
                after `seconds`.
        """
        ...

    def talk(self, namespace: str, pod: str, command: Sequence[str], *, container: str) -> Dialogue:
        """Start a program that reads and writes lines in a container of the pod.

        Raises:
            CommandFailed: kubectl was not started.
        """
        ...


class Kubectl:
    """Programs inside of containers, by kubectl on one cluster."""

    def __init__(self, kubectl: Path, kubeconfig: Path, context: str = "") -> None:
        self._base = kubectl_base(kubectl, kubeconfig, context)

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
        """Run a program to its end in a container of the pod."""
        words = [*self._base, *exec_words(namespace, pod, command, container=container)]
        return run(words, timeout=seconds, check=check)

    def talk(self, namespace: str, pod: str, command: Sequence[str], *, container: str) -> Dialogue:
        """Start a program that reads and writes lines in a container of the pod."""
        words = exec_words(namespace, pod, command, container=container, stdin=True)
        return _Pipes([*self._base, *words])


class _Pipes:
    """A dialogue over the pipes of a child process."""

    def __init__(self, words: Sequence[str]) -> None:
        pipe = subprocess.PIPE
        self._process = start(words, stdin=pipe, stdout=pipe, stderr=pipe, text=True, bufsize=1)
        assert self._process.stdin is not None  # noqa: S101 - opened with a pipe
        assert self._process.stdout is not None  # noqa: S101 - opened with a pipe
        self._stdin, self._stdout = self._process.stdin, self._process.stdout

    def say(self, line: str) -> None:
        """Write one line."""
        self._stdin.write(f"{line}\n")
        self._stdin.flush()

    def hear(self, seconds: float) -> str | None:
        """Wait for the next line."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._stdout, selectors.EVENT_READ)
            if not selector.select(seconds):
                return None
        return str(self._stdout.readline())

    def end(self) -> str:
        """End kubectl; the program ends at the end of its input."""
        self._process.terminate()
        return str(self._process.communicate()[1])


def kubectl_base(kubectl: Path, kubeconfig: Path, context: str = "") -> list[str]:
    """The words that every call to this cluster begins with."""
    base = [str(kubectl), f"--kubeconfig={kubeconfig}"]
    return [*base, f"--context={context}"] if context else base


def exec_words(
    namespace: str, pod: str, command: Sequence[str], *, container: str = "", stdin: bool = False
) -> list[str]:
    """The words that follow `kubectl_base` to run a program in a pod."""
    words = ["exec", *(["-i"] if stdin else []), f"--namespace={namespace}", pod]
    return [*words, *([f"--container={container}"] if container else []), "--", *command]
