"""The commands of "your own data" are run as they stand, in a project of its own, and say what the page says.

`kedro` runs in this process, which has imported everything already; `make stranger` types such commands into a shell.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from kedro.framework.cli.cli import KedroCLI
from kedro.framework.startup import bootstrap_project

PAGE = Path(__file__).parents[2] / "docs" / "your-own-data.md"
SHORTER = (
    "training.epochs=1,training.min_steps=2,training.batch_size=16,projection.epochs=1,projection.min_steps=2,"
    "evaluation.bootstrap=20,evaluation.train_subset=40"
)


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.fixture
def project(project_path, tmp_path, monkeypatch):
    """A project without data of its own, where commands are typed; afterwards Kedro is set up for this one again."""
    folder = tmp_path / "project"
    for name in ("conf", "docs/examples"):
        shutil.copytree(project_path / name, folder / name)
    shutil.copy(project_path / "pyproject.toml", folder)
    (folder / "src").mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", sys.path[:])
    yield folder
    bootstrap_project(project_path)


def typed(command: str) -> None:
    """Run a command line to its end, which has no error."""
    program, *words = map(os.path.expanduser, shlex.split(command))
    if program == "kedro":
        with pytest.raises(SystemExit) as ended:
            KedroCLI(project_path=Path.cwd()).main(words)
        assert not ended.value.code, command
    else:
        assert program == "python"
        subprocess.run([sys.executable, *words], check=True)


@pytest.mark.slow
def test_the_commands_run_and_say_what_the_page_says(project, tmp_path, tracking_uri, monkeypatch, capsys):
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    said, commands = {}, [line for block in blocks("sh") for line in block.splitlines()]
    assert len(commands) == 4
    for command in commands:
        if command.startswith("kedro run"):  # a shorter training
            command = f"{command},{SHORTER}" if "--params=" in command else f"{command} --params={SHORTER}"
        typed(command)
        said[command] = capsys.readouterr().out.replace(str(tmp_path / "home"), "~")
    assert said["kedro new-task birds ~/birds"] == blocks("output")[0]
    for file in re.findall(r"`(data/\S+/birds/\S+)`", PAGE.read_text(encoding="utf-8")):
        assert (project / file).is_file(), file
