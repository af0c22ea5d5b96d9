"""The key of a training: another one wherever the result may be another, the same one wherever it is not."""

import hashlib
import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from cross_modal_kd.config.encoder import InputConfig
from cross_modal_kd.config.objective import ArmConfig
from cross_modal_kd.config.projection import ProjectionConfig
from cross_modal_kd.config.task import TaskConfig
from cross_modal_kd.config.teacher import TeacherConfig
from cross_modal_kd.config.training import TrainingConfig
from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.samples.embeddings import EmbeddingTable
from cross_modal_kd.training import keys as module
from cross_modal_kd.training.keys import data_fingerprint, run_key

BASE = {
    "training": TrainingConfig(epochs=3),
    "projection": ModelBundle("projection", {"scale": 16.0}, {"weight": np.ones((2, 3), np.float32)}),
    "teacher": EmbeddingTable(["a"], np.ones((1, 2)), "f" * 64),
    "table": pd.DataFrame({"sample_id": ["a", "b"], "quality": [0.5, 1.0]}),
    "labels": np.array([0, -1]),
    "condition": {"share": 0.1, "kinds": ["blur", None, True]},
}
CHANGED = {
    "a value": {"condition": {"share": 0.2, "kinds": ["blur", None, True]}},
    "a type": {"condition": {"share": "0.1", "kinds": ["blur", None, True]}},
    "a name": {"condition": {"portion": 0.1, "kinds": ["blur", None, True]}},
    "the configuration": {"training": TrainingConfig(epochs=4)},
    "its kind": {"training": ProjectionConfig(epochs=3)},
    "a weight": {"projection": ModelBundle("projection", {"scale": 16.0}, {"weight": np.zeros((2, 3), np.float32)})},
    "a shape": {"projection": ModelBundle("projection", {"scale": 16.0}, {"weight": np.ones((3, 2), np.float32)})},
    "a model's config": {"projection": ModelBundle("projection", {"scale": 8.0}, BASE["projection"].tensors)},
    "the embeddings": {"teacher": EmbeddingTable(["a"], np.ones((1, 2)), "e" * 64)},
    "a cell": {"table": pd.DataFrame({"sample_id": ["a", "b"], "quality": [0.5, 0.9]})},
    "the order of rows": {"table": pd.DataFrame({"sample_id": ["b", "a"], "quality": [1.0, 0.5]})},
    "a column's name": {"table": pd.DataFrame({"sample_id": ["a", "b"], "weight": [0.5, 1.0]})},
    "a label": {"labels": np.array([0, 1])},
    "nothing held back": {"labels": None},
}


def test_the_same_parts_are_the_same_training_in_whatever_order_they_are_named():
    assert run_key("student", **BASE) == run_key("student", **dict(reversed(BASE.items())))
    assert len(run_key("student", **BASE)) == 16


@pytest.mark.parametrize("change", CHANGED)
def test_whatever_changes_makes_another_key(change):
    assert run_key("student", **(BASE | CHANGED[change])) != run_key("student", **BASE)


def test_stages_and_versions_of_the_code_are_told_apart(monkeypatch):
    before = {stage: run_key(stage, **BASE) for stage in module.RESULT_VERSIONS}
    assert len(set(before.values())) == len(before)
    monkeypatch.setitem(module.RESULT_VERSIONS, "student", module.RESULT_VERSIONS["student"] + 1)
    after = {stage: run_key(stage, **BASE) for stage in module.RESULT_VERSIONS}
    assert {stage for stage in before if before[stage] != after[stage]} == {"student"}


def test_a_new_version_of_a_constraint_retrains_the_arms_that_have_it_and_no_other(monkeypatch):
    arms = {
        name: ArmConfig(constraints={"term": {"kind": kind}} if kind else {})
        for name, kind in (("none", None), ("feature", "cosine"), ("relation", "rkd"))
    }

    def keys() -> dict[str, str]:
        found = {name: run_key("student", arm=arm) for name, arm in arms.items()}
        assert found == {name: run_key("student", arm=arm.model_dump()) for name, arm in arms.items()}
        return found

    monkeypatch.setattr(module, "CONSTRAINT_VERSIONS", {})
    first = keys()
    monkeypatch.setattr(module, "CONSTRAINT_VERSIONS", {"rkd": 2})
    second = keys()
    assert {name for name in arms if first[name] != second[name]} == {"relation"}
    assert first["feature"] == _sha16(
        ["student", module.RESULT_VERSIONS["student"], {"arm": arms["feature"].model_dump(mode="json")}]
    )


def _sha16(content: list) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def test_a_key_is_the_same_in_another_process():
    code = "from cross_modal_kd.training.keys import run_key; print(run_key('student', a={'b': 1, 'c': [None, 'x']}))"
    environment = {"PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": "7"}
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == run_key("student", a={"c": [None, "x"], "b": 1})


def test_what_has_no_key_is_told():
    with pytest.raises(TypeError, match="run_key: there is no key of a set"):
        run_key("student", labels={1, 2})


def fingerprint(**change) -> str:
    """Of a small world; change: by argument, what is made of it."""
    samples = pd.DataFrame(
        {"sample_id": ["a", "b"], "modality": "image", "split": "train", "label": "l", "group": None, "path": "p"}
    )
    world = {
        "samples": samples.assign(sha256="0" * 64),
        "task": TaskConfig(name="t", title="T", kind="verification", student="image", teacher="text"),
        "inputs": InputConfig(),
        "teacher_embeddings": EmbeddingTable(["x"], np.zeros((1, 2)), "f"),
        "projections": {"mlp": ModelBundle("projection", {}, {"w": np.zeros(3)})},
        "sample_weights": pd.DataFrame({"sample_id": ["a", "b"], "quality_student": [0.1, 0.2]}),
    }
    return data_fingerprint(**{name: change.get(name, lambda value: value)(value) for name, value in world.items()})


BOXES = ("#xywh=0,0,9,9", "#xywh=1,0,9,9")
DECIDES = {
    "task": {"name": "u", "kind": "classification", "student": "speech", "teacher": "speech", "pairing": "label"},
    "samples": {
        "sample_id": ["a", "c"], "modality": "speech", "split": "dev", "label": "m", "group": "g", "sha256": "1" * 64
    },
}  # fmt: skip


@pytest.mark.parametrize("name", DECIDES["task"])
def test_the_data_of_another_task_are_other_data(name):
    update = {name: DECIDES["task"][name]}
    assert fingerprint(task=lambda task: task.model_copy(update=update)) != fingerprint()


@pytest.mark.parametrize("name", DECIDES["samples"])
def test_another_value_of_a_sample_is_other_data(name):
    assert fingerprint(samples=lambda rows: rows.assign(**{name: DECIDES["samples"][name]})) != fingerprint()


@pytest.mark.parametrize(
    "change",
    [
        {"samples": lambda rows: rows[:1]},
        {"inputs": lambda _: InputConfig(image={"size": 64})},
        {"teacher_embeddings": lambda table: EmbeddingTable(table.sample_ids, table.values, "g")},
        {"projections": lambda _: {"mlp": ModelBundle("projection", {}, {"w": np.ones(3)})}},
        {"sample_weights": lambda weights: weights.assign(quality_student=0.5)},
    ],
)
def test_whatever_else_decides_a_training_is_other_data(change):
    assert fingerprint(**change) != fingerprint()


def test_another_part_of_a_picture_is_other_data():
    """The digest is of the whole file, and the name of a sample need not say which part of it is meant."""
    found = {fingerprint(samples=lambda rows, box=box: rows.assign(path=f"p.jpg{box}")) for box in ("", *BOXES)}
    assert len(found) == 3


def test_what_decides_nothing_leaves_the_data_what_they_are():
    assert fingerprint(inputs=lambda inputs: inputs.model_copy(update={"cache_mb": 1})) == fingerprint()
    assert fingerprint(task=lambda task: task.model_copy(update={"title": "U", "note": "n"})) == fingerprint()
    assert fingerprint(samples=lambda rows: rows.assign(path="moved")) == fingerprint()


def test_who_reads_decides_nothing():
    """Nor does it show in what is saved where it is the default: older keys stay."""
    plain, many = TrainingConfig(), TrainingConfig(workers=4)
    assert run_key("student", training=many) == run_key("student", training=plain)
    one, other = (
        TeacherConfig(pretrained=False, encoder={"library": "timm", "name": "test_resnet"}, training=each)
        for each in (plain, many)
    )
    assert run_key("teacher", teacher=one) == run_key("teacher", teacher=other)
    assert "workers" not in plain.model_dump() and many.model_dump()["workers"] == 4
