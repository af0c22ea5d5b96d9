"""TableDataset: tables that people open."""

import inspect

import pandas as pd
import pytest
from kedro.io import DatasetError
from kedro_datasets._typing import TablePreview

from cross_modal_kd.datasets import TableDataset


def test_a_table_comes_back_as_it_was_and_is_safe_on_disk(tmp_path):
    entry = TableDataset(filepath=str(tmp_path / "new" / "t.csv"), metadata={"a": 1})
    assert not entry.exists() and entry.metadata == {"a": 1}
    table = pd.DataFrame({"path": ["=1+1/a.png", "\x1b[2Jb.png"], "n": [-1, 2]})
    entry.save(table)
    assert entry.exists()
    assert (tmp_path / "new" / "t.csv").read_text() == "path,n\n'=1+1/a.png,-1\n\\x1b[2Jb.png,2\n"
    pd.testing.assert_frame_equal(entry.load(), table)


def test_kedro_viz_sees_the_first_rows(tmp_path):
    entry = TableDataset(filepath=str(tmp_path / "t.csv"))
    entry.save(pd.DataFrame({"a": range(30)}))
    assert entry.preview(nrows=2)["data"] == [[0], [1]]
    assert inspect.signature(entry.preview).return_annotation is TablePreview


def test_what_is_no_table_is_refused_and_what_is_missing_named(tmp_path):
    entry = TableDataset(filepath=str(tmp_path / "t.csv"))
    with pytest.raises(DatasetError, match=r"t\.csv takes a table, found list"):
        entry.save([1])
    with pytest.raises(DatasetError, match=r"t\.csv"):
        entry.load()
