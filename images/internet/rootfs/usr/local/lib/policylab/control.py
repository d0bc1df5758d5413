"""Puts a new state of the simulated internet in force; when it ends, it is.

The state comes on stdin, as JSON: `addresses` and `names` (address, ttl, fault, web, delay_ms),
`ttl` for what does not exist, and `six`: the address of IPv6 that stands beside each address. The
name server reads the file at each question. The web server is told to read its settings again, if
they are others.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

HOME = Path("/run/policylab")
SETTINGS = "/etc/policylab/nginx.conf"
PID = Path("/run/nginx.pid")
SECONDS = 10.0
EVERY = 0.01


def sites(state: Mapping[str, Any], own: Iterable[str]) -> str:
    """Return nginx's servers: one for all names, and one for each name that is to be slow.

    A refusal comes from the kernel, to whom the name is not known yet: it is the address that
    nobody listens on. The container's `own` addresses, which no name has, are always served.
    """
    names = state["names"]
    shut = {entry["address"] for entry in names.values() if entry["web"] == "refused"}
    served = sorted(set(state["addresses"].values()) - shut)
    six = state["six"]
    addresses = [*own, *served, *(six[each] for each in served if each in six)]
    found = [_site(addresses, "_", "")]
    for name, entry in sorted(names.items()):
        if entry["web"] == "slow":
            seconds = entry["delay_ms"] / 1000
            slow = f"location / {{ echo_sleep {seconds:.3f}; echo_exec @late; }}\n"
            slow += "    location @late { try_files $uri ${uri}index.html =404; }"
            found.append(_site(addresses, name, slow))
    return "\n".join(found)


def _site(addresses: Iterable[str], name: str, more: str) -> str:
    listens = "".join(
        f"    listen {address}:80;\n    listen {address}:443 ssl http2;\n"
        for address in (f"[{each}]" if ":" in each else each for each in addresses)
    )
    common = "    include /etc/policylab/site.conf;\n"
    return f"server {{\n{listens}    server_name {name};\n{common}    {more}\n}}\n"


def replace(path: Path, data: bytes) -> bool:
    """Put `data` at `path` in one move; say whether that is a change."""
    if path.is_file() and path.read_bytes() == data:
        return False
    fresh = path.with_suffix(".new")
    fresh.write_bytes(data)
    fresh.replace(path)
    return True


def reload_web(master: int) -> None:
    """Let nginx read its settings again, until nobody listens by the old ones any more.

    A worker that was there before and is yet to shut down would still take connections.
    """
    subprocess.run(["nginx", "-t", "-q", "-c", SETTINGS], check=True)
    before = _workers(master)
    os.kill(master, signal.SIGHUP)
    deadline = time.monotonic() + SECONDS
    while not (now := _workers(master)) or now & before:
        if time.monotonic() > deadline:
            sys.exit(f"nginx still works by its old settings after {SECONDS:g} s: {now & before}")
        time.sleep(EVERY)


def _workers(master: int) -> set[int]:
    """Return nginx's workers, but for those that shut down: their title says so."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            title = (process / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended in the meantime
        if parent == master and b"worker process" in title and b"shutting down" not in title:
            found.add(int(process.name))
    return found


def main() -> None:
    """Take the state from stdin."""
    data = sys.stdin.buffer.read()
    host = socket.gethostname()
    own = dict.fromkeys(str(found[4][0]) for found in socket.getaddrinfo(host, None))
    HOME.mkdir(exist_ok=True)
    changed = replace(HOME / "sites.conf", sites(json.loads(data), own).encode())
    if changed and PID.is_file() and (master := PID.read_text().strip()):
        reload_web(int(master))
    replace(HOME / "state.json", data)


if __name__ == "__main__":
    main()
