"""DirectoryDataset: a folder to work in."""

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
