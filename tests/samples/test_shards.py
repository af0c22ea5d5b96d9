"""Files in tar shards: the same bytes, found by the index, whatever is cut, changed or killed meanwhile."""

import errno
import hashlib
import os
import subprocess
import tarfile
import threading
from pathlib import Path

import pandas as pd
import pytest

from cross_modal_kd.config.ingestion import SourceConfig, SourcesConfig
from cross_modal_kd.samples import sharding, shards
from cross_modal_kd.samples.container import member_path
from cross_modal_kd.samples.errors import SamplesError
from cross_modal_kd.samples.roots import Roots
from cross_modal_kd.samples.sharding import update_shards
from cross_modal_kd.samples.shards import INDEX, SUMS, shards_in
from cross_modal_kd.storage import guarded

LONG = "folder/" + "ü" * 120 + ".bin"


@pytest.fixture
def raw(tmp_path):
    folder = tmp_path / "raw"
    (folder / "folder").mkdir(parents=True)
    for number in range(30):
        (folder / f"{number}.bin").write_bytes(bytes([number]) * (number * 100_000 // 3))
    (folder / LONG).write_bytes(b"long")
    pd.DataFrame({"code": ["x", "y"], "png": [b"xp", b"yp"]}).to_parquet(folder / "all.parquet")
    return tmp_path


def sources(shards: str | None = "shards") -> SourcesConfig:
    return SourcesConfig({"made": SourceConfig(layout="folder", root="raw", shards=shards)})


def table(base, paths: list[str] | None = None) -> pd.DataFrame:
    paths = (
        [*(f"{number}.bin" for number in range(30)), LONG, member_path("all.parquet", "y")] if paths is None else paths
    )
    originals = Roots(sources(None), base)
    digests = [hashlib.sha256(originals.bytes("made", path)).hexdigest() for path in paths]
    return pd.DataFrame({"path": paths, "sha256": digests, "source": "made"})


def test_every_file_is_read_from_the_shards_alone(raw):
    rows = table(raw)
    expected = {path: Roots(sources(None), raw).bytes("made", path) for path in rows["path"]}
    update_shards(rows, sources(), 4, raw)
    (raw / "raw").rename(raw / "away")
    roots = Roots(sources(), raw)
    for path, content in expected.items():
        assert roots.bytes("made", path) == roots.content("made", path) == content
    shards = sorted(file.name for file in (raw / "shards").glob("*.tar"))
    assert len(shards) > 2 and len(shards_in(raw / "shards")) == len(rows)
    members = {}
    for name in shards:
        with tarfile.open(raw / "shards" / name) as tar:
            members |= {member.name: member.size for member in tar}
    assert members == {path: len(content) for path, content in expected.items()}
    subprocess.run(["sha256sum", "--strict", "-c", SUMS], cwd=raw / "shards", check=True, capture_output=True)


def test_a_shard_that_another_thread_forgets_is_open_until_it_is_read(raw, monkeypatch):
    """Two threads that ask for it at once are given two, of which one is kept; or it is one too many, and forgotten."""
    rows = table(raw, ["3.bin"])
    update_shards(rows, sources(), 4, raw)
    read = os.pread

    def forgotten(*given):
        shards._shard.cache_clear()
        return read(*given)

    monkeypatch.setattr(os, "pread", forgotten)
    assert Roots(sources(), raw).bytes("made", "3.bin") == bytes([3]) * 100_000


def test_only_what_is_new_or_has_changed_is_written_again(raw):
    update_shards(table(raw), sources(), 100, raw)
    before = {file: file.stat().st_mtime_ns for file in (raw / "shards").iterdir()}
    update_shards(table(raw), sources(), 100, raw)
    assert {file: file.stat().st_mtime_ns for file in (raw / "shards").iterdir()} == before
    (raw / "raw" / "3.bin").write_bytes(b"other")
    (raw / "raw" / "new.bin").write_bytes(b"new")
    rows = pd.concat([table(raw), table(raw, ["new.bin"])])
    with pytest.raises(
        SamplesError, match=r"made: 2 files are not in the shards of .*: '3.bin', 'new.bin'. Run ingesti"
    ):
        update_shards(rows, sources(), None, raw)
    update_shards(rows, sources(), 100, raw)
    update_shards(rows, sources(), None, raw)
    roots = Roots(sources(), raw)
    assert [roots.bytes("made", path) for path in ("3.bin", "new.bin", "4.bin")] == [
        b"other",
        b"new",
        b"\x04" * 133_333,
    ]
    assert [file.name for file in sorted((raw / "shards").glob("*.tar"))] == ["shard-000000.tar", "shard-000001.tar"]


def test_two_that_write_into_one_folder_take_turns(raw, monkeypatch):
    """Both would call their first shard 0, and the index of one would tell where things lie in that of the other."""
    parts = [table(raw, ["1.bin", "2.bin"]), table(raw, ["3.bin", "4.bin", "5.bin"])]
    other = threading.Thread(target=update_shards, args=(parts[1], sources(), 100, raw))
    added = sharding._added

    def meanwhile(*given):
        if not other.ident:
            other.start()
            other.join(1)  # all that it would take
        return added(*given)

    monkeypatch.setattr(sharding, "_added", meanwhile)
    update_shards(parts[0], sources(), 100, raw)
    other.join(20)
    roots, originals = Roots(sources(), raw), Roots(sources(None), raw)
    assert len(shards_in(raw / "shards")) == 5
    for path in pd.concat(parts)["path"]:
        assert roots.bytes("made", path) == originals.bytes("made", path)
    assert not list((raw / "shards").glob(".*"))


def test_who_waits_in_vain_is_told_where(raw, monkeypatch):
    monkeypatch.setattr("cross_modal_kd.storage.lock.GUARD_SECONDS", 0.1)
    (raw / "shards").mkdir()
    with (
        guarded(raw / "shards" / sharding.GUARD),
        pytest.raises(SamplesError, match=r"sources.made.shards: another run is writing into .*shards; wait"),
    ):
        update_shards(table(raw), sources(), 100, raw)


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS])
def test_a_folder_that_cannot_be_written_to_is_named_with_its_parameter(raw, monkeypatch, code):
    def refuse(*_, **__):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(SamplesError, match=r"sources\.\w+\.shards: .* cannot be written to \("):
        update_shards(table(raw), sources(), 100, raw)


def test_a_killed_writing_leaves_what_was_there_and_is_gone_on_with(raw, monkeypatch):
    update_shards(table(raw, ["1.bin"]), sources(), 1, raw)
    real, added = sharding._added, []

    def killed(*given):
        added.append(given[1])
        if len(added) == 20:
            raise KeyboardInterrupt
        return real(*given)

    monkeypatch.setattr(sharding, "_added", killed)
    with pytest.raises(KeyboardInterrupt):
        update_shards(table(raw), sources(), 1, raw)
    assert len(shards_in(raw / "shards")) == 1
    assert not list((raw / "shards").glob("*.tmp"))
    monkeypatch.undo()
    update_shards(table(raw), sources(), 1, raw)
    roots = Roots(sources(), raw)
    assert all(roots.bytes("made", f"{n}.bin") == (raw / "raw" / f"{n}.bin").read_bytes() for n in range(30))
    subprocess.run(["sha256sum", "--strict", "-c", SUMS], cwd=raw / "shards", check=True, capture_output=True)


def test_a_file_that_is_in_no_shard_is_read_from_its_place(raw):
    update_shards(table(raw, ["1.bin"]), sources(), 1, raw)
    assert Roots(sources(), raw).content("made", "2.bin") == raw / "raw" / "2.bin"


def test_a_file_that_changes_while_shards_are_written_is_refused(raw):
    rows = table(raw)
    (raw / "raw" / "7.bin").write_bytes(b"changed")
    with pytest.raises(SamplesError, match=r"7.bin: the file has changed since it was inspected"):
        update_shards(rows, sources(), 100, raw)
    assert not (raw / "shards" / INDEX).exists()


def test_shards_that_are_gone_or_cut_say_what_to_do(raw):
    with pytest.raises(SamplesError, match=r"there is no index.parquet of shards; write them .*ingestion.shards"):
        Roots(sources(), raw).bytes("made", "1.bin")
    with pytest.raises(SamplesError, match=r"no source says where to; give sources.made.shards a folder"):
        update_shards(table(raw), sources(None), 1, raw)
    update_shards(table(raw), sources(), 100, raw)
    shard = raw / "shards" / "shard-000000.tar"
    whole = shard.read_bytes()
    shard.write_bytes(whole[:100_000])
    roots = Roots(sources(), raw)
    with pytest.raises(SamplesError, match=r"shard-000000.tar is cut: .*copy it once more"):
        roots.bytes("made", "20.bin")
    for file in (raw / "shards").iterdir():
        file.unlink()
    update_shards(table(raw, ["9.bin"]), sources(), 100, raw)
    shard.unlink()
    with pytest.raises(
        SamplesError, match=r"shard-000000.tar cannot be read \(No such file or directory\): restore it"
    ):
        roots.bytes("made", "9.bin")


def test_shards_that_were_written_anew_are_not_taken_for_the_older_ones(raw):
    update_shards(table(raw, ["5.bin"]), sources(), 100, raw)
    roots = Roots(sources(), raw)
    assert roots.bytes("made", "5.bin") == b"\x05" * 166_666
    for file in (raw / "shards").iterdir():
        file.unlink()
    update_shards(table(raw, ["6.bin", "5.bin"]), sources(), 100, raw)
    assert [roots.bytes("made", f"{number}.bin")[0] for number in (5, 6)] == [5, 6]


def test_a_file_in_a_shard_is_told_from_another_by_its_content(raw):
    rows = table(raw)
    update_shards(rows, sources(), 4, raw)
    before = Roots(sources(), raw).stamps(rows)
    for file in (raw / "shards").iterdir():
        file.unlink()
    update_shards(rows[::-1], sources(), 4, raw)
    (raw / "raw").rename(raw / "away")
    pd.testing.assert_frame_equal(Roots(sources(), raw).stamps(rows), before)
    assert not before.duplicated().any() and (before["size"] >= 0).all()
