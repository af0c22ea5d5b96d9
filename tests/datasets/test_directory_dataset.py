"""DirectoryDataset: a folder to work in."""

from pathlib import Path

import pytest
from kedro.io import DatasetError

from cross_modal_kd.datasets import DirectoryDataset


def test_loading_makes_the_folder_and_keeps_what_is_in_it(tmp_path):
    dataset = DirectoryDataset(filepath=str(tmp_path / "a" / "cache"))
    assert not dataset.exists()
    (dataset.load() / "kept").touch()
    assert dataset.exists()
    assert [path.name for path in dataset.load().iterdir()] == ["kept"]


def test_it_is_an_input_and_no_output(tmp_path):
    with pytest.raises(DatasetError, match="make it a node's input, not its output"):
        DirectoryDataset(filepath=str(tmp_path)).save(tmp_path)


def test_a_file_in_its_place_is_named(tmp_path):
    (tmp_path / "cache").touch()
    with pytest.raises(DatasetError, match="cache must be a folder, found a file"):
        DirectoryDataset(filepath=str(tmp_path / "cache")).load()


def test_a_folder_that_cannot_be_made_is_said_to_be_one(tmp_path, monkeypatch):
    """A data root that is read-only was one that `cannot be read`."""

    def refused(*_, **__):
        raise OSError(30, "Read-only file system", str(tmp_path))

    monkeypatch.setattr(Path, "mkdir", refused)
    with pytest.raises(DatasetError, match=r"new cannot be made \(Read-only file system\).*data_root=/another/folder"):
        DirectoryDataset(filepath=str(tmp_path / "new")).load()
