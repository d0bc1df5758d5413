"""The options that name manifests, and the scenario that the named manifests make."""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.core.manifests.library import in_force
from harness.core.predict.scenario import Scenario
from harness.edge.files.library import read


def add_manifests(parser: argparse.ArgumentParser) -> None:
    """Add `--manifests`, `--namespace` and `--apply`."""
    parser.add_argument(
        "--manifests",
        type=Path,
        metavar="DIR",
        help="a folder (policylab reads its .yaml, .yml and .json files), a file, or - for stdin",
    )
    parser.add_argument(
        "-n",
        "--namespace",
        default="",
        help="the namespace of objects that name no namespace (default: the kustomization's, the "
        "only "
        "namespace that is declared, else `default`)",
    )
    parser.add_argument(
        "--apply",
        default="",
        metavar="NAMES",
        help="the files that are in force, without their suffix, separated by commas (default: all "
        "files of DIR)",
    )


def scenario_of(manifests: Path, arguments: argparse.Namespace) -> Scenario:
    """Read the manifests, and apply the files that `--apply` names.

    Raises:
        ContentError: there is no such folder or file, or it has no manifest.
        ManifestError: a file cannot be read; the message has every fault of all files.
    """
    library = read(manifests, namespace=arguments.namespace)
    names = [name.strip() for name in arguments.apply.split(",") if name.strip()]
    resources = in_force(library, names or list(library), where=str(manifests))
    return Scenario(resources, files=library)
