"""The support of the programs that a cluster consists of: until when, and who says so.

`support.yaml` has the dates as data; `support_of` answers for one program and one version.
"""

from __future__ import annotations

from harness.edge.support.dates import Support, support_of

__all__ = ["Support", "support_of"]
