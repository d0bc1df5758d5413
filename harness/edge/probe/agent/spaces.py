"""The network namespaces of pods: an agent of a node opens its sockets in them.

A socket belongs to the namespace in which it was made, for good, so that one event loop serves the
sockets of all pods. An agent inside of a pod has that pod's namespace only, and never changes it.
"""

import errno
import os

HOME = ""  # the agent's own namespace
CLONE_NEWNET = 0x40000000  # sched.h


class Spaces:
    """The namespaces that this agent may enter, by pod; `proc` shows the node's processes."""

    def __init__(self, proc: str = "/proc") -> None:
        self.proc = proc
        self.files: dict[str, int] = {}
        self.here = HOME

    def enter(self, wanted: dict[str, str]) -> dict[str, dict[str, str]]:
        """Open the namespaces of these pods, each found by the id of one of its containers.

        Returns the text of each pod's resolv.conf, or an error.
        """
        if HOME not in self.files:
            self.files[HOME] = os.open(f"{self.proc}/self/ns/net", os.O_RDONLY)
        found = self.processes(set(wanted.values()))
        told = {}
        for pod, container in wanted.items():
            process = found.get(container)
            if process is None:
                told[pod] = {"error": "no process of its container is on this node"}
                continue
            try:
                opened = os.open(f"{self.proc}/{process}/ns/net", os.O_RDONLY)
                told[pod] = {"resolv_conf": self.resolv_conf(process)}
            except OSError as error:
                told[pod] = {"error": f"{errno.errorcode.get(error.errno or 0)} for its namespace"}
                continue
            if pod in self.files:
                os.close(self.files[pod])
            self.files[pod] = opened
        return told

    def leave(self, pods: "list[str]") -> None:
        """Let go of the namespaces of these pods: an open one stays in the kernel's memory."""
        if HOME in self.files:
            self.go(HOME)
        for pod in pods:
            if pod in self.files:
                os.close(self.files.pop(pod))

    def processes(self, containers: "set[str]") -> dict[str, str]:
        """One process of each of these containers, by the paths of its control groups."""
        found: dict[str, str] = {}
        for process in filter(str.isdigit, os.listdir(self.proc)):  # noqa: PTH208 - as elsewhere here
            try:
                with open(f"{self.proc}/{process}/cgroup", encoding="utf-8") as file:  # noqa: PTH123
                    text = file.read()
            except OSError:  # it ended meanwhile
                continue
            for container in containers:
                if container in text:
                    found.setdefault(container, process)
        return found

    def resolv_conf(self, process: str) -> str:
        """The resolver configuration that a process sees."""
        with open(f"{self.proc}/{process}/root/etc/resolv.conf", encoding="utf-8") as file:  # noqa: PTH123
            return file.read()

    def go(self, pod: str) -> None:
        """Let the next socket be one of this pod; OSError if the pod was not entered."""
        if pod == self.here:
            return
        if pod not in self.files:
            raise OSError(errno.ESRCH, "the pod was not entered")
        # Python has os.setns from 3.12 on; the toolbox's is older.
        import ctypes  # here: it would cost an agent inside of a pod 10 ms for nothing

        if ctypes.CDLL(None, use_errno=True).setns(self.files[pod], CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "the namespace cannot be entered")
        self.here = pod
