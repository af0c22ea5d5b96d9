"""Disks that are full or read-only, and two runs at once: a short error that says what, and nothing is spoilt."""

import os
import re
import resource
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
import torch

from cross_modal_kd.config import ProjectionConfig
from cross_modal_kd.models import ModelBundle, Projection, load_bundle, projection_bundle, save_bundle
from cross_modal_kd.storage import Lock, read_csv, write_csv, write_whole
from cross_modal_kd.training.checkpoint import load_state, save_state
from killed import end, results, start


@contextmanager
def small_files(size: int):
    """No file of this process may grow beyond ``size`` bytes, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def disk(tmp_path):
    """``disk(size)`` mounts a small disk at a new folder."""
    mounted = []

    def mount(size: str) -> Path:
        folder = tmp_path / "disk"
        folder.mkdir()
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True)
        if made.returncode:
            pytest.skip("this user may not mount a disk")
        mounted.append(folder)
        return folder

    if shutil.which("mount") is None:
        pytest.skip("there is no mount")
    yield mount
    for folder in mounted:
        subprocess.run(["umount", folder], check=True)


def model(size: int) -> ModelBundle:
    """A projection from so many dimensions."""
    return projection_bundle(Projection(size, 2, ProjectionConfig(dim=3)), size, ["a", "b"])


WRITERS = {
    "write_whole": (lambda path, big: write_whole(path, "x" * (50_000 if big else 10)), Path.read_text),
    "write_csv": (
        lambda path, big: write_csv(path, pd.DataFrame({"a": range(20_000 if big else 3)})),
        lambda path: read_csv(path)["a"].tolist(),
    ),
    "save_bundle": (
        lambda path, big: save_bundle(path, model(5000 if big else 2)),
        lambda path: load_bundle(path).config["in_dim"],
    ),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_write_that_finds_no_space_leaves_what_was_there(tmp_path, name):
    write, read = WRITERS[name]
    write(tmp_path / "kept", False)
    before = read(tmp_path / "kept")
    with small_files(4096), pytest.raises(Exception, match=r"File too large|os error 27"):
        write(tmp_path / "kept", True)
    assert read(tmp_path / "kept") == before
    assert [file.name for file in tmp_path.iterdir()] == ["kept"]


def test_a_lock_on_a_disk_that_is_full_or_read_only_says_what_to_do(disk):
    folder = disk("64k")
    with pytest.raises(OSError, match="No space left"):
        (folder / "rest").write_bytes(b"0" * 100_000)
    with pytest.raises(OSError, match=r"the task cannot be written to: .*No space left.*data_root=/another/folder"):
        Lock(folder / "lock", "the task").acquire("a run")
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    with pytest.raises(OSError, match=r"the task cannot be written to: .*Read-only file system.*another/folder"):
        Lock(folder / "other", "the task").acquire("a run")


@pytest.mark.faults
@pytest.mark.parametrize("size", ["300k", "1m", "2m", "3m"])
def test_a_run_on_a_full_disk_names_it_and_goes_on_with_space(
    project_path, distilled, tracking_uri, tmp_path, disk, size
):
    root = disk(size)
    assert end(start(project_path, root, "distill", tmp_path / "log")) == 1
    error = (tmp_path / "log.error").read_text()
    assert "No space left" in error or "os error 28" in error, error
    assert str(root) in error.strip().splitlines()[-1], error
    subprocess.run(["mount", "-o", "remount,size=200m", root], check=True)
    assert end(start(project_path, root, "distill", tmp_path / "again")) == 0, (tmp_path / "again").read_text()[-3000:]
    assert results(root) == results(distilled)


@pytest.mark.faults
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("size", ["400k", "2m"])
def test_the_command_says_in_a_paragraph_that_the_disk_is_full_and_the_next_one_goes_on(
    project_path, distilled, tracking_uri, disk, size
):
    root = disk(size)
    command = [sys.executable, "-m", "kedro", "run", "--env=test", "--pipelines=distill", f"--params=data_root={root}"]
    paths = os.pathsep.join([str(project_path / "src"), os.environ.get("PYTHONPATH", "")])
    options = {"cwd": project_path, "capture_output": True, "text": True, "env": {**os.environ, "PYTHONPATH": paths}}
    ran = subprocess.run(command, **options)
    assert ran.returncode == 1
    assert "Traceback" not in ran.stdout + ran.stderr
    said = ran.stderr.strip().splitlines()[-12:]
    assert re.search("No space left|the disk is full", "\n".join(said)), said
    assert any(str(root) in line for line in said), said
    (log,) = {word.strip("().,;") for line in said for word in line.split() if ".log" in word}
    assert "Traceback" in (project_path / log).read_text()
    subprocess.run(["mount", "-o", "remount,size=200m", root], check=True)
    again = subprocess.run(command, **options)
    assert again.returncode == 0, again.stderr[-3000:]
    assert results(root) == results(distilled)


@pytest.mark.faults
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_console_that_is_written_to_a_full_disk_ends_no_run(project_path, distilled, tracking_uri, tmp_path):
    """Where nobody may mount a disk, this one is full for everybody."""
    command = [sys.executable, "-m", "kedro", "run", "--env=test", "--pipelines=ingestion"]
    with Path("/dev/full").open("w") as full:
        options = {"cwd": project_path, "env": {**os.environ, "PYTHONPATH": str(project_path / "src")}}
        ran = subprocess.run([*command, f"--params=data_root={tmp_path}"], stdout=full, stderr=full, **options)
    assert ran.returncode == 0
    table = "03_primary/test/drawn_split.csv"
    assert (tmp_path / table).read_bytes() == (distilled / table).read_bytes()


@pytest.mark.faults
def test_a_read_only_disk_ends_the_run_before_its_first_node(project_path, tracking_uri, tmp_path, disk):
    root = disk("10m")
    subprocess.run(["mount", "-o", "remount,ro", root], check=True)
    assert end(start(project_path, root, "distill", tmp_path / "log")) == 1
    assert "Read-only file system" in (tmp_path / "log.error").read_text().strip().splitlines()[-1]
    assert "Running node" not in (tmp_path / "log").read_text()
    assert not list(root.iterdir())


@pytest.mark.faults
def test_of_two_runs_at_once_one_is_refused_and_the_other_is_not_hurt(project_path, distilled, tracking_uri, tmp_path):
    root = tmp_path / "data"
    runs = [start(project_path, root, "distill", tmp_path / f"log{number}") for number in range(2)]
    assert sorted(map(end, runs)) == [0, 1]
    (error,) = tmp_path.glob("*.error")
    assert "is being written to by another run: " in error.read_text()
    assert results(root) == results(distilled)


@pytest.mark.faults
def test_two_tasks_side_by_side_do_not_meet(project_path, distilled, tracking_uri, tmp_path):
    shutil.copytree(project_path / "conf", tmp_path / "conf")
    shutil.copytree(tmp_path / "conf" / "test", tmp_path / "conf" / "other")
    root, conf = tmp_path / "data", str(tmp_path / "conf")
    runs = [
        start(project_path, root, "distill", tmp_path / f"log-{env}", env, conf_source=conf)
        for env in ("test", "other")
    ]
    assert list(map(end, runs)) == [0, 0]
    found = results(root)
    for path, digest in results(distilled).items():
        if path.endswith((".safetensors", ".parquet")) and "embedding_cache" not in path:  # others name the task
            assert found[path] == found[path.replace("/test/", "/other/")] == digest, path


def test_a_checkpoint_that_finds_no_space_is_named_and_the_one_before_is_kept(disk):
    folder = disk("200k")
    save_state(folder / "state", {"w": torch.ones(2)})
    with pytest.raises(OSError, match=r"disk is full.*/disk/state"):
        save_state(folder / "state", {"w": torch.ones(100_000)})
    assert load_state(folder / "state")["w"].tolist() == [1, 1]
    assert [file.name for file in folder.iterdir()] == ["state"]


def test_a_checkpoint_that_may_not_be_written_is_the_systems_error_with_its_file(tmp_path, monkeypatch):
    """Of safetensors' own kind it was taken for a fault of the program."""

    def refuse(*_, **__):
        raise Exception('I/O error: Permission denied (os error 13) at path "/x/.tmp1"')  # noqa: TRY002

    monkeypatch.setattr("cross_modal_kd.training.checkpoint.save_file", refuse)
    with pytest.raises(PermissionError, match="Permission denied") as refused:
        save_state(tmp_path / "state", {"w": torch.ones(2)})
    assert refused.value.filename == str(tmp_path / "state")
