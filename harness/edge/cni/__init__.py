"""The CNIs: one value (`Cni`) and one folder each, and the list of those that are known.

A folder `NAME/` has everything that policylab knows of the CNI of that name: the manifests that
install it, its profile, and the code that reads its counters and asks whether a policy is in force.
The images are built from `images/NAME`, which says so in its `[cni]` table. Nobody outside of this
package asks which CNI it is: callers take what its value offers, or find None.
"""

from __future__ import annotations

from harness.edge.cni.value import API_PORT, POD_CIDR, Cni, Realised

__all__ = ["API_PORT", "POD_CIDR", "Cni", "Realised"]
