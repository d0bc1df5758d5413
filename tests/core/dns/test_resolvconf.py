from __future__ import annotations

import pytest

from harness.core.dns.resolvconf import ResolvConf
from harness.errors import ProbeError

POD = """search shop.svc.cluster.local svc.cluster.local cluster.local
nameserver 10.96.0.10
options ndots:5 edns0
"""


def test_kubelets_file_is_read_whole() -> None:
    conf = ResolvConf.parse(POD)

    assert conf.nameservers == ("10.96.0.10",)
    assert conf.search == ("shop.svc.cluster.local", "svc.cluster.local", "cluster.local")
    assert conf.ndots == 5
    assert conf.option("ndots") == "ndots:5"
    assert conf.option("timeout") == ""


def test_ndots_is_one_where_nothing_is_said() -> None:
    assert ResolvConf.parse("nameserver 10.0.0.1").ndots == 1


def test_last_search_line_wins() -> None:
    assert ResolvConf.parse("nameserver a\nsearch one\nsearch two").search == ("two",)


def test_file_without_a_server_is_no_verdict() -> None:
    with pytest.raises(ProbeError, match="names no server"):
        ResolvConf.parse("search x")
