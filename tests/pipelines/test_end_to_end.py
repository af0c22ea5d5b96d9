"""Every named pipeline from real files to its results, on the tiny settings of conf/test."""

import json
import shutil

import pandas as pd
import pytest

from stages import assert_same_results


def reporting(root, task="test"):
    return root / "08_reporting" / task


def changed_files(root):
    """The files of a data root with the time of their last change."""
    return {file: file.stat().st_mtime_ns for file in root.rglob("*") if file.is_file()}


def test_distill_leaves_two_students_their_metrics_and_a_report(distilled):
    metrics = json.loads((reporting(distilled) / "metrics.json").read_text())
    assert {"student_alone", "distilled", "difference"} <= set(metrics)
    assert "<html" in (reporting(distilled) / "report.html").read_text()
    for arm in ("student_alone", "distilled"):
        assert (distilled / "06_models" / "test" / arm / "student" / "model.safetensors").is_file()
        assert (distilled / "07_model_output" / "test" / arm / "embeddings" / "values.safetensors").is_file()
        assert len(pd.read_csv(reporting(distilled) / arm / "history.csv")) == 2
    for kind in ("mlp", "pca"):  # the node gives both at once: exchanged, every arm would be bound through the other
        saved = json.loads((distilled / "06_models" / "test" / f"projection_{kind}" / "config.json").read_text())
        assert saved["config"]["projection"]["kind"] == kind
    assert not list((distilled / "06_models" / "test" / "checkpoints").iterdir())
    assert not [file for file in distilled.rglob("*") if file.suffix in (".pkl", ".pt", ".pth", ".ckpt", ".bin")]


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["quality", "projection", "distillation", "evaluation"])
def test_a_stage_runs_alone_to_the_same_result(run_kedro_after, distilled, stage):
    """And so does ``deployment``, in tests/export, which looks at its export too."""
    run_kedro_after(stage)
    assert_same_results(distilled, run_kedro_after.data_root)


@pytest.mark.slow
def test_the_page_is_made_again_without_a_model_and_with_what_robustness_found(run_kedro_after):
    run_kedro_after("robustness")
    root = run_kedro_after.data_root
    shutil.rmtree(root / "06_models")
    before = (reporting(root) / "report.html").read_text()
    run_kedro_after("evaluation", tags=["report"])
    after = (reporting(root) / "report.html").read_text()
    damage = '<h2 id="damage">'
    assert "Not measured." in before and "Not measured." not in after and "blur 2" in after
    assert before.partition("<header>")[2].partition(damage)[0] == after.partition("<header>")[2].partition(damage)[0]


def test_the_teacher_runs_alone_to_the_same_result_and_takes_its_embeddings_from_the_cache(
    run_kedro_after, distilled, monkeypatch
):
    def fail(*_):
        raise AssertionError("embedded again")

    monkeypatch.setattr("cross_modal_kd.modalities.text.encoder.embed_texts", fail)
    run_kedro_after("teacher")
    assert_same_results(distilled, run_kedro_after.data_root)


def logged_runs(tracking_uri):
    """The newest run of this task, and those below it, with what they have logged."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri)
    (experiment,) = [each for each in client.search_experiments() if each.name == "test"]
    runs = client.search_runs([experiment.experiment_id], order_by=["attributes.start_time DESC"])
    newest = next(run for run in runs if "mlflow.parentRunId" not in run.data.tags)
    below = [run.data for run in runs if run.data.tags.get("mlflow.parentRunId") == newest.info.run_id]
    return newest.data, below


@pytest.mark.slow
def test_a_comparison_measures_every_arm_and_trains_none_twice(run_kedro_after, tracking_uri, monkeypatch):
    run_kedro_after("comparison", params={"comparison": {"arms": ["none", "soft_both_quality"]}})
    root = run_kedro_after.data_root
    table = pd.read_csv(reporting(root) / "comparison.csv", float_precision="round_trip")
    assert table["arm"].tolist() == ["none", "soft_both_quality"]
    assert table["difference_to_baseline"].notna().tolist() == [False, True]
    by_metric = pd.read_csv(reporting(root) / "comparison_metrics.csv").set_index(["arm", "metric"])
    shown = by_metric.loc[("soft_both_quality", "eer"), "difference"]
    assert shown == pytest.approx(table["difference_to_baseline"][1])
    assert f"{100 * shown:+.1f}".replace("-", "\N{MINUS SIGN}") in (reporting(root) / "comparison.html").read_text()
    for name in ("comparison_forest", "comparison_curves", "comparison_distances"):
        assert (reporting(root) / f"{name}.png").stat().st_size > 5000

    study, trainings = logged_runs(tracking_uri)
    error = table.set_index("arm").loc["soft_both_quality"]
    assert study.metrics["headline/eer.soft_both_quality"] == error["error_mean"]
    assert study.metrics["interval/headline/eer.soft_both_quality.high"] == error["error_high"]
    assert study.metrics["headline/eer_difference.soft_both_quality"] == error["difference_to_baseline"]
    for training in trainings:
        names = sorted(training.metrics)
        assert names[0] == "headline/eer" and names[1:3] == [f"interval/headline/eer.{end}" for end in ("high", "low")]
        assert all(name.startswith(("seconds/", "system/", "training/")) for name in names[3:])
        assert training.metrics["headline/eer"] == study.metrics[f"headline/eer.{training.tags['arm']}"]

    store = root / "07_model_output" / "test" / "comparison"
    before, trained = changed_files(store), []
    import cross_modal_kd.training.student as arm

    original = arm.train_arm
    monkeypatch.setattr(
        arm, "train_arm", lambda *args, **options: trained.append(options) or original(*args, **options)
    )
    run_kedro_after("comparison", params={"comparison": {"arms": ["none", "soft_both_quality"]}})
    assert not trained
    assert changed_files(store) == before
    pd.testing.assert_frame_equal(pd.read_csv(reporting(root) / "comparison.csv", float_precision="round_trip"), table)

    run_kedro_after("comparison", params={"evaluation": {"train_subset": 20}, "comparison": {"arms": ["none", "rkd"]}})
    assert [options["name"] for options in trained] == ["rkd"]


@pytest.mark.slow
def test_tuning_searches_the_arms_and_takes_up_where_it_was_left(run_kedro_after, tracking_uri, monkeypatch):
    import cross_modal_kd.studies.tuning.trials as arm

    original, trained = arm.train_arm, []
    monkeypatch.setattr(
        arm, "train_arm", lambda *args, **options: trained.append(args[3]) or original(*args, **options)
    )
    run_kedro_after("tuning")
    table = pd.read_csv(reporting(run_kedro_after.data_root) / "tuning_trials.csv")
    assert table.groupby("arm").size().to_dict() == {"soft_feature": 2, "soft_both_quality": 2}
    assert table.groupby("arm")["best"].sum().tolist() == [1, 1]
    best = table[table["best"]].set_index("arm")["dev"]
    assert {f"headline/dev_eer.{arm}": value for arm, value in best.items()}.items() <= (
        logged_runs(tracking_uri)[0].metrics.items()
    )
    assert len(trained) == 4
    assert "arms:" in (reporting(run_kedro_after.data_root) / "tuned_arms.yml").read_text()
    run_kedro_after("tuning", params={"tuning": {"trials": 3}})
    assert len(trained) == 6


def test_the_tuned_arms_are_a_parameters_file(run_kedro_after):
    import yaml

    from cross_modal_kd.config.arms import ArmsConfig

    run_kedro_after("tuning", params={"tuning": {"trials": 1, "space": {"soft_both_quality": None}}})
    tuned = yaml.safe_load((reporting(run_kedro_after.data_root) / "tuned_arms.yml").read_text())
    assert set(ArmsConfig(tuned["arms"]).root) == {"soft_feature"}


def test_the_quality_study_puts_the_measures_to_the_test(run_kedro_after):
    run_kedro_after("quality_study")
    ordering = pd.read_csv(reporting(run_kedro_after.data_root) / "quality_ordering.csv")
    assert set(ordering["modality"]) == {"image", "text"}
    assert (reporting(run_kedro_after.data_root) / "quality_gallery.html").is_file()
