"""What a look at a file told is kept: nothing that has not changed is read twice, also after a run that was killed."""

import os
import time

import numpy as np
import pandas as pd
import pytest

from cross_modal_kd.config import IngestionConfig, SourceConfig
from cross_modal_kd.samples import Kept, Roots, UnreadableSampleError, inspect_rows, inspection
from cross_modal_kd.samples import kept as kept_module

OLD = 10**18  # ns


class Folder:
    """Three files, and how often each is read."""

    def __init__(self, root):
        self.root, self.read = root, []
        for name in ("a", "b", "c"):
            self.write(name, name)
        self.lie_in(root)
        names = pd.Series(["a", "b", "c"], dtype="str")
        self.rows = pd.DataFrame(
            {"sample_id": names, "modality": "image", "label": names, "path": names + ".png", "source": "made"}
        )

    def lie_in(self, root):
        self.root = root
        self.roots = Roots({"made": SourceConfig(layout="folder", root=str(root))})

    def write(self, name, content, when=OLD):
        (self.root / f"{name}.png").write_text(content)
        os.utime(self.root / f"{name}.png", ns=(when, when))

    def look(self, row):
        self.read.append(row["sample_id"])
        content = (self.root / row["path"]).read_text()
        if content == "bad":
            raise UnreadableSampleError(row["path"], "no use")
        return {"sha256": content * 64, "width": 30}

    def inspect(self, cache, decides="this", **options):
        self.read.clear()
        kept = None if cache is None else Kept(cache, decides, self.roots.stamps)
        return inspect_rows(self.rows, self.look, IngestionConfig(max_rejected_share=1, **options), kept)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "files").mkdir()
    return Folder(tmp_path / "files")


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def test_a_second_run_reads_no_file_and_finds_the_same(folder, cache):
    first, _ = folder.inspect(cache)
    assert sorted(folder.read) == ["a", "b", "c"]
    second, rejected = folder.inspect(cache)
    assert folder.read == [] and rejected.empty
    pd.testing.assert_frame_equal(second, first)
    pd.testing.assert_frame_equal(second, folder.inspect(None)[0])


def test_a_changed_file_is_read_again_and_no_other(folder, cache):
    folder.inspect(cache)
    (folder.root / "b.png").write_text("x")
    os.utime(folder.root / "b.png", ns=(1, 1))
    found, _ = folder.inspect(cache)
    assert folder.read == ["b"] and found["sha256"].tolist() == ["a" * 64, "x" * 64, "c" * 64]
    assert folder.inspect(cache)[0].equals(found) and folder.read == []
    os.utime(folder.root / "c.png", ns=(5, 5))  # touched, the content is the same
    folder.inspect(cache)
    assert folder.read == ["c"]


@pytest.mark.parametrize("when", [OLD, 4 * OLD])  # also of a clock that was ahead
def test_a_file_of_the_same_size_with_the_old_time_is_read_again(folder, cache, when):
    """As two archives of one data set have it, whose files all bear one time."""
    folder.write("b", "b", when)
    folder.inspect(cache)
    folder.write("b", "x", when)
    assert folder.inspect(cache)[0]["sha256"].tolist()[1] == "x" * 64 and folder.read == ["b"]
    (folder.root / "new").write_text("y")
    os.utime(folder.root / "new", ns=(when, when))
    (folder.root / "new").replace(folder.root / "b.png")
    assert folder.inspect(cache)[0]["sha256"].tolist()[1] == "y" * 64 and folder.read == ["b"]


def test_a_killed_run_goes_on_where_it_stopped(folder, cache, monkeypatch):
    monkeypatch.setattr(inspection, "BLOCK", 1)
    monkeypatch.setattr(kept_module, "SECONDS", -1.0)  # on disk after every block

    def killed(row):
        if row["sample_id"] == "c":
            raise KeyboardInterrupt
        return folder.look(row)

    kept = Kept(cache, "this", folder.roots.stamps)
    with pytest.raises(KeyboardInterrupt):
        inspect_rows(folder.rows, killed, IngestionConfig(), kept)
    assert sorted(folder.read) == ["a", "b"]
    found, _ = folder.inspect(cache)
    assert folder.read == ["c"] and found.equals(folder.inspect(None)[0])
    folder.inspect(cache)
    assert folder.read == [] and len(list(cache.glob("*/*.parquet"))) == 1  # the parts have become one


def test_what_is_of_no_use_is_looked_at_each_time(folder, cache):
    (folder.root / "b.png").write_text("bad")
    for _ in range(2):
        found, rejected = folder.inspect(cache)
        assert "b" in folder.read and rejected["reason"].tolist() == ["no use"] and len(found) == 2
    assert folder.read == ["b"]


def test_what_was_found_under_other_rules_is_not_taken(folder, cache):
    folder.inspect(cache)
    folder.inspect(cache, decides="that")
    assert sorted(folder.read) == ["a", "b", "c"]
    folder.inspect(cache)
    assert folder.read == []


def test_a_damaged_table_is_made_again(folder, cache, caplog):
    expected = folder.inspect(cache)[0]
    (file,) = cache.glob("*/*.parquet")
    file.write_bytes(file.read_bytes()[:40])
    assert folder.inspect(cache)[0].equals(expected) and len(folder.read) == 3 and "is damaged" in caplog.text
    folder.inspect(cache)
    assert folder.read == []


def test_another_byte_anywhere_is_found_and_never_taken(folder, cache, monkeypatch):
    """A table of another layout, or made elsewhere, is one of these: its name does not have its digest."""
    expected = folder.inspect(cache)[0]
    (file,) = cache.glob("*/*.parquet")
    whole = file.read_bytes()
    monkeypatch.setattr(Kept, "_save", lambda self, table: None)
    for place in [*range(4, len(whole), 97), whole.index(b"aaaa"), whole.index(b"numpy_type")]:
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert folder.inspect(cache)[0].equals(expected) and len(folder.read) == 3, place
    file.write_bytes(whole)
    assert folder.inspect(cache)[0].equals(expected) and folder.read == []


def test_a_file_of_another_root_is_another_though_name_size_and_time_are_the_same(folder, cache, tmp_path):
    """As of archives that give every file one time."""
    folder.inspect(cache)
    (tmp_path / "others").mkdir()
    folder.lie_in(tmp_path / "others")
    for name in ("a", "b", "c"):
        folder.write(name, "x")
    assert folder.inspect(cache)[0]["sha256"].tolist() == ["x" * 64] * 3


def test_a_file_that_has_just_changed_may_do_so_once_more_in_the_same_step_of_the_clock(folder, cache):
    now = time.time_ns()
    folder.write("b", "b", now)
    folder.inspect(cache)
    folder.write("b", "x", now)
    assert folder.inspect(cache)[0]["sha256"].tolist() == ["a" * 64, "x" * 64, "c" * 64] and folder.read == ["b"]


def test_a_file_that_was_away_is_taken_as_it_was_and_another_in_its_place_is_not(folder, cache):
    first = folder.inspect(cache)[0]
    (folder.root / "b.png").rename(folder.root / "elsewhere")
    with pytest.raises(FileNotFoundError):
        folder.inspect(cache)
    folder.write("b", "xx")
    assert folder.inspect(cache)[0]["sha256"].tolist()[1] == "xx" * 64
    (folder.root / "elsewhere").replace(folder.root / "b.png")
    assert folder.inspect(cache)[0].equals(first)


def test_parts_that_another_run_has_put_together_meanwhile_are_no_error(folder, cache, monkeypatch):
    expected = folder.inspect(cache)[0]
    folder.write("b", "y", OLD + 1)
    folder.inspect(cache)
    folder.write("b", "b")
    monkeypatch.setattr(Kept, "_save", lambda self, table: [part.unlink() for part in cache.glob("*/*.parquet")])
    assert folder.inspect(cache)[0].equals(expected)


def test_stamps_of_members_are_those_of_their_container_and_nothing_has_none(folder):
    (folder.root / "all.parquet").write_bytes(b"12345")
    paths = ["a.png", "all.parquet#x/y", "gone.png", "none.parquet#x", None]
    found = folder.roots.stamps(pd.DataFrame({"source": "made", "path": paths}, index=[3, 1, 2, 9, 8]).astype("str"))
    assert found.index.tolist() == [3, 1, 2, 9, 8] and found["size"].tolist() == [1, 5, -1, -1, -1]
    assert found["mtime_ns"].tolist()[0] == (folder.root / "a.png").stat().st_mtime_ns
    assert found["ctime_ns"].tolist()[:2] == [
        (folder.root / name).stat().st_ctime_ns for name in ("a.png", "all.parquet")
    ]
    assert found.dtypes.tolist() == [np.int64] * 4
