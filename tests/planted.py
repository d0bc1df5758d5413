"""What finds a planted fault: the cases of the fuzz, on a cluster in memory.

`python -m tests.planted --runs 10` plants every fault in ten runs of different seeds, and runs the
same cases on an honest cluster: every fault must be found, and none where there is none.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from itertools import groupby

from harness.core.fuzz.cases import draw_cases
from harness.core.fuzz.result import Judged
from harness.edge.cni.known import PROFILES
from harness.edge.fuzz import World
from tests.fakes.cluster import FakeCluster
from tests.fakes.faults import FAULTS, Fault, PlantedDoors

POLICIES = 200
"""The policies of a run, as `policylab fuzz` has them by default."""

HONEST = Fault("has no fault")


def shows(judged: Judged) -> bool:
    """Whether a case shows that something is wrong."""
    return bool(judged.disagreed) or judged.is_late()


def find(
    fault: Fault, seed: int, *, policies: int = POLICIES, look: Callable[[Judged], object] = shows
) -> tuple[int, Judged] | None:
    """The first case that shows the fault, and its number from 1 on; None if all cases agree."""
    cluster = FakeCluster("calico", fault.lie)
    doors = PlantedDoors(cluster, fault)
    number = 0
    drawn = draw_cases(seed, policies, PROFILES["calico"])
    for _, cases in groupby(drawn, key=lambda case: case.world):
        fence = lambda: cluster.clock.take(1.0)  # noqa: E731 - as the gate's canary takes its time
        with World(cluster.value(), doors, fence=fence) as world:
            for case in cases:
                number += 1
                judged = world.run(case)
                if look(judged):
                    return number, judged
    return None


def main() -> int:
    """Plant all faults; 1 if one is not found, or something is found where nothing is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.planted", description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    seeds = range(1, parser.parse_args().runs + 1)
    wrong = 0
    for fault in (HONEST, *FAULTS):
        began = time.monotonic()
        found = [find(fault, seed) for seed in seeds]
        missed = sum((one is None) is (fault is not HONEST) for one in found)
        wrong += missed
        cases = ", ".join(str(one[0]) if one else "-" for one in found)
        seconds = time.monotonic() - began
        print(f"{'WRONG ' if missed else ''}{fault}: found by case {cases}; {seconds:.0f} s")  # noqa: T201
        sys.stdout.flush()
    print(f"{len(FAULTS)} faults, {len(seeds)} runs each: {wrong} wrong")  # noqa: T201 - the output
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
