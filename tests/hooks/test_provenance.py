"""The notes beside reported files: whole with several writers, begun afresh where they are damaged."""

import json
import subprocess
import sys

import pytest

from cross_modal_kd.hooks.provenance import FILE, note

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
