"""What somebody sees in MLflow who compares runs: a whole `distill` at the size of a test."""

import numpy as np
import pytest


@pytest.fixture(scope="module")
def tracked(distilled):
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{distilled.parent / 'mlflow.db'}")
    (experiment,) = [each for each in client.search_experiments() if each.name == "test"]
    (run,) = client.search_runs([experiment.experiment_id])
    return client, run


def test_the_name_says_task_arm_and_seed(tracked):
    _, run = tracked
    assert run.info.run_name == "soft_both_quality, seed 0, test"
    assert (run.data.tags["task"], run.data.tags["arm"]) == ("test", "soft_both_quality")


def test_parameters_are_those_of_the_two_arms(tracked):
    _, run = tracked
    assert {name.split(".")[1] for name in run.data.params if name.startswith("arms.")} == {"none", "soft_both_quality"}
    assert len(run.data.params) < 200


def test_the_headline_is_the_first_metric_and_times_and_intervals_have_their_folders(tracked):
    _, run = tracked
    names = sorted(run.data.metrics)
    assert names[:3] == ["headline/eer", "headline/eer_alone", "headline/eer_difference"]
    assert run.data.metrics["headline/eer"] == run.data.metrics["metrics/distilled.eer"]
    percent = f"{100 * run.data.metrics['headline/eer']:.1f}"
    assert f"{percent}\N{NO-BREAK SPACE}% distilled" in run.data.tags["mlflow.note.content"]
    for name in names:
        folder, _, rest = name.partition("/")
        assert (folder == "interval") == rest.endswith((".low", ".high")), name
        assert folder == "seconds" or not rest.endswith((".seconds", ".epoch_seconds")), name
    assert "seconds/distilled.epoch" in names


def test_both_students_are_logged_models_without_pickles_that_mlflow_loads(tracked):
    import mlflow

    client, run = tracked
    models = {model.name: model for model in client.search_logged_models([run.info.experiment_id])}
    assert set(models) == {"distilled", "student_alone"}
    assert {output.model_id for output in run.outputs.model_outputs} == {each.model_id for each in models.values()}
    distilled = models["distilled"]
    assert str(distilled.status) == "READY"
    assert {metric.key for metric in distilled.metrics} >= {"headline/eer", "metrics/distilled.eer"}
    files = client.list_logged_model_artifacts(distilled.model_id)
    assert not [file.path for file in files if file.path.endswith((".pkl", ".pth", ".pt"))]
    tracking_uri = mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None
    mlflow.set_tracking_uri(client.tracking_uri)
    try:
        loaded = mlflow.pyfunc.load_model(f"models:/{distilled.model_id}")
    finally:
        mlflow.set_tracking_uri(tracking_uri)
    answers = loaded.predict(loaded.input_example)
    assert np.allclose([np.linalg.norm(each) for each in answers["embedding"]], 1, atol=1e-5)
    assert list(answers.columns) == loaded.metadata.signature.outputs.input_names()
    assert answers["error"].isna().all()
    assert loaded.metadata.flavors["python_function"]["loader_module"] == "cross_modal_kd.student.pyfunc"


def test_the_distilled_student_is_registered_and_the_first_is_the_champion(tracked):
    client, run = tracked
    (version,) = client.search_model_versions("name = 'test'")
    champion = client.get_model_version_by_alias("test", "champion")
    assert (champion.version, champion.run_id) == (version.version, run.info.run_id)
    assert float(champion.tags["dev.value"]) == pytest.approx(run.data.metrics["operating/distilled.dev_eer"])
    assert "| eer |" in champion.description
