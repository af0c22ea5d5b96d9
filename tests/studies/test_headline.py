"""What MLflow lists first of a study."""

import mlflow
import numpy as np
import pandas as pd
import pytest

from cross_modal_kd.metrics import Metric, MetricSet
from cross_modal_kd.studies.headline import NOT_MEASURED, log_arms, log_student, remember_run
from cross_modal_kd.tasks import kind_named
from cross_modal_kd.tracking import TrackedRun

ROW = {"projection": "mlp", "error_low": 0.1, "error_high": 0.3, "difference_to_baseline": -0.05}
ENDS = {"difference_to_baseline_low": -0.1, "difference_to_baseline_high": np.nan}


@pytest.fixture
def logged(tracking_uri):
    """(a function that logs in a run, which gives what was logged; the address)"""
    mlflow.set_tracking_uri(tracking_uri)
    client = mlflow.MlflowClient(tracking_uri)

    def in_a_run(log):
        with mlflow.start_run(experiment_id="0") as run:
            log()
        return client.get_run(run.info.run_id).data.metrics

    return in_a_run, tracking_uri


def test_what_counts_right_answers_is_logged_as_such_with_its_ends_the_right_way_round(logged):
    table = pd.DataFrame([{"arm": "soft", "error_mean": 0.2, "study": "labels", "condition": "30 %"} | ROW | ENDS])
    found = logged[0](lambda: log_arms(table, kind_named("classification")))
    assert found == pytest.approx(
        {
            "headline/top1.soft.labels.30 _": 0.8,
            "interval/headline/top1.soft.labels.30 _.low": 0.7,
            "interval/headline/top1.soft.labels.30 _.high": 0.9,
            "headline/top1_difference.soft.labels.30 _": 0.05,
            "interval/headline/top1_difference.soft.labels.30 _.high": 0.1,
        }
    )


def test_an_arm_of_several_projections_has_a_name_for_each(logged):
    rows = [{"arm": "soft", "error_mean": 0.2} | ROW | ENDS | {"projection": kind} for kind in ("mlp", "pca")]
    found = logged[0](lambda: log_arms(pd.DataFrame(rows), kind_named("verification")))
    assert {"headline/eer.soft.mlp", "headline/eer.soft.pca"} <= found.keys()


def test_a_training_has_its_headline_once_in_its_own_run(logged, tmp_path):
    in_a_run, uri = logged
    kind, client = kind_named("verification"), mlflow.MlflowClient(uri)
    own = TrackedRun(client.create_run("0").info.run_id, uri)
    remember_run(tmp_path, own)
    metrics = MetricSet({"eer": Metric(0.2, np.linspace(0.1, 0.3, 101))})
    log_student(tmp_path, metrics, kind, 0.9)
    assert not client.get_run(own.run_id).data.metrics and (tmp_path / NOT_MEASURED).exists(), "no run is open"
    assert not in_a_run(lambda: log_student(tmp_path, metrics, kind, 0.9))
    found = client.get_run(own.run_id).data.metrics
    assert found == pytest.approx(
        {"headline/eer": 0.2, "interval/headline/eer.low": 0.11, "interval/headline/eer.high": 0.29}
    )
    in_a_run(lambda: log_student(tmp_path, MetricSet({"eer": Metric(0.4, np.zeros(9))}), kind, 0.9))
    assert client.get_run(own.run_id).data.metrics == found


@pytest.mark.parametrize("note", ["", "[]", '{"run_id": "x"}', '{"run_id": "x", "tracking_uri": "sqlite:///other.db"}'])
def test_a_damaged_note_and_that_of_another_server_are_passed_over(logged, tmp_path, note):
    (tmp_path / NOT_MEASURED).write_text(note)
    metrics = MetricSet({"eer": Metric(0.2, np.linspace(0.1, 0.3, 101))})
    assert not logged[0](lambda: log_student(tmp_path, metrics, kind_named("verification"), 0.9))
    assert not (tmp_path / NOT_MEASURED).exists()
