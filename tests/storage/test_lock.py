"""One writer at a time, whoever was killed."""

import errno
import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict

import pytest

from cross_modal_kd.cli.errors import told
from cross_modal_kd.storage import HeldError, Lock, write_whole
from cross_modal_kd.storage import lock as lock_module
from cross_modal_kd.storage.lock import Owner

HOLD = """
import sys, time
from pathlib import Path
from cross_modal_kd.storage import Lock
Lock(Path(sys.argv[1]), "the task").acquire("kedro run --env=other")
print("held", flush=True)
time.sleep(60)
"""


def holder(folder):
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_writer_is_refused_with_the_name_of_the_first_and_a_killed_one_is_taken_over_from(tmp_path, caplog):
    first = holder(tmp_path)
    with pytest.raises(HeldError, match=rf"process {first.pid}.*kedro run --env=other.*data_root"):
        Lock(tmp_path, "the task").acquire("kedro run")
    first.send_signal(signal.SIGKILL)
    first.wait()
    lock = Lock(tmp_path, "the task")
    lock.acquire("kedro run")
    assert "taken over" in caplog.text
    lock.release()
    assert not list(tmp_path.glob("*.json"))


@pytest.mark.parametrize(("silent", "held"), [(0, True), (3600, False)])
def test_a_run_on_another_machine_holds_it_while_it_is_heard_of(tmp_path, silent, held):
    owner = Owner("ann", {"process.host": "elsewhere", "process.pid": "1", "process.started": "0"}, 0.0, "kedro run")
    file = tmp_path / "there.json"
    file.write_text(json.dumps(asdict(owner)))
    os.utime(file, (file.stat().st_mtime - silent,) * 2)
    lock = Lock(tmp_path, "the task")
    if held:
        with pytest.raises(HeldError, match="ann on elsewhere"):
            lock.acquire("kedro run")
    else:
        lock.acquire("kedro run")


COUNT = """
import sys
from pathlib import Path
from cross_modal_kd.storage import guarded
folder = Path(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for _ in range(100):
    with guarded(folder / ".count.lock", passing=True):
        count = int((folder / "count").read_text())
        (folder / "count").write_text(str(count + 1))
"""


def test_a_disk_without_space_is_named_in_what_the_user_is_told(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(lock_module, "write_whole", full)
    with pytest.raises(OSError, match="the task cannot be written to") as refused:
        Lock(tmp_path / "locks", "the task").acquire("a run")
    assert told(refused.value).startswith(f"the disk is full ({tmp_path / 'locks'}): make room")


def test_a_lock_that_passes_is_held_by_one_at_a_time_and_leaves_nothing(tmp_path):
    (tmp_path / "count").write_text("0")
    counters = [
        subprocess.Popen([sys.executable, "-c", COUNT, str(tmp_path)], stdin=-1, stdout=-1, text=True) for _ in range(4)
    ]
    assert [each.stdout.readline() for each in counters] == ["ready\n"] * 4
    for each in counters:
        each.stdin.write("\n")
        each.stdin.flush()
    assert [each.wait() for each in counters] == [0] * 4
    assert (tmp_path / "count").read_text() == "400" and [each.name for each in tmp_path.iterdir()] == ["count"]


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    write_whole(tmp_path / "a.json", "old")
    with pytest.raises(TypeError):
        write_whole(tmp_path / "a.json", 3)
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"] and (tmp_path / "a.json").read_text() == "old"
