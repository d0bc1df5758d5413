"""`predict`: tests of an application that ask the policies of its manifests, and no cluster."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

pytest_plugins = ["pytester"]

SHOP = """
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: nginx, ports: [{containerPort: 80}]}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers: [{name: api, image: nginx, ports: [{containerPort: 80}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
spec:
  containers: [{name: db, image: redis, ports: [{containerPort: 6379}]}]
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {selector: {app: db}, ports: [{port: 6379}]}
"""
POLICY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  policyTypes: [Ingress]
  ingress:
    - from: [{podSelector: {matchLabels: {app: api}}}]
      ports: [{port: 6379}]
"""
LIST = """
- {from: shop/api, to: pod/shop/db:6379}
- {from: shop/*, to: [pod/shop/web:80, pod/shop/api:80]}
"""
TEST = """
def test_flows(predict):
    flows = predict("k8s/")
    {}
"""


@pytest.fixture
def shop(pytester: pytest.Pytester) -> pytest.Pytester:
    folder = pytester.mkdir("k8s")
    (folder / "shop.yaml").write_text(SHOP, encoding="utf-8")
    (folder / "policy.yaml").write_text(POLICY, encoding="utf-8")
    (pytester.path / "flows.yaml").write_text(LIST, encoding="utf-8")
    pytester.makeini("[pytest]\naddopts = -p harness.plugin.front -p no:cacheprovider\n")
    return pytester


def said(shop: pytest.Pytester, sentence: str, *args: str) -> pytest.RunResult:
    shop.makepyfile(TEST.format(sentence))
    return shop.runpytest_inprocess(*args)


@pytest.mark.parametrize(
    "sentence",
    [
        'flows("shop/api").to("shop/db:6379").is_open()',
        'assert flows("shop/api-1").to("pod/shop/db:6379").is_open()',
        'flows("shop/web").to("shop/db:6379").is_blocked()',
        'flows("shop/api").to("shop/db:6380").is_blocked()',
        'flows("shop/api").to("shop/db:6379/udp").is_blocked()',
        'flows("shop/web").to("svc/shop/db:6379").is_blocked()',
        'flows("shop/api").to("name/db:6379").is_open()',
        'flows("net/198.51.100.7").to("shop/db:6379").is_blocked()',
        'flows("shop/db").to("shop/web:80").is_open()',
        'flows("shop/web").resolves("db")',
        'flows("shop/web").does_not_resolve("cache.shop.svc.cluster.local.")',
        'flows.matrix("flows.yaml")',
    ],
)
def test_sentence_that_is_true_holds(shop: pytest.Pytester, sentence: str) -> None:
    said(shop, sentence).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        ('flows("shop/web").to("shop/db:6379").is_open()', "no rule allows ingress from shop/web"),
        ('flows("shop/api").to("shop/db:6379").is_blocked()', "ingress allowed: shop/db"),
        ('flows("shop/web").does_not_resolve("db")', "is resolved, and the test wants: not"),
        (
            'flows("shop/web").resolves("cache.shop.svc.cluster.local.")',
            "is not resolved, and the test wants: resolved",
        ),
    ],
)
def test_sentence_that_is_false_fails_and_says_why(
    shop: pytest.Pytester, sentence: str, why: str
) -> None:
    result = said(shop, sentence)

    result.assert_outcomes(failed=1)
    assert why in result.stdout.str()


@pytest.mark.parametrize("end", ["is_open", "is_blocked"])
@pytest.mark.parametrize(
    ("flow", "why"),
    [
        ('("shop/web").to("ping/pod/shop/db")', "speaks of TCP, UDP and SCTP only"),
        ('("shop/web").to("svc/shop/db:1")', "has no port TCP 1"),
        ('("shop/wbe").to("shop/db:6379")', "did you mean `shop/web`?"),
        ('("shop/web").to("shop/db")', "where `:` must be"),
        ('("shop/web").to("name/example.org:443")', "nothing here tells whether example.org"),
        ('("shop/web").to("name/google.com:443")', "nothing here tells whether google.com"),
        ('("shop/web").to("net/google.com:443")', "where it leads outside is not known here"),
        ('("net/google.com").to("shop/db:6379")', "where it leads outside is not known here"),
    ],
)
def test_what_nobody_can_say_is_an_error_whatever_the_test_wants(
    shop: pytest.Pytester, flow: str, why: str, end: str
) -> None:
    result = said(shop, f"flows{flow}.{end}()")

    result.assert_outcomes(errors=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert why in result.stdout.str()
    result.stdout.fnmatch_lines(["NO VERDICT test_*"])
    assert "harness/plugin" not in result.stdout.str(), "the traceback ends in the test"


@pytest.mark.parametrize("name", ["example.org", "google.com"])
@pytest.mark.parametrize("end", ["resolves", "does_not_resolve"])
def test_name_outside_is_an_error_for_only_a_cluster_can_tell(
    shop: pytest.Pytester, end: str, name: str
) -> None:
    """Names of the simulated internet, which the labs have, are as unknown as any other."""
    result = said(shop, f'flows("shop/web").{end}("{name}")')

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*only name servers outside*{name}*"])


def test_flow_of_which_nothing_is_said_is_an_error(shop: pytest.Pytester) -> None:
    result = said(shop, 'flows("shop/web").to("shop/db:6379").is_open')

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*names the flow shop/web -> shop/db:6379, and says nothing*"])


NAMED = """
    import pytest

    @pytest.fixture(scope="{scope}")
    def to_db(predict):
        return predict("k8s/")("shop/web").to("shop/db:6379")

    def test_said(to_db):
        to_db.is_blocked()

    def test_unsaid(to_db):
        assert to_db.is_blocked

    def test_asked_late(request):
        request.getfixturevalue("predict")("k8s/")("shop/web").to("shop/db:6379")
"""


def test_flow_that_a_fixture_names_is_said_something_of_too(shop: pytest.Pytester) -> None:
    shop.makepyfile(NAMED.format(scope="function"))

    result = shop.runpytest_inprocess()

    result.assert_outcomes(passed=1, errors=1, failed=1)
    result.stdout.fnmatch_lines(["FAILED *::test_asked_late*", "NO VERDICT *::test_unsaid*"])


def test_flow_of_a_fixture_for_several_tests_is_said_something_of_by_any(
    shop: pytest.Pytester,
) -> None:
    shop.makepyfile(NAMED.format(scope="module"))

    shop.runpytest_inprocess("-k", "test_said or test_unsaid").assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("mark", "outcomes"),
    [
        ("xfail", {"errors": 1}),
        ("xfail(strict=True)", {"errors": 1}),
        ("xfail(raises=AssertionError)", {"errors": 1}),
        ("xfail(raises=Exception)", {"xfailed": 1}),
    ],
)
def test_test_without_a_verdict_is_no_failure_that_was_expected(
    shop: pytest.Pytester, mark: str, outcomes: dict[str, int]
) -> None:
    shop.makepyfile(
        f"""
        import pytest

        @pytest.mark.{mark}
        def test_typo(predict):
            predict("k8s/")("shop/wbe").to("shop/db:6379").is_open()
        """
    )

    shop.runpytest_inprocess().assert_outcomes(**outcomes)


def test_failure_that_was_expected_stays_one(shop: pytest.Pytester) -> None:
    shop.makepyfile(
        """
        import pytest

        @pytest.mark.xfail
        def test_closed(predict):
            predict("k8s/")("shop/web").to("shop/db:6379").is_open()
        """
    )

    shop.runpytest_inprocess().assert_outcomes(xfailed=1)


def test_flow_of_a_test_that_failed_is_not_the_next_tests(shop: pytest.Pytester) -> None:
    shop.makepyfile(
        """
        def test_one(predict):
            predict("k8s/")("shop/web").to("shop/db:6379")
            raise KeyError

        def test_two(predict):
            predict("k8s/")("shop/web").to("shop/db:6379").is_blocked()
        """
    )

    shop.runpytest_inprocess().assert_outcomes(failed=1, passed=1)


OWN = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: odd, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Ingress]
  ingress: [{}]
  egress: [{to: [{podSelector: {}}]}]
"""


def test_where_a_cni_does_otherwise_the_test_must_name_its_cni(shop: pytest.Pytester) -> None:
    """Cilium enforces rules of a direction that policyTypes leaves out; the API ignores them."""
    (shop.path / "k8s" / "odd.yaml").write_text(OWN, encoding="utf-8")
    flow = '("shop/web").to("net/198.51.100.7:443")'

    anybody = said(shop, f"flows{flow}.is_open()")
    calico = said(shop, f'predict("k8s/", cni="calico"){flow}.is_open()')
    cilium = said(shop, f'predict("k8s/", cni="cilium"){flow}.is_blocked()')

    anybody.assert_outcomes(errors=1)
    anybody.stdout.fnmatch_lines(["*on Cilium the answer is deny*", "*predict(..., cni=NAME)*"])
    calico.assert_outcomes(passed=1)
    cilium.assert_outcomes(passed=1)


def test_matrix_names_each_flow_that_differs(shop: pytest.Pytester) -> None:
    text = LIST + "- {from: shop/web, to: pod/shop/db:6379}\n"
    (shop.path / "flows.yaml").write_text(text, encoding="utf-8")
    (shop.path / "k8s" / "policy.yaml").write_text(
        POLICY.replace("app: api", "app: other"), encoding="utf-8"
    )

    result = said(shop, 'flows.matrix("flows.yaml")')

    result.assert_outcomes(failed=1)
    told = result.stdout.str()
    for pod in ("api-1", "web-1", "web-2"):
        assert f"shop/{pod} -> pod/shop/db:6379 is blocked, and the test wants: open" in told


def test_matrix_fails_for_a_flow_that_nobody_wants(shop: pytest.Pytester) -> None:
    (shop.path / "flows.yaml").write_text(
        "- {from: shop/api, to: pod/shop/db:6379}\n", encoding="utf-8"
    )

    result = said(shop, 'flows.matrix("flows.yaml")')

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*shop/api-1 -> pod/shop/web-1:80 is open*wants: blocked*"])


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("{from: shop/api, to: 'net/198.51.100.7:443'}", "is none of the pods of this matrix"),
        ("{from: shop/api, to: dns}", "is none of the pods of this matrix"),
        ("{from: shop/apu, to: pod/shop/db:6379}", "did you mean `shop/ap"),
    ],
)
def test_matrix_with_an_end_that_is_none_of_its_pods_is_an_error(
    shop: pytest.Pytester, entry: str, why: str
) -> None:
    (shop.path / "flows.yaml").write_text(f"- {entry}\n", encoding="utf-8")

    result = said(shop, 'flows.matrix("flows.yaml", namespaces=["shop"])')

    result.assert_outcomes(errors=1)
    assert why in result.stdout.str()


def test_text_of_helm_or_kustomize_is_read_as_files_are(shop: pytest.Pytester) -> None:
    shop.makepyfile(
        """
        from pathlib import Path

        def test_text(predict, request):
            k8s = request.config.rootpath / "k8s"
            text = "---\\n".join(file.read_text() for file in sorted(k8s.iterdir()))
            flows = predict(text.replace(", namespace: shop", ""), namespace="shop")
            flows("shop/web").to("shop/db:6379").is_blocked()
            predict("k8s/shop.yaml")("shop/web").to("shop/db:6379").is_open()
            predict("k8s/shop.yaml", k8s / "policy.yaml")("shop/api").to("shop/db:1").is_blocked()
        """
    )

    shop.runpytest_inprocess().assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("call", "why"),
    [
        ("predict()", "has nothing to read"),
        ('predict("nowhere/")', "there is no such folder or file"),
        ('predict("k8s/", cni="flannel")', "does not know the CNI flannel"),
        ('predict("kind: NetworkPolicy\\nspec: {}\\n")', "the NetworkPolicy has no apiVersion"),
    ],
)
def test_manifests_that_cannot_be_read_are_an_error(
    shop: pytest.Pytester, call: str, why: str
) -> None:
    result = said(shop, f'{call}("shop/web").to("shop/db:1").is_blocked()')

    result.assert_outcomes(errors=1)
    assert why in result.stdout.str()


def test_junit_has_the_property_of_a_test_without_verdict(shop: pytest.Pytester) -> None:
    said(shop, 'flows("shop/web").to("ping/pod/shop/db").is_open()', "--junitxml=found.xml")

    tree = ET.parse(shop.path / "found.xml")  # noqa: S314 - pytest wrote it
    case = tree.getroot().find(".//testcase")
    assert case is not None
    assert case.find("failure") is not None
    properties = {p.get("name"): p.get("value") for p in case.iter("property")}
    assert properties == {"policylab": "no verdict"}


def test_error_of_another_plugin_stays_a_failure(shop: pytest.Pytester) -> None:
    shop.makepyfile(
        """
        from harness.errors import ProbeError

        def test_other():
            raise ProbeError("mine")
        """
    )

    shop.runpytest_inprocess().assert_outcomes(failed=1)
