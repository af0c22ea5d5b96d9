"""What docs/scale.md says of machines: the image's steps, the scripts of SLURM and Ray, the DAG of Airflow."""

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

PROJECT = Path(__file__).parents[2]
DECLARED = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PAGE = (PROJECT / "docs" / "scale.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent


def steps() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile, a line each."""
    text = (PROJECT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in lines)]


def pip_install() -> list[str]:
    (command,) = [rest for name, rest in steps() if name == "RUN" and "pip install" in rest]
    return shlex.split(command)


def environment() -> dict[str, str]:
    paths = {"PATH": str(BIN), "PYTHONPATH": str(PROJECT / "src")}
    return os.environ | {name: os.pathsep.join([first, os.environ.get(name, "")]) for name, first in paths.items()}


def test_the_image_has_a_python_that_is_supported_and_a_user_who_is_not_root():
    names = [name for name, _ in steps()]
    (base,) = [rest for name, rest in steps() if name == "FROM"]
    assert re.fullmatch(r"python:\d+\.\d+-slim", base)
    assert f"{base[len('python:') : -len('-slim')]}.0" in SpecifierSet(DECLARED["requires-python"])
    (user,) = [rest for name, rest in steps() if name == "USER"]
    made = next(rest for name, rest in steps() if name == "RUN" and "useradd" in rest)
    assert user not in ("root", "0") and user in shlex.split(made)
    assert names.index("USER") < names.index("COPY") and names[-1] == "CMD"


def test_the_image_installs_the_tested_versions_with_extras_that_there_are():
    words = pip_install()
    constraints = words[words.index("-c") + 1]
    assert (PROJECT / constraints).is_file()
    extras = Requirement(f"{DECLARED['name']}{words[-1].removeprefix('.')}").extras
    assert extras == {"all", "cluster"} and extras <= set(DECLARED["optional-dependencies"])


def test_the_image_is_made_of_files_that_there_are():
    kept = [line[1:] for line in (PROJECT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert kept and all((PROJECT / name).exists() for name in kept)
    needed = {*DECLARED["license-files"], DECLARED["readme"], "pyproject.toml", "constraints.txt", "src", "conf"}
    assert needed <= set(kept)


@pytest.mark.slow
def test_the_install_of_the_image_finds_its_package(tmp_path):
    """The very command, without what it would fetch, on the files that the image has."""
    kept = [line[1:] for line in (PROJECT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for name in kept:
        if (PROJECT / name).is_file():
            shutil.copy(PROJECT / name, tmp_path / name)
    shutil.copytree(PROJECT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    command = [sys.executable, *pip_install()[1:], "--dry-run", "--no-deps", "--no-build-isolation", "--no-index"]
    report = tmp_path / "report.json"
    done = subprocess.run(
        [*command, "--report", str(report)], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(report.read_text())["install"]
    assert found["metadata"]["name"] == DECLARED["name"] and found["requested_extras"] == ["all", "cluster"]


@pytest.mark.slow
def test_the_image_starts_with_a_command_that_there_is():
    (command,) = [json.loads(rest) for name, rest in steps() if name == "CMD"]
    done = subprocess.run(command, cwd=PROJECT, env=environment(), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and "Usage: kedro" in done.stdout


def kedro_runs() -> list[list[str]]:
    """The words behind every ``kedro run`` on the page."""
    text = PAGE.replace("\\\n", " ")
    blocks = "\n".join(re.findall(r"```\w*\n(.*?)```", text, flags=re.DOTALL))
    found = re.findall(r"kedro run ([^\n#&;)]*)", blocks)
    return [shlex.split(each) for each in found]


def test_the_runs_of_the_page_are_of_pipelines_and_parameters_that_there_are(project_path):
    import configuration_reference
    from kedro.framework.project import pipelines

    base, runs = configuration_reference.in_base(), kedro_runs()
    assert len(runs) > 5
    for words in runs:
        for word in words:
            option, _, value = word.partition("=")
            if option in ("--pipeline", "--pipelines"):
                assert set(value.split(",")) <= set(pipelines), words
            for key in re.findall(r"compute\.(\w+)=", value):
                assert key in base["compute"], words


@pytest.mark.skipif(find_spec("ray") is None, reason="needs Ray")
@pytest.mark.slow
def test_the_ray_commands_of_the_page_have_the_options_that_they_are_given():
    lines = [line.strip() for line in PAGE.replace("\\\n", " ").splitlines() if re.search(r"\bray (start|symm)", line)]
    commands = [match for line in lines for match in re.findall(r"\bray (start|symmetric-run)( [^`#]*)", line)]
    assert {name for name, _ in commands} == {"start", "symmetric-run"}
    for name in ("start", "symmetric-run"):
        done = subprocess.run([BIN / "ray", name, "--help"], capture_output=True, text=True, timeout=120)
        given = {option for each, rest in commands if each == name for option in re.findall(r" (--[a-z-]+)", rest)}
        assert given and all(option in done.stdout for option in given - {"--pipelines", "--params", "--env"})


@pytest.mark.skipif(find_spec("kedro_airflow") is None, reason="needs kedro-airflow")
@pytest.mark.slow
def test_the_dag_of_airflow_has_a_task_for_each_stage_in_the_order_of_the_pipeline(project_path, tmp_path):
    (words,) = [shlex.split(line) for line in PAGE.splitlines() if line.startswith("kedro airflow create")]
    command = [f"--target-dir={tmp_path}" if word.startswith("--target-dir") else word for word in words]
    done = subprocess.run(command, cwd=PROJECT, env=environment(), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    (file,) = tmp_path.glob("*.py")
    tasks, edges = dag_of(ast.parse(file.read_text(encoding="utf-8")))
    from kedro.framework.project import pipelines

    distill = pipelines["distill"]
    assert tasks == {node.namespace.partition(".")[0] for node in distill.nodes}
    needs = {
        (one.namespace.partition(".")[0], other.namespace.partition(".")[0])
        for other, before in distill.node_dependencies.items()
        for one in before
    }
    assert edges == {(one, other) for one, other in needs if one != other}
    graph = {task: {one for one, other in edges if other == task} for task in tasks}
    assert next(iter(TopologicalSorter(graph).static_order())) == "ingestion"


def dag_of(tree: ast.Module) -> tuple[set[str], set[tuple[str, str]]]:
    """(namespaces that are run, what runs before what) of a file that kedro-airflow has written."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "namespaces"]
    tasks = {name for each in calls if isinstance(each.value, ast.List) for name in ast.literal_eval(each.value)}
    shifts = [node for node in ast.walk(tree) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.RShift)]
    return tasks, {tuple(ast.literal_eval(side.slice) for side in (each.left, each.right)) for each in shifts}
