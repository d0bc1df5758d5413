"""Registries on this machine's loopback: Debian's own, and one that fails as it is told to."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest

from harness.edge.machine.process import end_group, run, start
from harness.edge.machine.wait import NotYet, wait_for
from harness.errors import EnvironmentFault, HarnessError

PACKAGE = "docker-registry"
LAYER_BYTES = 4_000_000


def free_port() -> int:
    """A port of the loopback on which nobody listens."""
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


def program(home: Path) -> Path:
    """Debian's registry, unpacked and not installed; without it, the test is skipped."""
    if found := shutil.which(PACKAGE):
        return Path(found)
    try:
        run(["apt-get", "download", PACKAGE], timeout=60, cwd=home)
        run(["dpkg", "--extract", *home.glob(f"{PACKAGE}_*.deb"), home], timeout=60)
    except HarnessError as error:
        pytest.skip(f"Debian's package {PACKAGE} cannot be had: {error.what} ({error.seen})")
    return home / "usr" / "bin" / PACKAGE


@contextmanager
def registry(home: Path, binary: Path, *, login: bool = False) -> Iterator[str]:
    """The address of a registry that runs, and keeps what it gets in `home`."""
    port = free_port()
    settings = {
        "version": "0.1",
        "storage": {"filesystem": {"rootdirectory": str(home / "data")}},
        "http": {"addr": f"127.0.0.1:{port}"},
        **({"auth": {"htpasswd": {"realm": "x", "path": str(home / "users")}}} if login else {}),
    }
    config = home / "config.json"  # the settings are YAML, and JSON is YAML
    config.write_text(json.dumps(settings), encoding="utf-8")
    with (home / "log").open("wb") as log:
        server = start([binary, "serve", config], stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def ready() -> None:
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", port)):
                raise NotYet((home / "log").read_text(errors="replace")[-300:])

    try:
        wait_for("the registry answers", ready, seconds=20, fault=EnvironmentFault)
        yield f"127.0.0.1:{port}"
    finally:
        end_group(server, 5)


class Failing(ThreadingHTTPServer):
    """A registry with one image that fails: `fault` is `silent`, `stall`, `die` or `other`.

    It says nothing at all; or it stops in the middle of the layer; or it goes away there; or it has
    another content under the digest that it is asked for.
    """

    daemon_threads = True

    def __init__(self, fault: str) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.fault = fault
        self.over = Event()
        self.layer = os.urandom(LAYER_BYTES)
        self.config = json.dumps(
            {
                "architecture": "amd64",
                "os": "linux",
                "rootfs": {"type": "layers", "diff_ids": [digest(self.layer)]},
            }
        ).encode()
        kinds = "application/vnd.docker."
        self.manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": f"{kinds}distribution.manifest.v2+json",
                "config": {
                    "mediaType": f"{kinds}container.image.v1+json",
                    "size": len(self.config),
                    "digest": digest(self.config),
                },
                "layers": [
                    {
                        "mediaType": f"{kinds}image.rootfs.diff.tar.gzip",
                        "size": LAYER_BYTES,
                        "digest": digest(self.layer),
                    }
                ],
            }
        ).encode()

    @property
    def host(self) -> str:
        """Its address."""
        return f"127.0.0.1:{self.server_address[1]}"


class _Answers(BaseHTTPRequestHandler):
    server: Failing
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        mine = self.server
        if mine.fault == "silent":
            mine.over.wait(60)
            return
        if "/manifests/" in self.path:
            self._send(mine.manifest)
        elif self.path.endswith(digest(mine.config)):
            self._send(mine.config)
        elif self.path.endswith(digest(mine.layer)):
            self._send(mine.layer, half=True)
            if mine.fault == "stall":
                mine.over.wait(60)
            else:
                Thread(target=mine.shutdown).start()
                mine.socket.close()
            self.close_connection = True
        else:
            self._send(b"{}")

    def _send(self, body: bytes, *, half: bool = False) -> None:
        self.send_response(200)
        self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
        self.send_header("Content-Length", str(len(body)))
        if "/manifests/" in self.path:
            self.send_header("Content-Type", json.loads(body)["mediaType"])
            self.send_header("Docker-Content-Digest", digest(body))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body[: len(body) // 2] if half else body)
            self.wfile.flush()


@contextmanager
def failing(fault: str) -> Iterator[Failing]:
    """A registry that fails."""
    made = Failing(fault)
    serving = Thread(target=made.serve_forever, daemon=True)
    serving.start()
    try:
        yield made
    finally:
        made.over.set()
        made.shutdown()
        made.server_close()


def digest(content: bytes) -> str:
    """The digest of a content, as a registry names it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
