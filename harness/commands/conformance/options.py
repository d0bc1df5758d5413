"""The options of `policylab conformance`: where it runs, what it runs, and what counts as red."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from harness.commands.conformance.choosing import DEFAULT, Profile
from harness.commands.conformance.doing import FUZZ_JOBS, JOBS
from harness.commands.shared.options import (
    add_lane,
    add_mode,
    add_patience,
    not_negative,
    positive,
    seconds,
)
from harness.core.fuzz.result import LATE_SECONDS

WHO: Mapping[str, str] = {
    "organization": "who makes the CNI, for the report",
    "url": "where the CNI is found, for the report",
    "contact": "whom to ask about the CNI, for the report",
}
"""The options about the CNI's makers, with their meaning."""


def add_cluster(parser: argparse.ArgumentParser) -> None:
    """Add what says where a run is, and whom its report is about."""
    parser.add_argument(
        "--context",
        default="",
        metavar="NAME",
        help="use your own cluster; NAME is its kubectl context",
    )
    parser.add_argument(
        "--cni-name",
        default="",
        metavar="X",
        help="the name of your cluster's CNI, for the report; --cni-version is its version there",
    )
    for option, meaning in WHO.items():
        parser.add_argument(f"--{option}", default="", metavar="TEXT", help=meaning)
    parser.add_argument(
        "--image",
        default="",
        metavar="REF",
        help="the image of all pods of the run: any image that has python3",
    )
    add_lane(parser, "use policylab's cluster")
    add_mode(parser, "--cluster-mode")
    add_patience(parser)


def add_choice(parser: argparse.ArgumentParser) -> None:
    """Add what says which rows a run has."""
    parser.add_argument(
        "--profile",
        action="append",
        choices=[profile.value for profile in Profile],
        help="what is run; the option may be repeated. lifecycle restarts the CNI's agents, which "
        f"everybody on the cluster notices (default: {' and '.join(DEFAULT)})",
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="PATTERN",
        help="only cases whose name fits (`ports/*`), or that have this feature (`end-port`); the "
        "option may be repeated",
    )
    parser.add_argument(
        "--cases", type=Path, metavar="DIR", help="run the cases of this folder instead"
    )
    parser.add_argument(
        "--sample",
        choices=("classes",),
        help="probe a flow for each pair of classes of pods that a case's policies tell apart, and "
        "not every flow; flows of made-up policies are probed all the same",
    )
    parser.add_argument(
        "--fuzz",
        type=not_negative,
        default=0,
        metavar="N",
        help="draw so many policies as well (default: none)",
    )
    parser.add_argument(
        "--seed", type=int, default=1, help="the same seed draws the same policies (default: 1)"
    )
    parser.add_argument(
        "--shard",
        default="",
        metavar="I/N",
        help="run part I of N parts of the cases and of the policies that are drawn, the first is "
        "1; `policylab report merge` puts the reports together",
    )


def add_judging(parser: argparse.ArgumentParser) -> None:
    """Add what says how rows are measured, and which are red."""
    parser.add_argument(
        "--repeat",
        type=positive,
        default=1,
        metavar="N",
        help="run each case so many times, and say how often it passed (default: %(default)s)",
    )
    parser.add_argument(
        "--late",
        type=seconds,
        default=LATE_SECONDS,
        metavar="SECONDS",
        help="a change of policies must be in force within this time; 0 for no limit "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--threshold",
        type=positive,
        metavar="MS",
        help="the most that the 99th percentile of latency may be (default: no limit, unless the "
        "CNI's profile has one)",
    )
    parser.add_argument(
        "--jobs",
        type=positive,
        metavar="J",
        help="sets of pods on the cluster at the same time "
        f"(default: {JOBS} for cases, {FUZZ_JOBS} for policies that are drawn)",
    )
    parser.add_argument(
        "--deviations",
        type=Path,
        metavar="FILE",
        help="cases that the CNI is known not to pass, each with `case`, `reason` and `link`: a "
        "listed case that fails is not red, and one that passes is",
    )
    parser.add_argument(
        "--baseline",
        type=Path,
        metavar="FILE",
        help="an earlier report.yaml: only a change is red",
    )
