"""The tour runs, from its first cell to its last, on what ``distill`` leaves; and it is committed as executed."""

import json

import nbformat
import pytest
from nbclient import NotebookClient


@pytest.fixture
def tour(project_path):
    return nbformat.read(project_path / "notebooks" / "tour.ipynb", 4)


def test_the_tour_runs_on_what_distill_left(tour, distilled, project_path, monkeypatch):
    monkeypatch.setenv("KEDRO_ENV", "test")
    monkeypatch.setenv("TOUR_DATA_ROOT", str(distilled))
    monkeypatch.setenv("PYTHONPATH", str(project_path / "src"))
    folder = {"metadata": {"path": str(project_path / "notebooks")}}
    NotebookClient(tour, timeout=200, kernel_name="python3", resources=folder).execute()
    printed = "".join(output.get("text", "") for cell in tour.cells for output in cell.get("outputs", []))
    assert "text teacher, image student" in printed
    assert "the right description comes first" in printed


def test_the_tour_is_committed_executed_small_and_without_a_machines_paths(tour, project_path):
    code = [cell for cell in tour.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not [output for cell in code for output in cell.outputs if output.output_type == "error"]
    file = project_path / "notebooks" / "tour.ipynb"
    assert file.stat().st_size < 1_000_000
    said = json.dumps([cell.outputs for cell in code])
    assert "site-packages" not in said and str(project_path) not in said
