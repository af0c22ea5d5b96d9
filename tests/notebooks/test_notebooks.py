"""The notebooks run from the first cell to the last, and are committed as executed."""

import json

import nbformat
import pytest
from nbclient import NotebookClient


@pytest.fixture
def tour(project_path):
    return nbformat.read(project_path / "notebooks" / "tour.ipynb", 4)


@pytest.mark.slow
def test_the_tour_runs_on_what_distill_left(tour, distilled, project_path, monkeypatch):
    monkeypatch.setenv("KEDRO_ENV", "test")
    monkeypatch.setenv("TOUR_DATA_ROOT", str(distilled))
    monkeypatch.setenv("PYTHONPATH", str(project_path / "src"))
    folder = {"metadata": {"path": str(project_path / "notebooks")}}
    NotebookClient(tour, timeout=200, kernel_name="python3", resources=folder).execute()
    printed = "".join(output.get("text", "") for cell in tour.cells for output in cell.get("outputs", []))
    assert "text teacher, image student" in printed
    assert "the right description comes first" in printed
    assert "is searched among 40 drawings" in printed


def test_two_runs_are_set_side_by_side(project_path, tracking_uri, tmp_path, monkeypatch):
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri)
    experiment = client.create_experiment("birds", artifact_location=(tmp_path / "files").as_uri())
    for seed in (0, 1):
        run = client.create_run(experiment, run_name=f"birds, seed {seed}").info.run_id
        client.log_param(run, "training.seed", seed)
        for name in ("headline/eer", "metrics/distilled.eer", "metrics/student_alone.eer"):
            client.log_metric(run, name, 0.2 - 0.01 * seed)
        client.set_terminated(run)
    monkeypatch.setenv("PYTHONPATH", str(project_path / "src"))
    notebook = nbformat.read(project_path / "notebooks" / "compare_runs.ipynb", 4)
    folder = {"metadata": {"path": str(project_path / "notebooks")}}
    NotebookClient(notebook, timeout=200, kernel_name="python3", resources=folder).execute()
    printed = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))
    assert "birds, seed 1" in printed and "training.seed" in printed


@pytest.mark.parametrize("name", ["tour", "compare_runs"])
def test_a_notebook_is_committed_executed_small_and_without_a_machines_paths(name, project_path):
    file = project_path / "notebooks" / f"{name}.ipynb"
    code = [cell for cell in nbformat.read(file, 4).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not [output for cell in code for output in cell.outputs if output.output_type == "error"]
    assert file.stat().st_size < 1_000_000
    said = json.dumps([cell.outputs for cell in code])
    assert "site-packages" not in said and str(project_path) not in said
