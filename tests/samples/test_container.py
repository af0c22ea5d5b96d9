"""Members of Parquet files, of which one row group is read at a time."""

import pandas as pd
import pytest

from cross_modal_kd.samples import container
from cross_modal_kd.samples.container import member_bytes
from cross_modal_kd.samples.errors import SamplesError


@pytest.fixture
def file(tmp_path):
    rows = {"number": range(100), "wav": [bytes([number]) * 10_000 for number in range(100)]}
    pd.DataFrame(rows).to_parquet(tmp_path / "all.parquet", row_group_size=10)
    return tmp_path / "all.parquet"


def test_each_member_is_its_own_row_in_whatever_order(file):
    for number in (99, 0, 10, 9, 55, 0, 20, 19):
        assert member_bytes(file, str(number), "made") == bytes([number]) * 10_000


def test_no_more_is_kept_than_is_stated(file, monkeypatch):
    monkeypatch.setattr(container, "MOST_BYTES", 250_000)
    monkeypatch.setattr(container, "_kept", {})
    for number in (0, 10, 20, 5, 30, 40):
        member_bytes(file, str(number), "made")
        assert sum(group.nbytes for group in container._kept.values()) <= 250_000
    assert [group for _, _, group in container._kept] == [3, 4]
    monkeypatch.setattr(container, "MOST_BYTES", 1)
    assert member_bytes(file, "77", "made") == bytes([77]) * 10_000
    assert [group for _, _, group in container._kept] == [7]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"a": ["x"], "b": ["y"]}, r"expected one column of bytes beside the key columns, found \[\]"),
        ({"a": [b"x"], "b": [b"y"], "c": ["z"]}, r"expected one column of bytes .*, found \['a', 'b'\]"),
        (None, "all.parquet: not a readable Parquet file"),
    ],
)
def test_other_files_are_named(file, content, message):
    file.write_bytes(b"PAR1") if content is None else pd.DataFrame(content).to_parquet(file)
    with pytest.raises(SamplesError, match=message):
        member_bytes(file, "x", "made")
