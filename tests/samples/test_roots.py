import pandas as pd
import pytest

from cross_modal_kd.config.ingestion import SourceConfig, SourcesConfig
from cross_modal_kd.samples.container import member_path
from cross_modal_kd.samples.errors import SamplesError, UnreadableSampleError
from cross_modal_kd.samples.roots import Roots


def roots(base, root="raw") -> Roots:
    return Roots({"made": SourceConfig(layout="folder", root=root)}, base)


@pytest.fixture
def raw(tmp_path):
    folder = tmp_path / "raw"
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "1.bin").write_bytes(b"one")
    (tmp_path / "secret.bin").write_bytes(b"secret")
    members = {"code": ["x", "x", "y"], "style": ["p", "q", "p"], "png": [b"xp", b"xq", b"yp"]}
    pd.DataFrame(members).to_parquet(folder / "all.parquet")
    return tmp_path


def test_files_and_members(raw):
    here = Roots(SourcesConfig({"made": SourceConfig(layout="folder", root="raw")}), raw)
    assert here.bytes("made", "a/1.bin") == b"one"
    assert here.file("made", "a/1.bin").read_bytes() == b"one"
    assert [here.bytes("made", f"all.parquet#{member}") for member in ("x/q", "y/p")] == [b"xq", b"yp"]


@pytest.mark.parametrize("path", ["../secret.bin", "a/../../secret.bin", "/etc/hostname", "", "..\\secret.bin"])
def test_a_path_that_leads_outside_is_refused(raw, path):
    for read in (roots(raw).bytes, roots(raw).file):
        with pytest.raises(SamplesError, match="leads outside the source's root"):
            read("made", path)


def test_a_container_outside_is_refused(raw):
    with pytest.raises(SamplesError, match="leads outside"):
        roots(raw / "raw", "a").bytes("made", "../all.parquet#x/p")


def test_missing_things_are_named(raw):
    with pytest.raises(SamplesError, match=r"made: the file 'a/2.bin' is missing .*restore it"):
        roots(raw).bytes("made", "a/2.bin")
    with pytest.raises(SamplesError, match=r"all.parquet has no member 'y/q' among its 3"):
        roots(raw).bytes("made", "all.parquet#y/q")
    with pytest.raises(SamplesError, match=r"sources.made.root = 'nowhere'"):
        roots(raw, "nowhere").bytes("made", "a")
    with pytest.raises(SamplesError, match=r"unknown source 'other'; sources has: 'made'"):
        roots(raw).root("other")


def test_a_member_has_no_file(raw):
    with pytest.raises(SamplesError, match="member of a container"):
        roots(raw).file("made", "all.parquet#x/p")


@pytest.mark.parametrize(
    "path", ["C#/1.bin", "a/take#1.bin", "all.parquet#x/p", "no.parquet#x", "back\\slash/1.bin", "a/%20.bin"]
)
def test_a_name_is_a_file_before_it_is_a_member(raw, path):
    file = raw / "raw" / path
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"own")
    assert roots(raw).bytes("made", path) == b"own"
    assert roots(raw).file("made", path) == file


def test_a_member_may_have_any_name_and_its_container_too(raw):
    folder = raw / "raw" / "odd.parquet#y"
    folder.mkdir()
    pd.DataFrame({"code": ["c#.parquet#d"], "png": [b"one"]}).to_parquet(folder / "b#c.parquet")
    assert roots(raw).bytes("made", member_path("odd.parquet#y/b#c.parquet", "c#.parquet#d")) == b"one"
    with pytest.raises(SamplesError, match=r"the file 'gone.parquet#x/p' is missing"):
        roots(raw).bytes("made", "gone.parquet#x/p")
    with pytest.raises(ValueError, match=r"ends in .parquet, found 'a.zip'"):
        member_path("a.zip", "x")


def test_two_members_of_one_name_are_refused(raw):
    pd.DataFrame({"a": ["x/y", "x"], "b": ["z", "y/z"], "png": [b"1", b"2"]}).to_parquet(raw / "raw" / "all.parquet")
    with pytest.raises(SamplesError, match="name more than one row 'x/y/z'"):
        roots(raw).bytes("made", "all.parquet#x/y/z")


def test_a_file_that_the_disk_does_not_give_is_unreadable(raw, monkeypatch):
    def refuse(file):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    with pytest.raises(UnreadableSampleError, match=r"a/1.bin: the file cannot be read \(PermissionError"):
        roots(raw).bytes("made", "a/1.bin")


def test_a_name_that_no_file_system_has_is_missing(raw):
    with pytest.raises(SamplesError, match="is missing"):
        roots(raw).bytes("made", "x" * 5000)


def test_a_root_in_an_installed_package(raw):
    assert (roots(raw, "package:cross_modal_kd/samples").root("made") / "roots.py").is_file()
    with pytest.raises(SamplesError, match="pip install no_such_package_here"):
        roots(raw, "package:no_such_package_here/data").root("made")
    with pytest.raises(SamplesError, match="leads outside"):
        roots(raw, "package:cross_modal_kd/../..").root("made")


def test_a_changed_container_is_read_again(raw):
    here = roots(raw)
    assert here.bytes("made", "all.parquet#x/p") == b"xp"
    pd.DataFrame({"code": ["x"], "style": ["p"], "png": [b"new"]}).to_parquet(raw / "raw" / "all.parquet")
    assert here.bytes("made", "all.parquet#x/p") == b"new"
