"""The notes beside reported files: whole with several writers, begun afresh where they are damaged."""

import json
import subprocess
import sys

import pytest

from cross_modal_kd.hooks.provenance import FILE, note, other_students

WRITER = """
import sys
from pathlib import Path
from cross_modal_kd.hooks.provenance import note
folder = Path(sys.argv[1])
for number in range(30):
    file = folder / f"{sys.argv[2]}-{number}.csv"
    file.write_text(file.name)
    note(folder, file, {"command": "kedro run"})
"""


def test_several_writers_lose_no_entry(tmp_path):
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), name]) for name in "abc"]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert len(json.loads((tmp_path / FILE).read_text())) == 90


@pytest.mark.parametrize("damage", [b"", b'{"a.csv": {', b"[1]", b"\xff\xfe\x00"])
def test_damaged_notes_are_set_aside_with_a_warning(tmp_path, damage, caplog):
    (tmp_path / FILE).write_bytes(damage)
    file = tmp_path / "b.csv"
    file.write_text("1")
    note(tmp_path, file, {"command": "kedro run"})
    assert list(json.loads((tmp_path / FILE).read_text())) == ["b.csv"]
    (aside,) = tmp_path.glob("*.damaged")
    assert aside.read_bytes() == damage and aside.name in caplog.text


def test_students_that_were_made_with_other_parameters_are_warned_of(tmp_path):
    """The page of `evaluation` alone would show this run's parameters beside another's students."""
    (tmp_path / "distilled").mkdir()
    history = tmp_path / "distilled" / "history.csv"
    history.write_text("epoch\n1\n")
    made = {"student": {"encoder": {"name": "resnet18"}}, "training": {"epochs": 4}}
    note(tmp_path, history, {"command": "kedro run --pipelines=distill --params=...", "params": made})
    inputs = {"distilled.student", "student_alone.student", "samples"}
    (said,) = other_students(tmp_path, inputs, {"training": {"epochs": 4}})
    assert "'distilled' was made by `kedro run --pipelines=distill --params=...`" in said
    assert not list(other_students(tmp_path, inputs, {**made, "evaluation": {"bootstrap": 7}, "data_root": "x"}))
    assert not list(other_students(tmp_path, {"samples"}, {}))
    assert len(list(other_students(tmp_path, inputs, {**made, "distillation": {"arm": "x"}}))) == 1
