"""Which student answers where none is named: the distilled one of the project that the current folder lies in."""

import os
from pathlib import Path
from typing import Any

import yaml

from cross_modal_kd.cli.told import Told
from cross_modal_kd.config import is_another_task, nearest

BASE, LOCAL = "base", "local"


def default_student(env: str | None) -> Path:
    """The folder of the packaged student of a task.

    Args:
        env: environment of the task; None is KEDRO_ENV, or what ``kedro run`` takes without ``--env``.

    Returns:
        ``<data root>/06_models/<task>/distilled/packaged``.

    Raises:
        Told: the current folder lies in no project, there is no such environment, or no student in its place.
    """
    project = project_folder()
    if project is None:
        raise Told(
            f"which student? {Path.cwd()} lies in no project of this kind (a folder with conf/base/globals.yml): name "
            "the folder of a packaged student, or its address in MLflow, by --student"
        )
    chosen = env or os.environ.get("KEDRO_ENV") or LOCAL
    there = sorted(each.name for each in (project / "conf").iterdir() if each.is_dir())
    if chosen not in there and chosen != LOCAL:
        raise Told(f"there is no environment {chosen!r}. {nearest(chosen, there)}")
    said = {**_read(project, BASE, "globals"), **_read(project, chosen, "globals")}
    task, root = _task(project, chosen), str(said.get("data_root", "data"))
    if "${" in f"{task}{root}":
        raise Told("conf/*/globals.yml leaves task or data_root to be filled in: name the student by --student")
    folder = project / root / "06_models" / task / "distilled" / "packaged"
    if not folder.is_dir():
        option = f" --env={env}" if env else ""
        raise Told(
            f"there is no packaged student of the task {task!r} yet (no {_near(folder)}). "
            f"`kedro run --pipeline=distill{option}` trains and packages it; where the students are trained already, "
            f"`kedro run --pipeline=deployment{option}` packages them. Or name another by --student"
        )
    return folder


def project_folder() -> Path | None:
    """The nearest folder, from the current one upward, with a configuration of this kind; None where there is none."""
    here = Path.cwd()
    return next((each for each in (here, *here.parents) if (each / "conf" / BASE / "globals.yml").is_file()), None)


def tracking_uri() -> str | None:
    """Where the project tracks its runs, as conf/local/mlflow.yml or conf/base/mlflow.yml has it.

    Returns:
        MLFLOW_TRACKING_URI where it is set; None outside of a project.
    """
    from cross_modal_kd.tracking import Settings

    project = project_folder()
    if project is None:
        return None
    config = {**_read(project, BASE, "mlflow"), **_read(project, LOCAL, "mlflow")}
    plain = {name: value for name, value in config.items() if "${" not in str(value)}
    return Settings.from_config(plain, project).tracking_uri


def project_sources(project: Path, env: str) -> dict[str, Any]:
    """The block ``sources`` of a project's parameters.

    Args:
        project: of ``project_folder``.
        env: environment whose sources come before those of ``base``; one that is not there adds none.

    Returns:
        The sources by name, not checked.
    """
    said = [_read(project, each, "parameters").get("sources") for each in (BASE, LOCAL, env)]
    return {name: source for block in said if isinstance(block, dict) for name, source in block.items()}


def _task(project: Path, env: str) -> str:
    """The task's name, by the rule of the configuration loader (``hooks/loader.py``)."""
    said = _read(project, env, "globals").get("task")
    if said is not None:
        return str(said)
    plain_local = env == LOCAL and not is_another_task(_read(project, LOCAL, "parameters"))
    return _task(project, BASE) if plain_local else env


def _read(project: Path, env: str, name: str) -> dict[str, Any]:
    """What the files of one environment say, not filled in."""
    found: dict[str, Any] = {}
    for file in sorted((project / "conf" / env).glob(f"{name}*.yml")):
        try:
            content = yaml.safe_load(file.read_text(encoding="utf-8"))
        except yaml.YAMLError as error:
            raise Told(f"{file} is no YAML: {error}") from error
        found |= content if isinstance(content, dict) else {}
    return found


def _near(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
