"""What a release is made of: the wheel and the configuration that ``kedro package`` makes, versions that agree, CI."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import check_version
import pytest
import yaml

from own_folders import birds

PROJECT = Path(__file__).parents[1]
SHORT = "training.epochs=1,training.min_steps=1,projection.epochs=1,projection.min_steps=1,evaluation.bootstrap=20"


@pytest.fixture(scope="module")
def dist(tmp_path_factory) -> Path:
    """``dist/`` of a copy of the project, by ``kedro package``; built with what is installed, so without a network."""
    from kedro.framework.cli import project as kedro_cli
    from kedro.framework.startup import bootstrap_project

    copy = tmp_path_factory.mktemp("release")
    for name in ("src", "conf"):
        shutil.copytree(PROJECT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(PROJECT / name, copy)
    (copy / "conf" / "local").mkdir(exist_ok=True)
    (copy / "conf" / "local" / "mlflow.yml").write_text("tracking_uri: http://a.secret.place\n")

    def call(command: list[str], **options) -> None:
        command = [*command, *(["--no-isolation"] if "build" in command else [])]
        subprocess.run(command, check=True, capture_output=True, **{"cwd": copy, **options})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kedro_cli, "call", call)
        metadata = bootstrap_project(PROJECT)._replace(project_path=copy)
        kedro_cli.package.callback.__wrapped__(metadata)
    return copy / "dist"


@pytest.fixture(scope="module")
def installed(dist, tmp_path_factory) -> Path:
    """The wheel's packages, installed into a folder of their own."""
    target = tmp_path_factory.mktemp("installed")
    (wheel,) = dist.glob("*.whl")
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--target", str(target), wheel]
    subprocess.run(command, check=True, capture_output=True)
    return target


@pytest.fixture
def elsewhere(dist, tmp_path) -> Path:
    """A folder with the packaged configuration and the raw data, and nothing else of the project."""
    with tarfile.open(dist / "conf-cross_modal_kd.tar.gz") as packed:
        packed.extractall(tmp_path, filter="data")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "01_raw").symlink_to(PROJECT / "data" / "01_raw")
    return tmp_path


def run(installed: Path, folder: Path, *words: str) -> str:
    """A command of the installed package, in a folder."""
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_wheel_holds_the_package_and_what_it_reads(dist, installed):
    package = installed / "cross_modal_kd"
    there = {file.relative_to(package).as_posix() for file in package.rglob("*") if file.suffix != ".pyc"}
    ours = PROJECT / "src" / "cross_modal_kd"
    wanted = {
        file.relative_to(ours).as_posix()
        for ending in (".py", ".pyi", ".html", ".jinja", ".md")
        for file in ours.rglob(f"*{ending}")
    }
    assert wanted <= there
    with tarfile.open(dist / "conf-cross_modal_kd.tar.gz") as packed:
        names = packed.getnames()
    assert "conf/base/parameters.yml" in names and "conf/local/mlflow.yml" not in names


@pytest.mark.faults
@pytest.mark.timeout(600)
def test_the_installed_wheel_runs_from_a_folder_to_a_report(installed, elsewhere, tracking_uri):
    where = run(installed, elsewhere, "-c", "import cross_modal_kd; print(cross_modal_kd.__file__)")
    assert where.strip() == str(installed / "cross_modal_kd" / "__init__.py")
    said = run(installed, elsewhere, "-m", "cross_modal_kd", "new-task", "mine", str(birds(elsewhere / "birds")))
    assert "wrote conf/mine/parameters.yml" in said
    run(installed, elsewhere, "-m", "cross_modal_kd", "--pipelines=distill", "--env=mine", f"--params={SHORT}")
    assert (elsewhere / "data/08_reporting/mine/report.html").is_file()


def test_the_command_is_named_after_the_project_and_leads_to_the_package():
    declared = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert declared["scripts"] == {"cross-modal-kd": "cross_modal_kd.__main__:main"}


@pytest.fixture
def three(tmp_path) -> Path:
    for name in ("pyproject.toml", "CITATION.cff", "CHANGELOG.md"):
        shutil.copy(PROJECT / name, tmp_path)
    return tmp_path


def test_a_version_is_released_when_three_files_say_it(three):
    version = tomllib.loads((three / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    log = three / "CHANGELOG.md"
    log.write_text(
        re.sub(r"## \[Unreleased\]", f"## [{version}] - 2026-12-01", log.read_text()) + "\n## [0.0.1]\nOld.\n"
    )
    assert check_version.problems(f"v{version}", three) == []
    assert check_version.notes(version, three).startswith("Nothing has been released yet")
    assert "Old." not in check_version.notes(version, three) and check_version.notes("0.0.1", three) == "Old."
    said = "\n".join(check_version.problems("v9.9.9", three))
    assert all(f"{name}: " in said for name in ("pyproject.toml", "CITATION.cff", "CHANGELOG.md"))


def test_the_citation_says_the_version_of_the_package():
    citation = yaml.safe_load((PROJECT / "CITATION.cff").read_text(encoding="utf-8"))
    declared = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert (citation["version"], citation["license"]) == (declared["version"], declared["license"])
    log = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = set(re.findall(r"^### (.*)", log, re.M))
    assert headings <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security", "Known limits"}
    assert re.search(r"^## \[Unreleased\]", log, re.M)


def workflow(name: str) -> dict:
    return yaml.safe_load((PROJECT / ".github" / "workflows" / f"{name}.yml").read_text(encoding="utf-8"))


def test_ci_calls_its_script_on_every_supported_python():
    job = workflow("ci")["jobs"]["run"]
    supported = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    assert supported == ">=3.11,<3.14"
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
    assert any(step.get("run") == ".ci/run" for step in job["steps"])


@pytest.mark.parametrize("name", ["ci", "release"])
def test_a_workflow_has_no_more_rights_than_it_needs_and_names_what_is_there(name):
    found = workflow(name)
    assert found["permissions"] == {"contents": "read"}
    said = "\n".join(step.get("run", "") for job in found["jobs"].values() for step in job["steps"])
    files = re.findall(r"(?:scripts|\.ci)/[\w.]+", said)
    assert files and all((PROJECT / file).is_file() for file in files)
    made = re.findall(r"^(?:make) ([a-z ]+)", said, re.M)
    targets = (PROJECT / "Makefile").read_text(encoding="utf-8")
    assert all(re.search(rf"^{target}:", targets, re.M) for line in made for target in line.split())
