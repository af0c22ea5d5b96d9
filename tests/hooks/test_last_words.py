"""What the console says of a student that can be put to use."""

import shutil

from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline

from cross_modal_kd.datasets import DirectoryDataset, ModelDataset, TableDataset
from cross_modal_kd.hooks import last_words
from cross_modal_kd.hooks.last_words import LastWordsHook
from cross_modal_kd.tracking import TrackedRun


def said(caplog, catalog, output: str, of: str | None = None) -> list[str]:
    """The lines after a pipeline that has made that output, of an input or of none."""
    with caplog.at_level("INFO"):
        node = Node((lambda: 1) if of is None else (lambda _: 1), of, output, name="made")
        LastWordsHook().after_pipeline_run(Pipeline([node]), catalog)
    return [record.message for record in caplog.records]


def test_the_folder_is_named_with_the_command_that_uses_it(tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a student").mkdir()
    catalog = DataCatalog(
        {"distilled.exported": DirectoryDataset(filepath=str(tmp_path / "a student")), "elsewhere": MemoryDataset()}
    )
    assert said(caplog, catalog, "elsewhere") == []
    line = "exported: 'a student'; `python 'a student'/run_student.py FILES` needs nothing of this project"
    assert said(caplog, catalog, "distilled.export_report") == [line]


def test_what_is_of_an_earlier_student_is_named(distilled, tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    models = distilled / "06_models" / "test"
    shutil.copytree(models / "distilled", tmp_path / "distilled")
    catalog = DataCatalog({"distilled.student": ModelDataset(filepath=str(tmp_path / "distilled" / "student"))})
    assert said(caplog, catalog, "distilled.student") == []
    shutil.rmtree(tmp_path / "distilled" / "student")
    shutil.copytree(models / "student_alone" / "student", tmp_path / "distilled" / "student")
    (tmp_path / "distilled" / "exported").mkdir()
    (tmp_path / "distilled" / "exported" / "export.json").write_text('{"student": "0"}')
    (line,) = said(caplog, catalog, "distilled.student")
    assert line == (
        "distilled/packaged and distilled/exported are outdated: another student, distilled/student, lies there "
        "now. `kedro run --pipelines=evaluation,deployment`, with the same --env and --params, makes them anew, of "
        "that one"
    )
    caplog.clear()
    assert said(caplog, catalog, "elsewhere") == []
    (line,) = said(caplog, catalog, "predictions", "distilled.packaged")  # which asks no export
    assert line.startswith(
        "distilled/packaged is outdated, and this run asked it: another student, distilled/student, lies"
    )
    assert "exported" not in line and line.endswith("makes it anew, of that one")
    shutil.rmtree(tmp_path / "distilled" / "packaged")
    caplog.clear()
    assert said(caplog, catalog, "predictions", "distilled.packaged") == []
    (line,) = said(caplog, catalog, "metrics.of_it", "distilled.student")
    assert line.startswith("distilled/exported is outdated: another student")


def test_the_file_of_predictions_is_named(tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    catalog = DataCatalog({"predictions": TableDataset(filepath=str(tmp_path / "predictions.csv"))})
    assert said(caplog, catalog, "predictions") == []
    (tmp_path / "predictions.csv").write_text("name\n")
    assert said(caplog, catalog, "predictions") == ["predictions: predictions.csv"]


def test_the_switch_is_named_without_which_mlflow_shows_no_run(tmp_path, monkeypatch, caplog, project_path):
    monkeypatch.setattr(last_words, "current_run", lambda: TrackedRun("3f2a", "sqlite:///mlflow.db"))
    (line,) = said(caplog, DataCatalog(), "elsewhere")
    assert line == (
        "MLflow: run 3f2a at sqlite:///mlflow.db; see `mlflow ui --backend-store-uri sqlite:///mlflow.db` "
        "(choose Model training at the top left)"
    )
    for page in ("README.md", "conf/README.md", "Makefile"):
        assert "Model training" in (project_path / page).read_text(encoding="utf-8"), page
