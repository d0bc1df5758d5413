"""`policylab images`: build, pull, save and load the images of which clusters are made."""

from __future__ import annotations

import argparse
import sys
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

from harness.commands.machine.cluster import show_facts
from harness.commands.shared.access import access_of
from harness.commands.shared.options import add_patience, add_registry, add_versions, versions_of
from harness.edge.cluster.tools import TOOLS
from harness.edge.images import Official, Source
from harness.edge.images.model import LabArchive
from harness.edge.images.provide import archives, provide
from harness.edge.images.registry.official import ended, listed
from harness.edge.machine.docker import Docker
from harness.errors import ContentError
from harness.exitcode import ExitCode
from harness.progress import Progress


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb and its own verbs."""
    parser = commands.add_parser(
        "images", help="build, pull, save and load the images of which clusters are made"
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    build = verbs.add_parser("build", help="build every image that is not cached")
    add_versions(build, "build", ", and build the images of no other CNI")
    add_patience(build)
    build.set_defaults(
        run=_build,
        after_interrupt="Finished parts are kept. Run the same command again to go on.",
    )
    pull = verbs.add_parser(
        "pull", help="pull the official images from a registry, and make the lab images"
    )
    add_versions(pull, "pull", ", and pull the images of no other CNI")
    add_registry(pull)
    pull.add_argument(
        "--list",
        action="store_true",
        help="pull nothing; print each official name, and the name to pull: what a mirror must "
        "have",
    )
    add_patience(pull)
    pull.set_defaults(run=_pull, after_interrupt="Complete parts are kept. Run it again to go on.")
    save = verbs.add_parser(
        "save", help="write all images to one file, for a classroom without a network"
    )
    save.add_argument("file", type=Path, help="the file to write")
    add_versions(save, "save", ", and save the images of no other CNI")
    save.set_defaults(run=_save, after_interrupt="Run the same command again.")
    _add_archive(verbs)
    load = verbs.add_parser(
        "load",
        help="load the images of a saved file, or put the labs' images on your cluster's nodes",
        description="Verifies the checksums of a saved file, and loads its images into the engine. "
        "With --into, the images of the labs' pods go to every node of your own kind, k3d or "
        "minikube cluster, and stay there. What this machine does not have of them is made.",
    )
    load.add_argument("file", type=Path, nargs="?", help="the file to read")
    load.add_argument(
        "--into", default="", metavar="CONTEXT", help="the kubectl context of your own cluster"
    )
    load.set_defaults(run=_load, after_interrupt="Run the same command again.")


def _add_archive(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = verbs.add_parser(
        "archive",
        help="write the images of single recipes as archives, for the folder of a CNI of your own",
        description="Builds what is missing, and writes NAME.tar for each recipe, as `docker save` "
        "would; of a CNI also NAME-crds.yaml, its custom resource definitions. docs/cni.md says "
        "what such a folder is.",
    )
    parser.add_argument("name", nargs="+", help="a folder of images/, such as flannel or calico")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where to write")
    add_patience(parser)
    parser.set_defaults(
        run=_archive,
        after_interrupt="Finished parts are kept. Run the same command again to go on.",
    )


def _build(arguments: argparse.Namespace, progress: Progress) -> ExitCode:
    docker, official = Docker(patience=arguments.patience), Official(cni=arguments.cni)
    made = provide(Source.BUILD, progress, docker, versions_of(arguments), official)
    show_facts("images", {"node": made.node, **made.refs})
    return ExitCode.OK


def _pull(arguments: argparse.Namespace, progress: Progress) -> ExitCode:
    official = Official(arguments.registry, arguments.cni)
    for told in ended(versions_of(arguments), official, datetime.now(tz=UTC).date()):
        progress.note(told)
    if arguments.list:
        for name, ref in listed(versions_of(arguments), official).items():
            sys.stdout.write(f"{name} {ref}\n")
        return ExitCode.OK
    docker = Docker(patience=arguments.patience)
    made = provide(Source.REGISTRY, progress, docker, versions_of(arguments), official)
    show_facts("images", {"node": made.node, **made.refs})
    return ExitCode.OK


def _save(arguments: argparse.Namespace, progress: Progress) -> ExitCode:
    save, versions = access_of(arguments).save, versions_of(arguments)
    file = save(arguments.file, progress, versions, arguments.cni)
    progress.note(f"the images were saved to {file}")
    return ExitCode.OK


def _archive(arguments: argparse.Namespace, progress: Progress) -> ExitCode:
    docker = Docker(patience=arguments.patience)
    files = archives(arguments.name, arguments.out, progress, docker)
    progress.note(f"written: {', '.join(map(str, files))}")
    return ExitCode.OK


def _load(arguments: argparse.Namespace, progress: Progress) -> ExitCode:
    if arguments.file is None and not arguments.into:
        raise ContentError(
            "there is nothing to load",
            where="policylab images load",
            try_="name a saved file, or --into=CONTEXT for your own cluster, or both",
        )
    access = access_of(arguments)
    loaded = None
    if arguments.file is not None:
        loaded = access.load(arguments.file, progress)
        progress.note(f"the images were loaded; the node image is {loaded.node}")
    if arguments.into:
        ready: AbstractContextManager[LabArchive] = (
            nullcontext(LabArchive.of(loaded)) if loaded else access.labs(progress)
        )
        with ready as archive:
            nodes = access.load_into(arguments.into, archive, progress, TOOLS)
        progress.note(f"the labs' images are on {', '.join(nodes)}")
    return ExitCode.OK
