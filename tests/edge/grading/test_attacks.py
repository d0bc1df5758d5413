"""Hostile submissions: each gets words or a grade, never a traceback, and touches nothing."""

from __future__ import annotations

import io
import json
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import cli
from harness.edge.grading import archives
from harness.exitcode import ExitCode

RIGHT = Path(__file__).parents[3] / "assignments" / "lab12" / "reference.yaml"
HEAD = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
META = "metadata: {name: p, namespace: secure-zone}\n"
SPEC = "spec: {podSelector: {}}\n"
POD = "spec: {containers: [{name: c, image: x}]}\n"


def policy(*, meta: str = META, spec: str = SPEC, head: str = HEAD) -> bytes:
    return f"{head}{meta}{spec}".encode()


def named(api: str, kind: str, meta: str = META, rest: str = "") -> bytes:
    return f"apiVersion: {api}\nkind: {kind}\n{meta}{rest}".encode()


def graded(folder: Path, out: Path, *more: str) -> dict[str, dict[str, Any]]:
    words = ["grade", "lab12", str(folder), "--predict", "--out", str(out), *more]
    assert cli.main(words) == ExitCode.OK
    document = json.loads((out / "grades.json").read_text(encoding="utf-8"))
    return {one["id"]: one for one in document["submissions"]}


TEXTS = {
    "a bomb of aliases": (
        b"a: &a [x, x, x]\n" + b"".join(b"b%d: &b%d [*a, *a, *a]\n" % (n, n) for n in range(9000)),
        "alias",
    ),
    "deep nesting": (b"- " * 30_000, "levels"),
    "deep brackets": (b"[" * 100_000, "levels"),
    "ten megabytes": (b"# x\n" * 2_600_000, "at most 262144"),
    "many documents": (b"---\na: b\n" * 20_000, "documents"),
    "binary": (bytes(range(256)) * 20, ""),
    "UTF-16 without a mark": (policy().decode().encode("utf-16-le"), ""),
    "NUL": (policy() + b"\0", ""),
    "tabs": (b"apiVersion: v1\nkind: NetworkPolicy\nmetadata:\n\tname: p\n", "YAML"),
    "a Python object": (b"!!python/object/apply:os.system ['touch /tmp/owned']\n", ""),
    "a merge that overrides": (
        policy(meta="metadata: {<<: {name: p, namespace: kube-system}}\n"),
        "kube-system",
    ),
    "two equal keys": (policy() + b"spec: {podSelector: {}}\n", "twice"),
    "a Pod": (named("v1", "Pod", rest=POD), "a Pod may not be submitted"),
    "a Job": (
        named("batch/v1", "Job", rest="spec: {template: {spec: {restartPolicy: Never, "
              "containers: [{name: c, image: x}]}}}\n"),
        "a Job may not be submitted",
    ),
    "a RoleBinding": (
        named("rbac.authorization.k8s.io/v1", "RoleBinding"),
        "a RoleBinding may not be submitted",
    ),
    "a webhook": (
        named("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration",
              "metadata: {name: w}\n"),
        "may not be submitted",
    ),
    "a CRD": (
        named("apiextensions.k8s.io/v1", "CustomResourceDefinition", "metadata: {name: w.x.y}\n"),
        "may not be submitted",
    ),
    "a Namespace": (
        named("v1", "Namespace", "metadata: {name: mine}\n"),
        "a Namespace may not be submitted",
    ),
    "a Secret": (named("v1", "Secret"), "a Secret may not be submitted"),
    "kube-system": (
        policy(meta="metadata: {name: p, namespace: kube-system}\n"),
        "nothing may be in the namespace `kube-system`",
    ),
    "the canaries' namespace": (
        policy(meta="metadata: {name: p, namespace: policylab-gate}\n"),
        "nothing may be in the namespace `policylab-gate`",
    ),
    "no namespace": (policy(meta="metadata: {name: p}\n"), "namespace"),
    "a name of 300 letters": (
        policy(meta=f"metadata: {{name: {'p' * 300}, namespace: secure-zone}}\n"),
        "name",
    ),
    "a finalizer": (
        policy(meta="metadata: {name: p, namespace: secure-zone, finalizers: [a.b/c]}\n"),
        "finalizers",
    ),
    "an owner": (
        policy(
            meta="metadata: {name: p, namespace: secure-zone, ownerReferences: [{apiVersion: v1, "
            "kind: Pod, name: x, uid: y}]}\n"
        ),
        "ownerReferences",
    ),
    "a made-up name": (
        policy(meta="metadata: {name: p, generateName: p-, namespace: secure-zone}\n"),
        "generateName",
    ),
    "a status": (policy() + b"status: {conditions: [{type: Accepted}]}\n", "status"),
    "look-alike letters": (
        policy(meta="metadata: {name: p, namespace: sec\u0443re-zone}\n"),
        "",
    ),
    "right to left": (
        policy(meta="metadata: {name: p, namespace: 'secure-zone\u202e'}\n"),
        "",
    ),
    "a list within a list": (
        (
            b"apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: List, items: "
            b"[{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: secure-zone}}]}]\n"
        ),
        "",
    ),
    "thousands of different ports": (
        policy(
            spec="spec: {podSelector: {}, ingress: [{ports: ["
            + "".join(f"{{port: {n}}}," for n in range(1, 9_000))
            + "]}]}\n"
        ),
        "more flows than can be compared",
    ),
    "nothing": (b"", "there is no policy"),
    "a comment": (b"# I did not do it\n", "there is no policy"),
    "a command in a name": (
        policy(meta="metadata: {name: '$(reboot)', namespace: secure-zone}\n"),
        "name",
    ),
    "a format string in a name": (
        policy(meta="metadata: {name: '{0.__class__}', namespace: secure-zone}\n"),
        "name",
    ),
}  # fmt: skip


@pytest.mark.parametrize("attack", TEXTS)
def test_hostile_file_is_refused_in_words(
    attack: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, said = TEXTS[attack]
    home = tmp_path / "in" / "mallory"
    home.mkdir(parents=True)
    (home / "policy.yaml").write_bytes(data)

    found = graded(tmp_path / "in", tmp_path / "out")["mallory"]

    output = capsys.readouterr()
    assert "Traceback" not in output.err
    assert found["status"] == "ungradable", found["problem"]
    assert found["problem"]
    assert said in found["problem"]
    assert len(found["problem"]) < 25_000


def test_what_is_no_manifest_is_ignored_and_never_run(tmp_path: Path) -> None:
    home = tmp_path / "in" / "mallory"
    home.mkdir(parents=True)
    (home / "policy.yaml").write_bytes(RIGHT.read_bytes())
    for name in ("conftest.py", "pytest.ini", "Makefile", "sitecustomize.py"):
        (home / name).write_text(f"open({str(tmp_path / 'owned')!r}, 'w')", encoding="utf-8")

    found = graded(tmp_path / "in", tmp_path / "out")["mallory"]

    assert (found["status"], found["score"]) == ("graded", 100.0)
    assert "conftest.py is no manifest and was ignored" in found["notes"]
    assert not (tmp_path / "owned").exists()


def test_links_and_special_files_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.yaml"
    secret.write_bytes(RIGHT.read_bytes())
    home = tmp_path / "in" / "mallory"
    home.mkdir(parents=True)
    (home / "policy.yaml").symlink_to(secret)
    os.mkfifo(home / "pipe.yaml")
    (tmp_path / "in" / "eve").symlink_to(tmp_path)

    found = graded(tmp_path / "in", tmp_path / "out")

    assert "policy.yaml: it is a link" in found["mallory"]["problem"]
    assert "pipe.yaml: it is no file" in found["mallory"]["problem"]
    assert found["eve"]["status"] == "ungradable"


def zipped(path: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def with_link(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("policy.yaml")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    return path


def tarred(path: Path) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        info = tarfile.TarInfo("policy.yaml")
        info.type = tarfile.SYMTYPE
        info.linkname = "/etc/passwd"
        archive.addfile(info)
        up = tarfile.TarInfo("../../up.yaml")
        up.size = 3
        archive.addfile(up, io.BytesIO(b"a: "))
    return path


def bomb(path: Path) -> Path:
    return zipped(path, **{f"p{n}.yaml": b"#" * 300_000 for n in range(300)})


def no_zip(path: Path) -> Path:
    path.write_bytes(b"PK\3\4" * 9)
    return path


ARCHIVES: dict[str, tuple[str, Callable[[Path], Path], str]] = {
    "a name that leads out": (
        "a.zip", lambda path: zipped(path, **{"../../p.yaml": b"a: b"}), "leads out",
    ),
    "an absolute name": ("a.zip", lambda path: zipped(path, **{"/p.yaml": b"a: b"}), "leads out"),
    "a drive": ("a.zip", lambda path: zipped(path, **{"C:\\p.yaml": b"a: b"}), "leads out"),
    "a link": ("a.zip", with_link, "a link"),
    "links and names in a tar": ("a.tar.gz", tarred, "a link"),
    "a zip in a zip": (
        "a.zip",
        lambda path: zipped(path, **{"b.zip": zipped(path.with_name("b"), p=b"").read_bytes()}),
        "inside of an archive",
    ),
    "no zip at all": ("a.zip", no_zip, "cannot be"),
    "a bomb": ("a.zip", bomb, "unpacks to more than"),
}  # fmt: skip


@pytest.mark.parametrize("attack", ARCHIVES)
def test_hostile_archive_of_a_student_is_refused_in_words(
    attack: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_UNPACKED", 10_000_000)
    name, make, said = ARCHIVES[attack]
    home = tmp_path / "in" / "mallory"
    home.mkdir(parents=True)
    made = make(tmp_path / name)
    (home / name).write_bytes(made.read_bytes())
    before = {path for path in tmp_path.rglob("*") if "out" not in path.parts}

    found = graded(tmp_path / "in", tmp_path / "out")["mallory"]

    assert found["status"] == "ungradable"
    assert said in found["problem"]
    assert {path for path in tmp_path.rglob("*") if "out" not in path.parts} == before


@pytest.mark.parametrize("around", ["", "course/"])
def test_archive_of_a_course_has_a_folder_or_a_file_for_each_student(
    tmp_path: Path, around: str
) -> None:
    right = RIGHT.read_bytes()
    files = {
        f"{around}alice/policy.yaml": right,
        f"{around}bob_lab12.yaml": right,
        f"{around}carol_123_lab12.yaml": right,
        f"{around}__MACOSX/x.yaml": b"",
    }
    archive = zipped(tmp_path / "course.zip", **files)

    found = graded(archive, tmp_path / "out")

    assert {name: one["score"] for name, one in found.items()} == {
        "alice": 100.0,
        "bob": 100.0,
        "carol": 100.0,
    }


def test_names_of_a_platform_become_students(tmp_path: Path) -> None:
    home = tmp_path / "in"
    right = RIGHT.read_bytes()
    for name in ("alice_lab12.yaml", "bob_77_part-1.yaml", "student_1.yaml", "student_2.yaml"):
        home.mkdir(exist_ok=True)
        (home / name).write_bytes(right)
    (home / "bob_77_part-2.yaml").write_bytes(b"# nothing more\n")
    moodle = home / "Dana Doe_815_assignsubmission_file"
    moodle.mkdir()
    (moodle / "policy.yaml").write_bytes(right)
    (home / "roster.csv").write_text("a,b", encoding="utf-8")

    assert list(graded(home, tmp_path / "out")) == [
        "Dana Doe",
        "alice",
        "bob",
        "student_1",
        "student_2",
    ]


@pytest.mark.parametrize("name", ["-rf", "=cmd()", "x..", "a\u202eb", "<script>", "%s{0}", "a\nb"])
def test_hostile_name_of_a_student_is_only_a_name(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "in" / name
    home.mkdir(parents=True)
    (home / "policy.yaml").write_bytes(RIGHT.read_bytes())

    found = graded(tmp_path / "in", tmp_path / "out")

    assert [one["score"] for one in found.values()] == [100.0]
    assert "\u202e" not in capsys.readouterr().out
    assert all(
        path.name.strip("0123456789abcdef.json") == ""
        for path in (tmp_path / "out" / "kept").iterdir()
    )


@pytest.mark.parametrize("suffix", ["", ".gz", ".xz", ".bz2"])
def test_what_is_passed_over_in_a_tar_is_counted_too(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A file is read to its limit only, but a stream has to unpack all of it to find the next one.
    monkeypatch.setattr(archives, "MAX_UNPACKED", 2**20)
    path = tmp_path / f"course.tar{suffix}"
    one = tarfile.TarInfo("eve/a.yaml")
    for size, fits in ((2**19, True), (2**20 + 1, False)):
        one.size = size
        with tarfile.open(str(path), f"w:{suffix[1:]}") as archive:  # type: ignore[call-overload]
            archive.addfile(one, io.BytesIO(bytes(size)))
        if fits:
            assert [len(entry.data) for entry in archives.entries(path, most=999)] == [1_000]
            continue
        with pytest.raises(archives.ArchiveError, match="unpacks to more than 1 MiB"):
            list(archives.entries(path, most=999))
