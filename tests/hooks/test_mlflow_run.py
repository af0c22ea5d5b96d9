"""The MLflow hook and the parameter-name hook, on a pipeline of two nodes in real sessions."""

import json
import logging
import math
import os
import sqlite3

import pandas as pd
import pytest
from kedro.pipeline import Node, Pipeline
from pydantic import BaseModel

from cross_modal_kd.hooks.parameter_names import check_names
from cross_modal_kd.tracking import child_run, current_run, epoch_logger, fingerprint


class Training(BaseModel):
    epochs: int
    steps: dict[str, float]
    tags: list[str] = []


CATALOG = """
table:
  type: pandas.CSVDataset
  filepath: {root}/table.csv
  metadata: {{mlflow: [fingerprint]}}
scores:
  type: json.JSONDataset
  filepath: {root}/scores.json
  metadata: {{mlflow: [metrics, artifact]}}
"{{anything}}":
  type: MemoryDataset
  copy_mode: assign
"""


def make_table(training: Training) -> pd.DataFrame:
    log = epoch_logger("train")
    for epoch in range(training.epochs):
        log({"loss": 1.0 / (epoch + 1), "note": "not a number"}, epoch)
    return pd.DataFrame({"a": [1, 2, 3]})


def score(table: pd.DataFrame, fail: bool) -> dict:
    if fail:
        raise ArithmeticError("no score today")
    with child_run("one arm", {"seed": 3}):
        epoch_logger("train")({"loss": 0.25}, 7)
    return {"alone": {"eer": {"value": 0.1, "low": 0.05, "high": 0.2}}, "n": 3, "bad": math.nan, "why": "text"}


@pytest.fixture
def tiny(project_path, tracking_uri, tmp_path, monkeypatch):
    """A session runner of the tiny pipeline, with its own conf; real settings, hooks and runner."""
    from kedro.framework.project import pipelines
    from kedro.framework.session import KedroSession

    base = tmp_path / "conf" / "base"
    base.mkdir(parents=True)
    (tmp_path / "conf" / "local").mkdir()
    (base / "catalog.yml").write_text(CATALOG.format(root=tmp_path / "data"))
    (base / "parameters.yml").write_text(
        "training: {epochs: 2, steps: {a: 0.5}, tags: [x, y]}\nfail: false\nunused: 1\n"
    )
    mlflow_yml = base / "mlflow.yml"
    mlflow_yml.write_text("experiment: tiny\nartifact_root: files\nsystem_metrics: false\n")
    stages = Pipeline(
        [
            Node(make_table, "params:training", "table", name="make_table"),
            Node(score, ["table", "params:fail"], "scores", name="score"),
        ]
    )
    monkeypatch.setattr(
        "cross_modal_kd.pipeline_registry.register_pipelines", lambda: {"tiny": stages, "__default__": stages}
    )
    pipelines.configure("cross_modal_kd.pipeline_registry")

    def run(params=None, env=None, **options):
        conf = str(tmp_path / "conf")
        with KedroSession.create(
            project_path, conf_source=conf, env=env, runtime_params=params, save_on_close=False
        ) as session:
            return session.run(pipeline_names=["tiny"], **options)

    run.mlflow_yml = mlflow_yml
    yield run
    monkeypatch.undo()
    pipelines.configure("cross_modal_kd.pipeline_registry")


@pytest.fixture
def runs(tracking_uri):
    """What the tracking database holds: all runs of the tiny experiment, oldest first."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri)

    def all_runs():
        experiment = client.get_experiment_by_name("tiny")
        if experiment is None:
            return []
        return client.search_runs([experiment.experiment_id], order_by=["attributes.start_time ASC"])

    all_runs.client = client
    return all_runs


def parents(runs):
    return [run for run in runs if "mlflow.parentRunId" not in run.data.tags]


def test_one_session_is_one_finished_run_with_all_that_it_can_be_repeated_from(tiny, runs, tmp_path):
    tiny({"training": {"epochs": 3}})

    (run,) = parents(runs())
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "tiny, training.epochs=3"
    assert run.data.params == {
        "training.epochs": "3",
        "training.steps.a": "0.5",
        "training.tags": '["x", "y"]',
        "fail": "false",
    }
    tags = run.data.tags
    assert tags["kedro.command"] == "kedro run --pipelines=tiny --params=training.epochs=3"
    assert tags["kedro.env"] == "local"
    assert tags["version.python"].startswith("3.")
    assert {"version.torch", "version.kedro", "device.cpu", "device.cores", "device.gpus"} <= tags.keys()
    assert tags["data.table"] == fingerprint(pd.DataFrame({"a": [1, 2, 3]}))
    assert [each.dataset.name for each in run.inputs.dataset_inputs] == ["table"]


def test_metrics_are_the_finite_numbers_that_the_catalog_marks_and_the_nodes_seconds(tiny, runs):
    tiny()

    (run,) = parents(runs())
    metrics = run.data.metrics
    assert {name: metrics[name] for name in metrics if name.startswith("scores/")} == {
        "scores/alone.eer": 0.1,
        "scores/n": 3.0,
    }
    assert metrics["interval/scores/alone.eer.low"] == 0.05
    assert metrics["interval/scores/alone.eer.high"] == 0.2
    assert metrics["seconds/make_table"] >= 0
    curve = runs.client.get_metric_history(run.info.run_id, "training/train.loss")
    assert [(point.step, point.value) for point in curve] == [(0, 1.0), (1, 0.5)]


def test_artifacts_are_the_files_that_the_catalog_marks_and_the_whole_parameters(tiny, runs, tmp_path):
    tiny()

    (run,) = parents(runs())
    files = {file.path for file in runs.client.list_artifacts(run.info.run_id)}
    assert files == {"scores.json", "parameters.json"}
    assert (tmp_path / "files" / "tiny" / run.info.run_id / "artifacts" / "scores.json").is_file()


def test_a_child_run_hangs_below_the_sessions_run(tiny, runs):
    tiny()

    (parent,) = parents(runs())
    (child,) = [run for run in runs() if "mlflow.parentRunId" in run.data.tags]
    assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert (child.info.run_name, child.info.status, child.data.tags["seed"]) == ("one arm", "FINISHED", "3")
    assert child.data.metrics == {"training/train.loss": 0.25}


def test_two_sessions_in_one_process_are_two_runs_and_leave_mlflow_as_it_was(tiny, runs, tracking_uri, monkeypatch):
    import mlflow

    elsewhere = "sqlite:////elsewhere.db"
    mlflow.set_tracking_uri(elsewhere)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking_uri)
    tiny()
    tiny({"training": {"epochs": 1}})

    first, second = parents(runs())
    assert (first.data.params["training.epochs"], second.data.params["training.epochs"]) == ("2", "1")
    assert mlflow.get_tracking_uri() == elsewhere
    assert os.environ["MLFLOW_TRACKING_URI"] == tracking_uri
    assert mlflow.active_run() is None
    assert current_run() is None
    mlflow.set_tracking_uri(None)


def test_a_failed_run_is_marked_failed_and_says_why(tiny, runs):
    with pytest.raises(ArithmeticError):
        tiny({"fail": True})

    (run,) = parents(runs())
    assert run.info.status == "FAILED"
    assert run.data.tags["error"] == "ArithmeticError: no score today"


def test_an_interrupted_run_is_killed_when_the_next_one_starts(tiny, runs, monkeypatch):
    def interrupt(self, values, step=0):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("cross_modal_kd.tracking.run.TrackedRun.metrics", interrupt)
        tiny()
    tiny()

    assert sorted(run.info.status for run in parents(runs())) == ["FINISHED", "KILLED"]


def test_a_run_that_the_user_has_open_is_not_touched(tiny, runs, tracking_uri):
    import mlflow

    mlflow.set_tracking_uri(tracking_uri)
    mlflow.set_experiment("mine")
    with mlflow.start_run() as mine:
        tiny()
        assert mlflow.active_run().info.run_id == mine.info.run_id
    (ours,) = [run for run in runs() if run.data.tags["mlflow.parentRunId"] == mine.info.run_id]
    assert ours.info.status == "FINISHED"
    mlflow.tracking.fluent._active_experiment_id = None


def test_no_run_where_tracking_is_switched_off(tiny, runs):
    tiny.mlflow_yml.write_text("enabled: false\n")
    tiny()
    assert runs() == []


def test_a_persons_own_settings_hold_in_every_environment(tiny, runs, tmp_path):
    (tmp_path / "conf" / "scale").mkdir()
    (tmp_path / "conf" / "scale" / "globals.yml").write_text("task: scale\n")
    (tmp_path / "conf" / "local" / "mlflow.yml").write_text("enabled: false\n")
    tiny(env="scale")
    assert runs() == []


def test_a_server_that_cannot_be_reached_is_named_before_any_node_runs(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(RuntimeError, match=r"http://127\.0\.0\.1:9.*\n.*enabled: false") as caught:
        tiny()
    assert "tracking_uri" in str(caught.value)
    assert not (tmp_path / "data").exists()


def test_a_database_that_refuses_a_run_is_told_with_its_reason_and_without_tracebacks(
    tiny, tracking_uri, monkeypatch, capfd
):
    """As one on a disk that is read-only: of its error the first line is a word of SQLAlchemy's to programmers."""
    tiny()
    refuse = "CREATE TRIGGER refuse BEFORE INSERT ON runs BEGIN SELECT RAISE(ABORT, 'this one is read-only'); END"
    with sqlite3.connect(tracking_uri.removeprefix("sqlite:///")) as database:
        database.execute(refuse)
    capfd.readouterr()
    with pytest.raises(RuntimeError, match=r"sqlite:///.*: \(sqlite3.IntegrityError\) this one is read-only\n"):
        tiny()
    assert "Traceback" not in capfd.readouterr().err


def test_a_server_that_goes_away_in_mid_run_is_told_once_and_the_run_goes_on(tiny, monkeypatch, caplog, tmp_path):
    from mlflow import MlflowClient

    def gone(*args, **kwargs):
        raise ConnectionError("gone")

    monkeypatch.setattr(MlflowClient, "log_batch", gone)
    monkeypatch.setattr("cross_modal_kd.tracking.outbox.DELAYS", (0.0,))
    monkeypatch.setattr("cross_modal_kd.tracking.outbox.LAST_DELAYS", (0.0, 0.0))
    with caplog.at_level(logging.WARNING):
        tiny()
    assert json.loads((tmp_path / "data" / "scores.json").read_text())["n"] == 3
    assert sum("the run goes on" in record.message for record in caplog.records) == 1
    assert sum("still away at the end of the run" in record.message for record in caplog.records) == 1


def test_runs_that_a_dead_process_left_open_are_closed_by_the_next_and_those_of_others_are_not(tiny, runs):
    import mlflow

    from cross_modal_kd.storage import process_facts

    tiny()
    client = mlflow.MlflowClient(os.environ["MLFLOW_TRACKING_URI"])
    (experiment,) = {run.info.experiment_id for run in runs()}
    dead = {**process_facts(), "process.started": "1"}
    elsewhere = {**dead, "process.host": "elsewhere"}
    opened = [client.create_run(experiment, tags=tags).info.run_id for tags in (dead, process_facts(), elsewhere, {})]
    tiny()
    assert [client.get_run(each).info.status for each in opened] == ["KILLED", "RUNNING", "RUNNING", "RUNNING"]


def test_an_unknown_setting_or_mark_is_refused_with_the_allowed_ones(tiny, tmp_path):
    tiny.mlflow_yml.write_text("trackin_uri: x\n")
    with pytest.raises(ValueError, match="unknown setting 'trackin_uri'; expected .*tracking_uri"):
        tiny()
    tiny.mlflow_yml.write_text("experiment: tiny\n")
    catalog = tmp_path / "conf" / "base" / "catalog.yml"
    catalog.write_text(catalog.read_text().replace("[metrics, artifact]", "[metric]"))
    with pytest.raises(ValueError, match=r"'scores': metadata.mlflow must be a list of \['metrics'.*\['metric'\]"):
        tiny()


def test_an_unknown_parameter_is_refused_before_any_node_runs(tiny, tmp_path):
    with pytest.raises(
        ValueError, match="unknown parameter 'trainning'.*Did you mean 'training'.*fail, training, unused"
    ):
        tiny({"trainning": {"epochs": 1}})
    assert not (tmp_path / "data").exists()


def test_names_declared_in_base_pass():
    check_names({"a": 1, "data_root": "x"}, {"a": 0, "b": 0})
