"""Files that have changed in place since ingestion looked at them are named before anything is learnt from them."""

import hashlib
import os

import pandas as pd
import pytest

from cross_modal_kd.config import SourceConfig
from cross_modal_kd.samples import Kept, Roots, SamplesError, require_unchanged
from cross_modal_kd.samples import changed as changed_module

OLD = 10**18  # ns
NAMES = ("a", "b", "c")


class Folder:
    """Three files that ingestion has seen, and how often each is read since."""

    def __init__(self, root, cache):
        self.root, self.cache, self.read = root, cache, []
        for name in NAMES:
            self.write(name, name.encode())
        self.roots = Roots({"made": SourceConfig(layout="folder", root=str(root))})
        self.samples = pd.DataFrame(
            {
                "modality": "image",
                "source": "made",
                "path": [f"{name}.png" for name in NAMES],
                "sha256": [hashlib.sha256(name.encode()).hexdigest() for name in NAMES],
            }
        )
        kept = Kept(cache, "this", self.roots.stamps)
        kept.known(self.samples)
        kept.keep(pd.DataFrame({"width": [1] * len(NAMES)}))
        kept.write()

    def write(self, name, content, when=OLD):
        (self.root / f"{name}.png").write_bytes(content)
        os.utime(self.root / f"{name}.png", ns=(when, when))

    def digest(self, row):
        self.read.append(row["path"])
        return hashlib.sha256(self.roots.bytes(row["source"], row["path"])).hexdigest()

    def check(self):
        require_unchanged(self.samples, self.cache, self.roots.stamps, self.digest)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "files").mkdir()
    return Folder(tmp_path / "files", tmp_path / "cache")


def test_what_is_as_it_was_is_not_opened(folder):
    folder.check()
    assert folder.read == []


@pytest.mark.parametrize(("content", "when"), [(b"longer", OLD), (b"x", OLD + 1), (b"x", OLD * 17 // 10)])
def test_another_content_is_named_with_what_to_do(folder, content, when):
    folder.write("b", content, when)
    with pytest.raises(
        SamplesError, match=r"1 file has another content than .* at it: 'b\.png'. `kedro run --pipelines=ing"
    ):
        folder.check()
    assert folder.read == ["b.png"]


def test_a_copy_of_the_folder_has_other_times_and_the_same_content(folder):
    for name in NAMES:
        folder.write(name, name.encode(), OLD + 5)
    folder.check()
    assert len(folder.read) == len(NAMES)


def test_of_very_many_some_are_read_and_the_message_says_so(folder, monkeypatch):
    monkeypatch.setattr(changed_module, "READ", 2)
    for name in NAMES:
        folder.write(name, b"other", OLD + 5)
    with pytest.raises(
        SamplesError, match=r"2 files have another content \(of 2 that were read, 3 having another time\)"
    ):
        folder.check()
    assert folder.read == ["a.png", "c.png"]


def test_what_is_gone_is_told_by_who_reads_it_and_what_has_no_path_has_no_file(folder):
    (folder.root / "a.png").unlink()
    folder.samples.loc[1, ["modality", "path"]] = "text", None
    folder.write("b", b"other")
    folder.check()


def test_what_was_never_looked_at_or_by_a_damaged_note_is_let_through(folder, tmp_path):
    folder.write("b", b"other")
    require_unchanged(folder.samples, tmp_path / "nothing", folder.roots.stamps, folder.digest)
    for file in folder.cache.rglob("*.parquet"):
        file.write_bytes(b"PAR1")
    folder.check()
