"""What a run leaves on the cluster: it says so at its end, as the cluster shows it then."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from harness.errors import HarnessError
from harness.listing import few
from harness.progress import Progress

SHOWN = 5


@contextmanager
def told_what_stays(
    standing: Callable[[], Sequence[str]], progress: Progress, *, sweep: str
) -> Iterator[None]:
    """Say at the end which namespaces are still there, and after Ctrl-C also that none is.

    `standing` gives the names of the run's namespaces that are there, and `sweep` is the command
    that removes them. A thread that was interrupted twice may still be at work on them.
    """
    interrupted = False
    try:
        yield
    except KeyboardInterrupt:
        interrupted = True
        raise
    finally:
        try:
            left = standing()
        except HarnessError as error:
            progress.note(f"Whether namespaces of the run are left is not known: {error.what}.")
        else:
            if left:
                progress.note(
                    f"Namespaces of the run are still there: {few(left, SHOWN)}. "
                    f"If they stay, `{sweep}` removes them."
                )
            elif interrupted:
                progress.note("The namespaces of the run were deleted.")
