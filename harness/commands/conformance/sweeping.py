"""`--sweep`: the namespaces that runs left on a cluster are removed."""

from __future__ import annotations

import argparse
import re

from harness.commands.shared.access import Access
from harness.commands.shared.options import lane_of
from harness.edge.cluster.opening import Cluster, ClusterSpec
from harness.edge.cluster.tools import tools_with
from harness.edge.conformance.others import LETTERS, sweep
from harness.exitcode import ExitCode
from harness.progress import Progress


def run_name(text: str) -> str:
    """The letters of a run, from the command line.

    Raises:
        ArgumentTypeError: they are none.
    """
    if not re.fullmatch(LETTERS, text):
        what = (
            f"a run has four letters in the names of its namespaces, such as 3fa9, and not {text}"
        )
        raise argparse.ArgumentTypeError(what)
    return text


def swept(
    arguments: argparse.Namespace, spec: ClusterSpec, access: Access, progress: Progress
) -> ExitCode:
    """Remove the namespaces of all runs, or of one, and say which; no cluster is made for it.

    Raises:
        ClusterNotReady: there is no such cluster, or a namespace does not go.
    """
    cluster = _there(arguments, spec, access, progress)
    run = "" if arguments.sweep is True else arguments.sweep
    gone = sweep(access.doors(cluster).kube(), run)
    progress.note(f"removed: {', '.join(gone) or 'nothing was left'}")
    return ExitCode.OK


def _there(
    arguments: argparse.Namespace, spec: ClusterSpec, access: Access, progress: Progress
) -> Cluster:
    if not arguments.context:
        return access.running(ClusterSpec(lane_of(arguments)).cluster)
    return access.open(spec, progress, tools_with(arguments.patience))
