"""The prober's half that runs inside a pod, under plain python3 and nothing else.

`main` reads one JSON line per request from stdin and answers one JSON line. It never judges: it
reports what each socket saw. The other half (`harness.edge.probe.prober`) sends the text of
`MODULES` to the pod, so both are always of one version; this file stays at home.

Round:  {"round": 1, "deadline": 1.2, "items": [ITEM, ...]}
ITEM:   {"id": "a", "proto": "tcp|udp|sctp|icmp", "addr": "10.0.0.1" or "fd00::1", "port": 80,
         "offsets": [0, 0.15, 0.4], "payload": BASE64 or null, "want": "bytes|dns|none",
         "first": true if the first answer ends all attempts, "every": true if none does}
Answer: {"round": 1, "lag_ms": 0.4, "missed": 0, "items": {"a": [ATTEMPT, ...]}}
        `missed` is the number of attempts that were due, and that the deadline came before
ATTEMPT: {"phase": "connected|answered|timeout|refused|reset|error", "error": "EMFILE", "ms": 1.5,
          "at": MS SINCE THE ROUND BEGAN, "port": OUR END'S, "data": BASE64}
Timing: {"round": 2, "time": ["google.com"], "repeat": 20} -> {"round": 2, "ms": {NAME: [..]}}
Listen: {"round": 3, "listen": [{"proto": "udp", "port": 8053, "answers": true, "six": false}],
         "name": "ns/pod"}; with "six" it listens on the addresses of both families
        -> {"round": 3, "listening": {"udp/8053": "" or "EADDRINUSE"}}; replaces what was before.
        SCTP that the kernel does not have is EPROTONOSUPPORT, in a listener and in an attempt
Heard:  {"round": 4, "heard": true} -> {"round": 4, "heard": {POD: {NONCE: MS LATE}}}; each is told
        once; POD is empty for the agent's own pod
Enter:  {"round": 5, "enter": {POD: CONTAINER ID}} -> {"round": 5, "entered":
        {POD: {"resolv_conf": TEXT} or {"error": TEXT}}}: an agent of a node enters the network
        namespaces of its pods; items and listeners then may have a "pod", and the key of
        such a listener is "POD udp/8053"
Leave:  {"round": 6, "leave": [POD, ...]} -> {"round": 6, "left": [POD, ...]}: their listeners are
        closed, and their namespaces are let go, for these pods are about to end

A listener answers a line `policylab NONCE` with its name and the nonce
(`harness.core.probe.greeting`), between rounds and during them: one event loop serves all.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

MODULES = (
    "harness.core.probe.greeting",
    *(f"{__name__}.{name}" for name in ("spaces", "attempt", "rounds", "listeners", "main")),
)
"""The agent's modules, in the order in which they need each other."""

_BOOT = """
import json, sys, types
for name, text in json.loads(sys.argv[1]):
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(text, name, "exec"), module.__dict__)
module.main()
"""


@cache
def command() -> tuple[str, ...]:
    """The words that start the agent where there is nothing but python3."""
    texts = [(name, _text(*name.rpartition(".")[::2])) for name in MODULES]
    # Neither site-packages nor the environment matter, and each costs time to look at.
    return ("python3", "-ISu", "-c", _BOOT, json.dumps(texts))


def _text(package: str, name: str) -> str:
    return files(package).joinpath(f"{name}.py").read_text(encoding="utf-8")
