"""ColumnsDataset: long tables, read a column at a time."""

import inspect

import numpy as np
import pandas as pd
import pytest
from kedro.io import DatasetError
from kedro_datasets._typing import TablePreview

from cross_modal_kd.datasets import ColumnsDataset
from cross_modal_kd.tracking import fingerprint


@pytest.mark.parametrize("rows", [0, 1000])
def test_a_table_comes_back_as_pandas_reads_it(tmp_path, rows):
    file = tmp_path / "new" / "t.parquet"
    entry = ColumnsDataset(filepath=str(file), metadata={"a": 1})
    assert not entry.exists() and entry.metadata == {"a": 1}
    ids = pd.CategoricalDtype(pd.Index([f"{n}.wav" for n in range(50)], dtype="str"))
    codes = np.random.default_rng(0).integers(-1, 50, rows)
    table = pd.DataFrame({"id": pd.Categorical.from_codes(codes, dtype=ids), "target": codes, "same": codes > 3})
    entry.save(table)
    assert entry.exists()
    found = entry.load()
    pd.testing.assert_frame_equal(found, pd.read_parquet(file))
    assert fingerprint(found) == fingerprint(table)
    if rows:  # no row, no category
        pd.testing.assert_frame_equal(found, table)


def test_a_write_that_is_killed_leaves_the_table_before(tmp_path, monkeypatch):
    entry, table = ColumnsDataset(filepath=str(tmp_path / "t.parquet")), pd.DataFrame({"a": range(30)})
    entry.save(table)

    def killed(self, path):
        path.write_bytes(b"PAR1 and no more")
        raise KeyboardInterrupt

    monkeypatch.setattr(pd.DataFrame, "to_parquet", killed)
    with pytest.raises(KeyboardInterrupt):
        entry.save(table.assign(a=0))
    pd.testing.assert_frame_equal(entry.load(), table)
    assert [file.name for file in tmp_path.iterdir()] == ["t.parquet"]


def test_kedro_viz_sees_the_first_rows(tmp_path):
    entry = ColumnsDataset(filepath=str(tmp_path / "t.parquet"))
    entry.save(pd.DataFrame({"a": range(30)}))
    assert entry.preview(nrows=2)["data"] == [[0], [1]]
    assert inspect.signature(entry.preview).return_annotation is TablePreview


def test_what_is_no_table_is_refused(tmp_path):
    with pytest.raises(DatasetError, match=r"t\.parquet takes a table, found dict"):
        ColumnsDataset(filepath=str(tmp_path / "t.parquet")).save({"a": [1]})


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(DatasetError, match=r"t\.parquet"):
        ColumnsDataset(filepath=str(tmp_path / "t.parquet")).load()
