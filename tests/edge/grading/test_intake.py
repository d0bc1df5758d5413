"""What one student hands in costs no other student anything, and no two names become one."""

from __future__ import annotations

import io
import os
import tarfile
import unicodedata
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from harness.edge.grading import archives, submissions
from harness.edge.grading.submissions import HandedIn, handed_in
from harness.errors import ContentError

TEXT = b"# nothing\n"
Spoil = Callable[[bytes], bytes]


def _zip(files: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return made.getvalue()


def _tar(files: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            if data == b"link":
                info.size, info.type, info.linkname = 0, tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(info, io.BytesIO(data) if info.size else None)
    return made.getvalue()


def _read(path: Path, data: bytes) -> dict[str, HandedIn]:
    path.write_bytes(data)
    return {one.id: one for one in handed_in([path])}


def _encrypted(data: bytes) -> bytes:
    """The same archive, whose entry of mallory's says that it is encrypted."""
    return _at_mallory(data, 6, 8, b"\1\0")


def _method(data: bytes) -> bytes:
    return _at_mallory(data, 8, 10, b"\x63\0")


def _at_mallory(data: bytes, local: int, central: int, value: bytes) -> bytes:
    """Change a field of the last entry in its own header, and in the list at the end."""
    found = bytearray(data)
    for mark, offset in ((b"PK\3\4", local), (b"PK\1\2", central)):
        at = data.rindex(mark) + offset
        found[at : at + 2] = value
    return bytes(found)


def _damaged(data: bytes) -> bytes:
    return data.replace(b"spoilt-here", b"spoilt-HERE")


SPOILT: dict[str, tuple[Spoil, str]] = {
    "an encrypted entry": (_encrypted, "encrypted"),
    "an entry whose sum is wrong": (_damaged, "Bad CRC-32"),
    "an unknown compression": (_method, "not supported"),
}


@pytest.mark.parametrize("around", ["", "course/"])
@pytest.mark.parametrize("what", SPOILT)
def test_an_entry_that_cannot_be_read_costs_its_student_alone(
    what: str, around: str, tmp_path: Path
) -> None:
    spoil, words = SPOILT[what]
    names = [f"{around}alice/a.yaml", f"{around}bob.yaml", f"{around}mallory/a.yaml"]
    data = spoil(_zip(dict.fromkeys(names[:2], TEXT) | {names[2]: b"# spoilt-here\n"}))

    found = _read(tmp_path / "course.zip", data)

    assert list(found) == ["alice", "bob", "mallory"]
    assert (found["alice"].problem, found["bob"].problem) == ("", "")
    assert "a.yaml: " in found["mallory"].problem
    assert words in found["mallory"].problem


@pytest.mark.parametrize("pack", [_zip, _tar])
@pytest.mark.parametrize("around", ["", "course/"])
def test_too_much_of_one_student_costs_nobody_else(
    around: str,
    pack: Callable[[Mapping[str, bytes]], bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(archives, "MAX_UNPACKED", 2**20)
    monkeypatch.setattr(archives, "MAX_ENTRIES", 20)
    files = {f"{around}alice/a.yaml": TEXT}
    files |= {f"{around}mallory/{n}/a.yaml": b"#" * 200_000 for n in range(9)}
    files |= {f"{around}eve/{n}/a.yaml": TEXT for n in range(25)}
    files |= {f"{around}zoe/a.yaml": TEXT}

    found = _read(tmp_path / f"course{'.zip' if pack is _zip else '.tar.gz'}", pack(files))

    assert {name: one.problem for name, one in found.items()} == {
        "alice": "",
        "eve": "there are more than 20 entries",
        "mallory": "what was handed in unpacks to more than 1 MiB",
        "zoe": "",
    }


def test_what_is_no_manifest_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_UNPACKED", 2**20)
    files = {"alice/a.yaml": TEXT, "bob/a.yaml": TEXT}
    files |= {f"alice/{n}.png": b"\0" * 300_000 for n in range(9)}

    found = _read(tmp_path / "course.zip", _zip(files))

    assert found["alice"].problem == ""
    assert len(found["alice"].files) == 1


@pytest.mark.parametrize("around", ["", "course/"])
@pytest.mark.parametrize("name", ["mallory/../../x.yaml", "/mallory/x.yaml", "mallory/link.yaml"])
def test_a_name_that_leads_out_costs_the_student_whose_it_is(
    name: str, around: str, tmp_path: Path
) -> None:
    name = f"/{around}{name[1:]}" if name.startswith("/") else f"{around}{name}"
    names = (f"{around}alice/a.yaml", f"{around}bob/a.yaml", f"{around}mallory/a.yaml")
    files = dict.fromkeys(names, TEXT) | {name: b"link" if "link" in name else TEXT}

    found = _read(tmp_path / "course.tar.gz", _tar(files))

    assert list(found) == ["alice", "bob", "mallory"]
    assert (found["alice"].problem, found["bob"].problem) == ("", "")
    assert "leads out" in found["mallory"].problem or "a link" in found["mallory"].problem


@pytest.mark.parametrize("name", ["../x.yaml", "..", "/x.yaml", "../nobody/x.yaml"])
def test_an_entry_of_nobody_that_leads_out_is_the_archive_s_fault(
    name: str, tmp_path: Path
) -> None:
    path = tmp_path / "course.tar.gz"
    path.write_bytes(_tar({"alice/a.yaml": TEXT, name: TEXT}))

    with pytest.raises(ContentError) as error:
        handed_in([path])

    assert "nobody knows whose" in error.value.seen
    assert "name its folder" in error.value.try_


def test_an_archive_of_a_student_s_own_is_read_inside_of_the_course_s(tmp_path: Path) -> None:
    own = _zip({"a.yaml": TEXT, "b/c.yaml": TEXT})
    files = {
        "alice/work.zip": own,
        "bob_1_work.zip": own,
        "eve/deep.zip": _zip({"x.zip": own}),
        "mallory/bomb.zip": b"PK\3\4 none",
        "zoe/large.zip": own + bytes(300_000),
    }

    found = _read(tmp_path / "course.zip", _zip(files))

    names = [file.origin for file in found["alice"].files]
    assert names == ["a.yaml", "b/c.yaml"]
    assert [file.origin for file in found["bob"].files] == names
    assert "inside of an archive" in found["eve"].problem
    assert "cannot be read" in found["mallory"].problem
    assert "at most 262144 bytes" in found["zoe"].problem


def test_a_folder_with_too_much_is_told_in_words_and_not_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submissions, "MAX_UNPACKED", 1024**2)
    monkeypatch.setattr(submissions, "MAX_ENTRIES", 30)
    for name, files, size in (("alice", 1, 10), ("bob", 9, 200_000), ("carol", 40, 1)):
        (tmp_path / name).mkdir()
        for number in range(files):
            (tmp_path / name / f"{number}.yaml").write_bytes(b"#" * size)

    found = {one.id: one.problem for one in handed_in([tmp_path])}

    assert found == {
        "alice": "",
        "bob": "the folder has more than 1 MiB of manifests",
        "carol": "the folder has more than 30 entries",
    }


def test_names_that_become_one_stay_two_students(tmp_path: Path) -> None:
    composed, apart = (unicodedata.normalize(form, "Zoë") for form in ("NFC", "NFD"))
    for name in (composed, apart, "alice", "alice (2)"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.yaml").write_bytes(TEXT)
    (tmp_path / "alice.yaml").write_bytes(TEXT)

    found = {one.id: one for one in handed_in([tmp_path])}

    assert list(found) == ["Zoë", "Zoë (2)", "alice", "alice (2)", "alice (3)"]
    assert "has the same name" in " ".join(found["alice (3)"].notes)
    assert "alice.yaml" in " ".join(found["alice (3)"].notes)
    assert found["alice (2)"].notes == ()


def test_names_that_are_no_text_stay_two_students_with_files_of_their_own(tmp_path: Path) -> None:
    for name in (b"a\xfe", b"a\xff"):
        home = os.path.join(os.fsencode(tmp_path), name)  # noqa: PTH118 - a name of bytes
        os.mkdir(home)  # noqa: PTH102
        Path(os.fsdecode(home), "a.yaml").write_bytes(TEXT)

    assert [one.id for one in handed_in([tmp_path])] == ["a\\xfe", "a\\xff"]


def test_a_name_with_characters_that_nobody_sees_says_so(tmp_path: Path) -> None:
    for name in ("alice", "alice\u200b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.yaml").write_bytes(TEXT)

    plain, hidden = handed_in([tmp_path])

    assert (plain.id, plain.notes) == ("alice", ())
    assert hidden.id == "alice\u200b"
    assert hidden.notes == ("the name has characters that nobody sees: alice[U+200B]",)


def test_a_link_in_place_of_a_student_is_told_without_a_name(tmp_path: Path) -> None:
    (tmp_path / "eve").symlink_to("/etc")

    (eve,) = handed_in([tmp_path])

    assert eve.problem == "it is a link"
