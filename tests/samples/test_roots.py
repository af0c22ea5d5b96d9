import pandas as pd
import pytest

from cross_modal_kd.config.ingestion import SourceConfig, SourcesConfig
from cross_modal_kd.samples.errors import SamplesError
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
