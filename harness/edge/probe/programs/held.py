"""A connection that stays open while policies change: does it live on?"""

from __future__ import annotations

import json
from types import TracebackType
from typing import Self

from harness.core.probe.container import CONTAINER
from harness.edge.api.kubectl import Exec
from harness.edge.api.livenames import LivePod
from harness.errors import ProbeError

HEAD = "HEAD / HTTP/1.1\r\nHost: held\r\n\r\n"
"""What a web server answers, and then goes on listening."""

# Reads a line, asks once over the connection, writes what came: so the harness sets the pace.
_SCRIPT = """
import json, socket, sys
request, host, port = sys.argv[1].encode(), sys.argv[2], int(sys.argv[3])
sock = socket.create_connection((host, port), timeout=2)
print(json.dumps("open"), flush=True)
for _ in sys.stdin:
    try:
        sock.sendall(request)
        print(json.dumps("answered" if sock.recv(4096) else "closed"), flush=True)
    except OSError as error:
        print(json.dumps(type(error).__name__), flush=True)
"""


class Held:
    """One TCP connection from a pod's prober, kept open until the end of the `with`.

    `request` is what the server is asked each time; `seconds` is how long each answer may take. The
    script inside gives up on a silent server after 2 s.
    """

    def __init__(
        self,
        kubectl: Exec,
        pod: LivePod,
        address: str,
        port: int,
        seconds: float,
        *,
        request: str = HEAD,
    ) -> None:
        self._seconds = seconds
        self._where = f"{pod} -> {address}:{port}"
        command = ["python3", "-u", "-c", _SCRIPT, request, address, str(port)]
        self._dialogue = kubectl.talk(pod.namespace, pod.name, command, container=CONTAINER)

    def __enter__(self) -> Self:
        if (said := self._line()) != "open":
            raise ProbeError("the connection could not be opened", where=self._where, seen=said)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._dialogue.end()

    def ask(self) -> str:
        """Ask the server once: `answered`, `closed`, or the name of the socket's error.

        Raises:
            ProbeError: the pod's side is gone, so its silence means nothing.
        """
        try:
            self._dialogue.say("")
        except OSError as error:
            raise self._broken(str(error)) from error
        return self._line()

    def _line(self) -> str:
        line = self._dialogue.hear(self._seconds)
        if line is None:
            raise self._broken(f"no line within {self._seconds:g} s")
        try:
            return str(json.loads(line))
        except ValueError:
            raise self._broken(line) from None

    def _broken(self, seen: str) -> ProbeError:
        said = self._dialogue.end()
        return ProbeError(
            "the held connection's own tool broke",
            where=self._where,
            seen=f"{seen} {said.strip()[-400:]}".strip(),
        )
