"""Somebody's own folder, of which few samples have a label, or none in training: from files to a report."""

import json
import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cross_modal_kd.demo.desk import Desk
from cross_modal_kd.models import load_bundle, prototypes
from cross_modal_kd.student import StudentError, StudentModel
from cross_modal_kd.student.pyfunc import ServedStudent
from own_folders import image, table

TINY = {
    "task": {"title": "Birds", "kind": "verification", "student": "image", "teacher": "text", "pairing": "instance"},
    "ingestion": {"max_labels": None, "split": {"frozen": None}},
    "training": {"batch_size": 16},
    "evaluation": {"folds": 1},
}


def birds(root: Path, labels: int = 18, files: int = 3, more: int = 40) -> Path:
    """Labelled folders, pictures in the folder ``more`` and one beside them; a caption each but of ``more/0.png``."""
    paths = [(f"b{label}/{number}.png", label, number) for label in range(labels) for number in range(files)]
    paths += [(f"more/{number}.png", number % labels, files + number) for number in range(more)]
    paths += [("stray.png", 3, 99)]
    for path, label, number in paths:
        image(root / path, label, number)
    captions = [(path, f"bird number {label} seen {number} times") for path, label, number in paths]
    table(root / "captions.csv", ("path", "text"), [each for each in captions if each[0] != "more/0.png"])
    return root


def told(root: Path, **more) -> dict:
    source = {"layout": "folder", "root": str(root), "options": {"unlabelled": "more"}}
    return {**TINY, **more, "sources": {"emoji": None, "birds": source}}


@pytest.mark.slow
def test_a_folder_with_few_labels_is_distilled_and_says_what_it_was(run_kedro, tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        run_kedro("distill", params=told(birds(tmp_path / "birds"), distillation={"arm": "soft_feature"}))
    reporting = run_kedro.data_root / "08_reporting" / "test"
    samples = pd.read_parquet(run_kedro.data_root / "02_intermediate/test/samples.parquet")
    mine = samples[samples["modality"] == "image"]
    without = mine[mine["label"].isna()]
    assert set(without["split"]) == {"train"} and len(without) == 40  # 39 of `more` and the stray one
    rejected = pd.read_csv(run_kedro.data_root / "02_intermediate/test/rejected_samples.csv")
    assert rejected.set_index("path")["reason"]["more/0.png"] == "no label, and no text sample beside it (instance)"

    train = mine[mine["split"] == "train"]
    words = f"of {len(train)} training samples {len(train) - 40} have a label"
    for where in (
        caplog.text,
        (reporting / "data.html").read_text().replace("Of ", "of "),
        (reporting / "report.html").read_text(),
    ):
        assert words in where
    metrics = json.loads((reporting / "metrics.json").read_text())
    assert metrics["labels"] == {"training_samples": len(train), "labelled": len(train) - 40}
    models = run_kedro.data_root / "06_models" / "test"
    assert load_bundle(models / "distilled/student", ["student"]).config["classes"] == sorted(
        train["label"].dropna().unique()
    )


@pytest.mark.slow
def test_a_folder_without_any_label_in_training_is_distilled_by_its_pairs(run_kedro, tmp_path):
    """The labelled ones are for dev and test; the arms that ask for labels are refused before anything is trained."""
    root = birds(tmp_path / "birds", labels=8)
    splits = [(f"b{label}", "dev" if label < 4 else "test") for label in range(8)]
    table(root / "splits.csv", ("label", "split"), splits)
    params = told(root, arms={"soft_contrast": {"projection": "pca"}})
    with pytest.raises(Exception, match="arms.none cannot be trained: no image sample of the training split"):
        run_kedro("distill", params={**params, "distillation": {"arm": "soft_contrast"}})
    run_kedro("distill", params={**params, "distillation": {"baseline": "simclr", "arm": "soft_contrast"}})
    reporting = run_kedro.data_root / "08_reporting" / "test"
    metrics = json.loads((reporting / "metrics.json").read_text())
    assert metrics["labels"]["labelled"] == 0 and np.isfinite(metrics["distilled"]["eer"]["value"])
    page = (reporting / "report.html").read_text()
    assert "SimCLR, no labels" in page and "student alone" not in page and "Student alone" not in page

    student = StudentModel.load(run_kedro.data_root / "06_models/test/distilled/packaged")
    pictures = [root / "b5/0.png", root / "b5/1.png"]
    assert student.classes == [] and isinstance(student.verify(*pictures).score, float)
    assert student.enroll("five", pictures[0]).name == "five"
    with pytest.raises(StudentError, match="without labels and has no classes of its own: name some by words"):
        student.predict(pictures)
    assert student.look(pictures)[0].label is None and student.look(pictures)[0].embedding is not None
    assert len(student.package.training) > 0 and student.package.training.items["label"].isna().all()
    served = ServedStudent(run_kedro.data_root / "06_models/test/distilled/packaged")
    assert served.predict(pd.DataFrame({"content": [pictures[0].read_bytes()]})).loc[0, "label"] is None
    answer = Desk(student).answer(pictures[0].read_bytes())
    assert answer.error is None and answer.replies[0].label == "" and answer.replies[0].nearest


@pytest.mark.slow
def test_a_classification_without_any_label_in_training_is_distilled_by_the_names_of_its_classes(run_kedro, tmp_path):
    """Dev and test are labelled; the classes are theirs, and the teacher's embeddings of their names the classifier."""
    root = birds(tmp_path / "birds", labels=4, files=16)
    splits = [(f"b{label}/{n}.png", "dev" if n < 8 else "test") for label in range(4) for n in range(16)]
    table(root / "splits.csv", ("path", "split"), splits)
    task = TINY["task"] | {"kind": "classification"}
    named = {"projection": "pca", "answer": "teacher"}
    params = told(root, task=task, arms={"hard_feature": named, "soft_classifier": named})
    with pytest.raises(Exception, match=r"arms.none cannot be trained.*conf/no_labels_image has two"):
        run_kedro("distill", params={**params, "distillation": {"arm": "soft_classifier"}})
    run_kedro("distill", params={**params, "distillation": {"baseline": "hard_feature", "arm": "soft_classifier"}})
    reporting, models = (run_kedro.data_root / folder / "test" for folder in ("08_reporting", "06_models"))
    metrics = json.loads((reporting / "metrics.json").read_text())
    assert metrics["labels"]["labelled"] == 0 and 0 <= metrics["distilled"]["top1"]["value"] <= 1
    assert metrics["arms"]["student_alone"]["name"] == "hard feature (cosine)"
    page = (reporting / "report.html").read_text()
    assert "Both students are bound" in page and "What is known of a class is its name" in page
    assert "student alone" not in page

    classes = ["b0", "b1", "b2", "b3"]
    projection = load_bundle(models / "projection_pca", ["projection"])
    assert projection.config["classes"] == classes
    student = StudentModel.load(models / "distilled/packaged")
    assert student.classes == classes and student.predict([root / "b1/9.png"])[0].label in classes
    np.testing.assert_allclose(
        np.asarray(load_bundle(models / "distilled/student", ["student"]).tensors["shared.prototypes"]),
        prototypes(projection),
        atol=1e-6,
    )
