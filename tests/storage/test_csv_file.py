"""Tables that people open in a spreadsheet: safe there, and the same texts again here."""

import csv
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cross_modal_kd.storage import plain_text, read_csv, safe_text, without_addresses, write_csv

TEXTS = [
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u3000=1", "＝1", "＠x", "'=1", "''=1", "'", "-",
    '=HYPERLINK("http://x","y")', "=cmd|' /C calc'!A0", "a;=1+1", "a;'-b", ";;@", "\x1b[31mred\x1b[0m", "\x9b31m",
    "\x1b]8;;http://x\x07click", "a\u202efdp.exe", "a\u2066b", "\ufeffa", "\0", "a\nb", "a\r\nb", "\\x1b", "\\\\x1b",
    "\\u202e", "C:\\x41\\new", "\\", "NA", "nan", "None", "null", "a,b", 'q"q"', "  a ", "é😀", "plain", "\udcff.png",
]  # fmt: skip
STARTS = re.compile(r"^\s*[=+\-@＝＋－＠]")
HIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_no_formula_and_steers_no_terminal(text):
    safe = safe_text(text)
    safe.encode("utf-8")
    assert not STARTS.match(safe) and not HIDDEN.search(safe) and "\n" not in safe
    assert not any(STARTS.match(part) for part in safe.split(";"))
    assert plain_text(safe) == text


@settings(max_examples=500, deadline=None)
@given(st.text(st.characters(codec=None) | st.sampled_from("'=+-@;\\x1bu20e \t\r\n\x1b\u202e\udcff＝")))
def test_any_text_comes_back_and_is_safe(text):
    safe = safe_text(text)
    assert plain_text(safe) == text
    assert not STARTS.match(safe) and not HIDDEN.search(safe)
    assert safe_text(safe).startswith("''") or not safe.startswith("'=")  # what was safe once is told from the text


def test_a_table_comes_back_as_it_was(tmp_path):
    table = pd.DataFrame(
        {
            "=text": pd.Series(TEXTS, dtype=object),
            "number": np.linspace(-1, 1, len(TEXTS)),
            "count": range(-3, len(TEXTS) - 3),
            "yes": [place % 2 == 0 for place in range(len(TEXTS))],
            "missing": [None if place % 2 else "-x" for place in range(len(TEXTS))],
            "gaps": [np.nan if place % 2 else -0.5 for place in range(len(TEXTS))],
        }
    )
    write_csv(tmp_path / "new" / "t.csv", table)
    found = read_csv(tmp_path / "new" / "t.csv")
    pd.testing.assert_frame_equal(found, table, check_dtype=False)
    assert [found[name].dtype.kind for name in ("number", "count", "yes", "gaps")] == ["f", "i", "b", "f"]
    assert found["=text"].tolist() == TEXTS
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["t.csv"]
    assert len(read_csv(tmp_path / "new" / "t.csv", rows=3)) == 3


def test_numbers_are_written_as_numbers_and_plain_tables_as_pandas_writes_them(tmp_path):
    table = pd.DataFrame({"arm": ["none", "a, b"], "eer": [-0.25, np.nan], "n": [-1, 2], "yes": [True, False]})
    write_csv(tmp_path / "t.csv", table)
    assert (tmp_path / "t.csv").read_text() == table.to_csv(index=False)
    assert "-0.25" in (tmp_path / "t.csv").read_text()


@pytest.mark.parametrize("name", sorted(Path("docs/results").rglob("*.csv")), ids=str)
def test_the_tables_in_the_repository_are_read_and_written_as_before(tmp_path, name):
    pd.testing.assert_frame_equal(read_csv(name), pd.read_csv(name))
    write_csv(tmp_path / "t.csv", read_csv(name))
    assert (tmp_path / "t.csv").read_bytes() == name.read_bytes()


class Thing:
    """Its text is an address in memory."""


def test_no_cell_has_an_address_in_memory(tmp_path):
    table = pd.DataFrame({"a": [Thing(), "x"], "b": [[Thing()], {"k": 1}]})
    write_csv(tmp_path / "t.csv", table)
    text = (tmp_path / "t.csv").read_text()
    assert "0x" not in text and "Thing>" in text
    assert (
        without_addresses("<_io.BytesIO object at 0x7F3a> and <function f at 0x1>") == "<_io.BytesIO> and <function f>"
    )


def test_a_failed_write_leaves_the_older_table(tmp_path, monkeypatch):
    write_csv(tmp_path / "t.csv", pd.DataFrame({"a": [1]}))

    def full_disk(*_, **__):
        raise OSError("no space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full_disk)
    with pytest.raises(OSError, match="no space left"):
        write_csv(tmp_path / "t.csv", pd.DataFrame({"a": [2]}))
    assert [file.name for file in tmp_path.iterdir()] == ["t.csv"]
    assert read_csv(tmp_path / "t.csv")["a"].tolist() == [1]


def test_an_empty_table_and_columns_of_one_name_are_written(tmp_path):
    write_csv(tmp_path / "t.csv", pd.DataFrame({"a": [], "b": []}))
    assert list(read_csv(tmp_path / "t.csv").columns) == ["a", "b"]
    twice = pd.DataFrame([["=1", "=2"]], columns=["a", "a"])
    write_csv(tmp_path / "t.csv", twice)
    with (tmp_path / "t.csv").open() as file:
        assert list(csv.reader(file)) == [["a", "a"], ["'=1", "'=2"]]


def test_tables_have_one_way_to_disk(project_path):
    """What writes a CSV file by itself would write formulas."""
    sources = (project_path / "src").rglob("*.py")
    writers = {file.name for file in sources if ".to_csv(" in file.read_text() or "csv.writer" in file.read_text()}
    assert writers == {"csv_file.py", "texts.py"}  # captions.csv of new-task is an input: its texts stand as they are
    catalogs = list((project_path / "conf").rglob("*.yml"))
    assert catalogs and not [file for file in catalogs if "CSVDataset" in file.read_text()]


@pytest.mark.parametrize("kept", [0, 1, 5, 9])
def test_a_file_that_was_cut_off_is_no_shorter_table(tmp_path, kept):
    file = tmp_path / "t.csv"
    write_csv(file, pd.DataFrame({"epoch": [1, 2], "loss": [0.5, 0.25]}))
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(ValueError, match="t.csv was cut off"):
        read_csv(file)
