"""Hostile submissions: each gets words or a grade, never a traceback, and touches nothing."""

from __future__ import annotations

import io
import json
import os
import re
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
from tests.fakes.hostile import ATTACKS, BEGIN, SAID

RIGHT = Path(__file__).parents[3] / "assignments" / "lab12" / "reference.yaml"


def graded(folder: Path, out: Path, *more: str) -> dict[str, dict[str, Any]]:
    words = ["grade", "lab12", str(folder), "--predict", "--out", str(out), *more]
    assert cli.main(words) == ExitCode.OK
    document = json.loads((out / "grades.json").read_text(encoding="utf-8"))
    return {one["id"]: one for one in document["submissions"]}


def test_a_course_of_attacks_is_refused_in_words_on_every_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, data in enumerate(ATTACKS.values()):
        home = tmp_path / "in" / f"mallory-{number:02}"
        home.mkdir(parents=True)
        (home / "policy.yaml").write_bytes(data)

    found = graded(tmp_path / "in", tmp_path / "out")

    output = capsys.readouterr()
    assert "Traceback" not in output.err
    assert [one["status"] for one in found.values()] == ["ungradable"] * len(ATTACKS)
    for one, said in zip(found.values(), (SAID[attack] for attack in ATTACKS), strict=True):
        assert said in one["problem"]
    pages = "".join(path.read_text(encoding="utf-8") for path in tmp_path.rglob("*.html"))
    assert "<script" not in pages
    assert not re.search(r"[\u202a-\u202e\x00-\x08\x1b]", pages + output.out)


def test_a_file_that_tells_too_many_flows_apart_is_refused_in_words(tmp_path: Path) -> None:
    ports = "".join(f"{{port: {number}}}," for number in range(1, 9_000))
    home = tmp_path / "in" / "mallory"
    home.mkdir(parents=True)
    text = f"{BEGIN}metadata: {{name: p, namespace: secure-zone}}\n"
    text += f"spec: {{podSelector: {{}}, ingress: [{{ports: [{ports}]}}]}}\n"
    (home / "policy.yaml").write_text(text, encoding="utf-8")

    found = graded(tmp_path / "in", tmp_path / "out")["mallory"]

    assert found["status"] == "ungradable"
    assert "more flows than can be compared" in found["problem"]


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
    # Canvas: name, LATE, the student's number, the file's number; two students have one name.
    for name in ("ed_LATE_81_1_a.yaml", "ed_81_2_b.yaml", "fay_LATE_90_3_a.yaml"):
        (home / name).write_bytes(right if "1_a" in name or "fay" in name else b"# no more\n")
    for name in ("gus_LATE_91_4_a.yaml", "gus_LATE_92_5_a.yaml"):
        (home / name).write_bytes(right)
    moodle = home / "Dana Doe_815_assignsubmission_file"
    moodle.mkdir()
    (moodle / "policy.yaml").write_bytes(right)
    (home / "roster.csv").write_text("a,b", encoding="utf-8")

    assert list(graded(home, tmp_path / "out")) == [
        "Dana Doe",
        "alice",
        "bob",
        "ed",
        "fay",
        "gus_LATE_91_4_a",
        "gus_LATE_92_5_a",
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
