"""Which addresses Cilium knows from the answers to lookups: they outlive the pod that asked."""

from __future__ import annotations

import re

from harness.edge.cni.cilium.agents import CiliumAgents

_KNOWN = (("cilium-dbg", "bpf", "ipcache", "list"), ("cilium-dbg", "fqdn", "cache", "list"))
"""What prints the addresses that an agent has an identity for, and those that names led to."""
_FORGET = ("cilium-dbg", "fqdn", "cache", "clean", "--force")


class Memory:
    """What all agents of a cluster remember."""

    def __init__(self, agents: CiliumAgents) -> None:
        self._agents = agents

    def known(self) -> frozenset[str]:
        """Every address that an agent knows.

        Raises:
            ProbeError: an agent does not answer.
        """
        running = self._agents.by_node().values()
        said = "\n".join(self._agents.ask(agent, words) for agent in running for words in _KNOWN)
        return frozenset(re.sub(r"/(32|128)$", "", word) for word in re.split(r"[\s,]+", said))

    def forget(self, name: str) -> None:
        """Tell the agents to forget what a name led to, which they do in their own time.

        Raises:
            ProbeError: an agent does not answer.
        """
        for agent in self._agents.by_node().values():
            self._agents.ask(agent, (*_FORGET, f"--matchpattern={name}"))
