"""Folders that are replaced as a whole: their checksums, and what a killed process leaves."""

import pandas as pd
import pytest

from cross_modal_kd.models import ModelBundle, load_bundle
from cross_modal_kd.samples import SamplesError, load_table, read_parquet
from cross_modal_kd.storage import (
    NotReadableError,
    clear_leftovers,
    file_in,
    parse_json,
    read_json,
    replaced,
    verify,
)
from cross_modal_kd.training import once
from cross_modal_kd.training.checkpoint import load_plain, load_state
from refused import refuse

HISTORY = pd.DataFrame({"epoch": [1.0], "loss": [0.1]})


def test_a_bit_that_flips_is_found_and_a_folder_without_checksums_is_taken(tmp_path):
    with replaced(tmp_path / "model") as new:
        (new / "a.bin").write_bytes(b"abc")
    verify(tmp_path / "model")
    (tmp_path / "model" / "a.bin").write_bytes(b"abb")
    with pytest.raises(ValueError, match=r"model/a.bin is damaged.*Make it again"):
        verify(tmp_path / "model")
    (tmp_path / "model" / "checksums.json").unlink()
    verify(tmp_path / "model")


def test_what_killed_runs_have_left_is_cleared_and_a_folder_that_was_moved_away_comes_back(tmp_path):
    digits = "0123456789abcdef" * 2
    kept = ["layer/student/model.safetensors", "layer/.hidden", "layer/a.new", "layer/notes.tmp"]
    left = [f"layer/.student.{digits}.new/x", "layer/.a.json.123.01234567.new", "layer/c.77.tmp", "metrics.json.tmp"]
    for name in (*kept, *left, f"layer/.gone.{digits}.old/config.json", f"layer/.student.{digits}.old/x"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    clear_leftovers(tmp_path)
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {*kept, "layer/gone/config.json"}
    assert clear_leftovers(tmp_path / "none") == 0


READERS = {
    "a file": lambda folder: file_in(folder, "config.json"),
    "json": lambda folder: read_json(folder, "config.json", set()),
    "anybody's json": lambda folder: parse_json(folder / "config.json"),
    "checksums": verify,
    "a model": load_bundle,
    "embeddings": load_table,
    "a table": lambda folder: read_parquet(folder / "table.parquet"),
    "a checkpoint": lambda folder: load_state(folder / "model.safetensors"),
    "its plain part": lambda folder: load_plain(folder / "model.safetensors"),
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_a_file_that_the_system_does_not_give_is_called_neither_missing_nor_damaged(tmp_path, monkeypatch, read):
    with replaced(tmp_path / "model") as new:
        for name in ("config.json", "table.json", "model.safetensors", "table.parquet"):
            (new / name).write_text("{}")
    refuse(monkeypatch, tmp_path / "model")
    with pytest.raises((NotReadableError, SamplesError)) as raised:
        read(tmp_path / "model")
    said = str(raised.value)
    assert f"{tmp_path / 'model'}/" in said and "cannot be read (Permission denied)" in said
    assert "give yourself the right" in said and "damaged" not in said and "again" not in said


def test_what_cannot_be_read_is_not_made_again_in_its_place(tmp_path, monkeypatch):
    def made():
        return ModelBundle("pretrained", {"encoder": {"library": "timm", "name": "x"}, "inputs": {}}, {}), HISTORY

    def never():
        raise AssertionError("what was finished is trained again")

    once(tmp_path / "none-ab12.safetensors", made, lambda row, epoch: None)
    refuse(monkeypatch, tmp_path / "finished")
    with pytest.raises(NotReadableError, match="none-ab12"):
        once(tmp_path / "none-ab12.safetensors", never, lambda row, epoch: None)
