"""``kedro run --pipeline=score_trials`` on what the evaluation of the test task has saved."""

import json
from pathlib import Path

import pandas as pd
import pytest

from cross_modal_kd.hooks.project_folder import anchored
from cross_modal_kd.metrics import eer
from cross_modal_kd.samples import load_table


def test_the_evaluations_own_trials_have_the_evaluations_own_errors(run_kedro_after):
    folders = {
        layer: run_kedro_after.data_root / layer / "test"
        for layer in ("05_model_input", "07_model_output", "08_reporting")
    }
    run_kedro_after(
        "score_trials", params={"score_trials": {"trials": str(folders["05_model_input"] / "trials.parquet")}}
    )
    found, of_evaluation = (
        json.loads((folders["08_reporting"] / name).read_text()) for name in ("trial_metrics.json", "metrics.json")
    )
    for name in ("eer", "min_dcf_01", "min_dcf_05"):
        assert found[name] == of_evaluation["distilled"][name]["value"]
    table = pd.read_parquet(folders["07_model_output"] / "trial_scores.parquet")
    assert len(table) == found["trials"] and eer(table["score"], table["label"]) == found["eer"]
    det = pd.read_csv(folders["08_reporting"] / "trial_det.csv")
    assert det["far"].iloc[[0, -1]].tolist() == [1, 0] and (folders["08_reporting"] / "trial_det.png").is_file()
    assert set(det["list"]) == {found["name"]}, "a table is told of which list it is"
    assert found["as_norm"] is None and "reason" in found["thresholds"]["far_0.001"]


def test_a_list_of_ones_own_is_normalised_by_the_training_concepts_and_blind_ones_are_scored(run_kedro_after, tmp_path):
    own = pd.read_parquet(run_kedro_after.data_root / "05_model_input" / "test" / "trials.parquet").head(40)
    lines = [f"{row.enrol_id}.png   {row.test_id}.png" for row in own.itertuples()]
    (tmp_path / "blind.txt").write_text("\n".join(lines))
    run_kedro_after(
        "score_trials", params={"score_trials": {"trials": str(tmp_path / "blind.txt"), "as_norm": {"top": 5}}}
    )
    table = pd.read_parquet(run_kedro_after.data_root / "07_model_output" / "test" / "trial_scores.parquet")
    assert list(table) == ["enrol", "test", "score", "cosine"] and len(table) == 40
    found = json.loads((run_kedro_after.data_root / "08_reporting" / "test" / "trial_metrics.json").read_text())
    assert (
        found["reason"] == "the list has no labels" and found["as_norm"]["top"] == 5 and found["as_norm"]["cohort"] > 5
    )


def test_a_list_is_calibrated_on_trials_of_the_training_concepts(run_kedro_after):
    trials = run_kedro_after.data_root / "05_model_input" / "test" / "trials.parquet"
    calibration = {"drawn": 300, "measures": ["magnitude"]}
    run_kedro_after("score_trials", params={"score_trials": {"trials": str(trials), "calibration": calibration}})
    table = pd.read_parquet(run_kedro_after.data_root / "07_model_output" / "test" / "trial_scores.parquet")
    found = json.loads((run_kedro_after.data_root / "08_reporting" / "test" / "trial_metrics.json").read_text())
    about = found["calibration"]
    assert list(table) == ["enrol", "test", "label", "score", "uncalibrated"] and about["trials"] == 300
    assert about["after"]["eer"] == found["eer"] == eer(table["score"], table["label"])
    assert about["before"]["eer"] == eer(table["uncalibrated"], table["label"])


def test_what_cannot_be_scored_stops_before_the_first_node(run_kedro):
    with pytest.raises(ValueError, match="(?s)trials names no list.*embeddings: there is no .*--pipeline=evaluation"):
        run_kedro("score_trials")


def test_relative_paths_start_at_the_projects_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = {"trials": "list.txt", "embeddings": "/e", "models": None, "as_norm": {"top": 0, "labels": "utt2spk"}}
    found = anchored({"score_trials": asked}, Path("/project"))["score_trials"]
    assert found == asked | {"trials": "/project/list.txt", "as_norm": {"top": 0, "labels": "/project/utt2spk"}}


def test_a_list_across_two_modalities_is_scored_with_the_projected_teacher(run_kedro_after, tmp_path):
    root = run_kedro_after.data_root
    samples = pd.read_parquet(root / "02_intermediate/test/samples.parquet")
    test = samples[samples["split"] == "test"]
    texts = test[test["modality"] == "text"].drop_duplicates("label").set_index("label")["sample_id"]
    images = test[(test["modality"] == "image") & test["label"].isin(texts.index)]
    others = texts.iloc[::-1].to_dict()
    rows = [(row.sample_id, texts[row.label], *(name for label, name in others.items() if label != row.label))
            for row in images.itertuples()]  # fmt: skip
    lines = [",".join(row[:3]) for row in rows]
    (tmp_path / "m.csv").write_text("\n".join(["probe,candidate_1,candidate_2", *lines]))
    asked = {"trials": str(tmp_path / "m.csv"), "teacher": str(root / "07_model_output/test/teacher/embeddings")}
    run_kedro_after("score_trials", params={"score_trials": asked})
    found = json.loads((root / "08_reporting/test/trial_metrics.json").read_text())
    assert found["probes"] == len(rows) and found["chance"] == 0.5 and 0 <= found["accuracy"] <= 1
    student, taught = (
        load_table(root / "07_model_output/test" / each / "embeddings") for each in ("distilled", "teacher")
    )
    hits = []
    for probe, *candidates in rows:
        scores = taught.at(candidates[:2]) @ student.at([probe])[0, : taught.dim]
        hits.append(scores[0] > scores[1])
    assert found["accuracy"] == pytest.approx(sum(hits) / len(hits), abs=0.02)
