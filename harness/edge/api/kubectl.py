"""How kubectl is called: which binary, on which cluster."""

from __future__ import annotations

from pathlib import Path


def kubectl_base(kubectl: Path, kubeconfig: Path, context: str = "") -> list[str]:
    """The words that every call to this cluster begins with."""
    base = [str(kubectl), f"--kubeconfig={kubeconfig}"]
    return [*base, f"--context={context}"] if context else base
