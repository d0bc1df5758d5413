"""The meaning of the words of a table and of each kind of target, for the reader of a table.

`labs/WORDS.md` and `policylab explain` show these sentences, `harness.core.outcome.MEANING`, the
lines of `CniProfile` and `harness.core.target.FACTS` (`harness.report.words`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of target.

    Attributes:
        example: a target of this kind, as a table writes it.
        does: what the pod does, in one sentence.
        teaches: what this kind shows and other kinds do not, in one sentence.
    """

    example: str
    does: str
    teaches: str


KINDS: Mapping[str, Kind] = {
    "pod": Kind(
        "pod/secure-zone/secure-db:6379",
        "The pod connects to the other pod's own address.",
        "Only policies can be in the way: no name, no Service.",
    ),
    "svc": Kind(
        "svc/prod-nginx/my-nginx-clusterip:80",
        "The pod connects to the address of a Service (its cluster IP).",
        "Policies look at the pod that the Service chooses, not at the Service.",
    ),
    "nodeport": Kind(
        "nodeport/prod-nginx/my-nginx:80",
        "The pod connects to the port of a node that stands for this port of a Service (type "
        "NodePort); the node is that of a pod behind the Service.",
        "A node may put its own address in place of the pod's, and the API leaves open which one "
        "policies see.",
    ),
    "net": Kind(
        "net/google.com:80",
        "The pod connects to a server outside of the cluster, whose address it knows.",
        "The way out may be open where DNS is closed.",
    ),
    "name": Kind(
        "name/google.com:80",
        "The pod asks DNS for the name and then connects, as a program does with a URL.",
        "`dns_timeout` means that the question failed, `timeout` that the connection did.",
    ),
    "ping": Kind(
        "ping/net/google.com",
        "The pod sends one ICMP echo to a server outside, or to a pod (`ping/pod/...`).",
        "The API says nothing about ICMP: the CNI decides.",
    ),
    "dns": Kind(
        "dns/SRV/_http._tcp.payment-api.secure-zone.svc.cluster.local",
        "The pod asks one question, as `dig` does: the name is taken as it is written.",
        "One record of one name, over UDP or (`/tcp`) over TCP, without the search list.",
    ),
    "lookup": Kind(
        "lookup/my-nginx-clusterip",
        "The pod looks up an address, as every program does: through its search list.",
        "A short name becomes the name of a Service in the pod's own namespace.",
    ),
    "questions": Kind(
        "questions/google.com.",
        "The name server's log is read while the pod looks up the name.",
        "One lookup costs several questions; a dot at the end of the name saves them.",
    ),
    "option": Kind(
        "option/ndots",
        "The pod's `/etc/resolv.conf` is read.",
        "The option decides how names are looked up.",
    ),
    "blocked": Kind(
        "blocked/pod/develop/backend:8080",
        "The pod tries to connect, and the CNI's own counters of dropped packets are read.",
        "The end at which the packets are dropped, and the policies that drop them.",
    ),
    "rollout": Kind(
        "rollout/08-broken-port",
        "The manifest is applied on top of the step, watched, and rolled back.",
        "The outage or the leak that the change caused.",
    ),
    "fact": Kind(
        "fact/policies",
        "Something is measured that is neither a connection nor a question to DNS.",
        "Each fact has a name, and a meaning of its own.",
    ),
}
"""Each kind of target, by the word before its first slash."""

PARTS: Mapping[str, str] = {
    "step": "names a state of the cluster. After the colon stand the manifests that are in force: "
    "files in `manifests/TUTORIAL/`, without `.yaml`. All rows below it look at this state.",
    "from": "is the pod that asks: `NAMESPACE/NAME`. The pods of a Deployment are `NAME-1`, "
    "`NAME-2` and so on; `deploy/NAME` means any of them.",
    "to": "says whom the pod asks, and how: it begins with a kind of target.",
    "tutorial says": "is the outcome that the tutorial documents.",
    "really": "is filled in where the tutorial is wrong. It is the outcome that the policies "
    "predict and the cluster shows.",
    "why": "is the reason, in one sentence. A line with an empty `from` continues the row above "
    "it.",
    "[db-open, 3.1]": "before the reason is a reference. A row with a `really` first names its "
    "*erratum*: the entry below the table that says what is wrong, why it is wrong, and what "
    "works. Then comes the section of the tutorial, if it is not the section of the whole table: "
    "a number, or a heading if the tutorial has no numbers.",
    "[ours]": "marks a row that the tutorial does not have: policylab added it.",
    "$ ...": "is the tutorial's own command. It runs in the `from` pod, and it must agree with the "
    "probe.",
}
"""Each part of a table, as it is written there, with the rest of a sentence about it."""
