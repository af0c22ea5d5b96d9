"""Tables that are written row by row."""

import json

import pandas as pd
import pytest

from cross_modal_kd.storage import RowsFile, read_csv, rows_file

COLUMNS = {"name": str, "score": float, "poor": bool, "count": int}
ROWS = [
    {"name": "=1+1", "score": 0.1 + 0.2, "poor": True, "count": 1},
    {"name": None, "score": None, "poor": None, "count": None},
    {"name": "a\nb,\udc80", "score": float("nan"), "poor": False, "count": 2},
]


@pytest.fixture(params=[1, 2, 1000])
def at_once(request, monkeypatch):
    monkeypatch.setattr(rows_file, "ROWS", request.param)


def written(file, rows=ROWS):
    with RowsFile(file, COLUMNS) as table:
        for row in rows:
            table.write(row)
    return file


def test_rows_are_the_same_in_every_format_however_many_go_at_once(tmp_path, at_once):
    csv = read_csv(written(tmp_path / "a.csv"))
    assert csv["name"].tolist()[::2] == ["=1+1", "a\nb,\udc80"] and csv["score"][0] == 0.1 + 0.2
    assert "\n'=1+1," in (tmp_path / "a.csv").read_text() and len((tmp_path / "a.csv").read_text().splitlines()) == 4
    parquet = pd.read_parquet(written(tmp_path / "a.PARQUET"))
    lines = [json.loads(line) for line in written(tmp_path / "a.jsonl").read_text().splitlines()]
    for found in (parquet["name"].tolist(), [line["name"] for line in lines]):
        assert found[0] == "=1+1" and found[2] == "a\nb,\\udc80"
    assert [line["score"] for line in lines] == [0.1 + 0.2, None, None] and parquet["score"].isna().tolist()[1:] == [
        1,
        1,
    ]
    assert (
        [line["poor"] for line in lines]
        == [True, None, False]
        == [bool(x) if x is not None else None for x in parquet["poor"]]
    )
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.PARQUET", "a.csv", "a.jsonl"]


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_no_rows_are_a_table_too(tmp_path, ending):
    file = written(tmp_path / f"a.{ending}", rows=[])
    assert file.exists() and (ending == "jsonl" or "name" in file.read_bytes().decode("latin1"))


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_an_error_leaves_the_old_file_and_the_rows_so_far_beside_it(tmp_path, ending):
    file = tmp_path / f"a.{ending}"
    file.write_text("old")
    with pytest.raises(KeyboardInterrupt), RowsFile(file, COLUMNS) as table:
        table.write(ROWS[0])
        raise KeyboardInterrupt
    assert file.read_text() == "old" and b"=1+1" in table.part.read_bytes()
    with pytest.raises(KeyboardInterrupt), RowsFile(file, COLUMNS) as table:
        raise KeyboardInterrupt
    assert not table.part.exists()


def test_another_format_or_a_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match="a.xlsx: expected a name that ends in .csv, .parquet, .jsonl"):
        RowsFile(tmp_path / "a.xlsx", COLUMNS)
    (tmp_path / "b.csv").mkdir()
    with pytest.raises(IsADirectoryError, match="is a folder: name a file"):
        RowsFile(tmp_path / "b.csv", COLUMNS)
