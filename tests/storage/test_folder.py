"""Folders that are replaced as a whole: their checksums, and what a killed process leaves."""

import pytest

from cross_modal_kd.storage import clear_leftovers, replaced, verify


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
