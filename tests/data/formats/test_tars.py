from __future__ import annotations

import io
import tarfile

import pytest

from audiojourney.data.formats.tars import read_members, read_samples
from audiojourney.errors import ClipError
from tests.data.formats.published import put_tar

MEMBERS = {"a/1.flac": b"x" * 700, "a/1.json": b"{}", "a/2.b.flac": b"y" * 512, "3.txt": b""}


def read(path):
    """Return the members up to the fault, and its code."""
    found = []
    try:
        for member in read_members(path):
            found.append(member)
    except ClipError as error:
        return found, error.code
    return found, ""


def test_members_share_the_key_up_to_the_first_dot(tmp_path):
    path = put_tar(tmp_path / "x.tar", MEMBERS)
    samples = [(key, [member.suffix for member in members]) for key, members in read_samples(path)]
    assert samples == [("a/1", ["flac", "json"]), ("a/2", ["b.flac"]), ("3", ["txt"])]


def test_every_cut_is_noticed(tmp_path):
    path = put_tar(tmp_path / "x.tar", MEMBERS)
    data = path.read_bytes()
    end = 512 + 1024 + 512 + 512 + 512 + 512 + 512
    assert read(path) == (list(read_members(path)), "")
    for size in [*range(0, end, 97), 512, 1536, 2560, end]:
        path.write_bytes(data[:size])
        found, code = read(path)
        assert code == "truncated", size
        assert all(member.data == MEMBERS[member.name] for member in found)


def test_damage_is_named(tmp_path):
    path = put_tar(tmp_path / "x.tar", MEMBERS)
    data = bytearray(path.read_bytes())
    data[1536 + 5] ^= 0xFF  # the header of the second member
    path.write_bytes(data)
    found, code = read(path)
    assert [member.name for member in found] == ["a/1.flac"]
    assert code in ("corrupt", "truncated")
    path.write_bytes(b"no tar at all" * 100)
    assert read(path)[1] == "corrupt"


def test_links_and_devices_are_left_out_and_holes_refused(tmp_path):
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE):
            info = tarfile.TarInfo("evil.wav")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        info = tarfile.TarInfo("good.wav")
        info.size = 1
        archive.addfile(info, io.BytesIO(b"x"))
    assert [member.name for member in read(path)[0]] == ["good.wav"]


@pytest.mark.parametrize("name", ["/absolute/x.wav", "../up/x.wav", "x" * 90 + ".wav", "späce 雨.wav"])
def test_names_are_only_names(tmp_path, name):
    (member,) = read_members(put_tar(tmp_path / "x.tar", {name: b"1"}))
    assert member.data == b"1"
    assert member.suffix == "wav"
