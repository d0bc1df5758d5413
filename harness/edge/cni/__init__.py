"""The CNIs: one value (`Cni`) and one folder each, and the list of those that are known.

A folder `NAME/` has everything that policylab knows about the CNI NAME: the manifests that install
it, its profile, and the code that reads its counters and asks whether a policy is in force. Its
images are built from `images/NAME`; the `[cni]` table there lists them. Code outside of this
package never compares a CNI's name: it uses the functions of the CNI's value, or finds None.
"""

from __future__ import annotations

from harness.edge.cni.value import API_PORT, POD_CIDRS, Cni, Dataplane, Realised

__all__ = ["API_PORT", "POD_CIDRS", "Cni", "Dataplane", "Realised"]
