"""The commands of "your own data" are run as they stand, in a project of its own, and say what the page says."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "your-own-data.md"
SHORTER = (
    "training.epochs=1,training.min_steps=2,training.batch_size=16,projection.epochs=1,projection.min_steps=2,"
    "evaluation.bootstrap=20,evaluation.train_subset=40"
)


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_commands_run_and_say_what_the_page_says(project_path, tmp_path, tracking_uri):
    home, project = tmp_path / "home", tmp_path / "project"
    home.mkdir()
    for name in ("conf", "docs/examples"):
        shutil.copytree(project_path / name, project / name)
    shutil.copy(project_path / "pyproject.toml", project)
    shutil.copytree(project_path / "src", project / "src", ignore=shutil.ignore_patterns("__pycache__"))
    where = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "HOME": str(home), "PATH": where, "PYTHONPATH": str(project / "src")}
    said, commands = {}, [line for block in blocks("sh") for line in block.splitlines()]
    assert len(commands) == 4
    for command in commands:
        if command.startswith("kedro run"):  # a shorter training
            command = f"{command},{SHORTER}" if "--params=" in command else f"{command} --params={SHORTER}"
        done = subprocess.run(
            ["bash", "-ec", command], cwd=project, env=environment, capture_output=True, text=True
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        said[command] = done.stdout.replace(str(home), "~")
    assert said["kedro new-task birds ~/birds"] == blocks("output")[0]
    for file in re.findall(r"`(data/\S+/birds/\S+)`", PAGE.read_text(encoding="utf-8")):
        assert (project / file).is_file(), file
