"""A speech student with speeds as speakers, noise, masks and a large-margin stage, from sounds to what is kept."""

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch

from cross_modal_kd.config import (
    ArmConfig,
    InputConfig,
    ProjectionConfig,
    SourcesConfig,
    StudentConfig,
    TaskConfig,
    TrainingConfig,
)
from cross_modal_kd.models import build_student
from cross_modal_kd.samples import EmbeddingTable
from cross_modal_kd.student.answer import class_logits
from cross_modal_kd.training.projection import fit_projection
from cross_modal_kd.training.student import read_arm_data, train_arm
from training_toys import TIMES

RATE = 4000
TASK = TaskConfig(name="v", title="V", kind="verification", student="speech", teacher="image")
INPUTS = InputConfig(speech={"sample_rate": RATE, "crop_s": 0.3, "eval_s": 0.4, "n_mels": 16})
STUDENT = StudentConfig(
    encoder={"library": "tstp", "name": "ResNet18", "options": {"channels": 2, "features": "kaldi"}},
    sub_centers=2,
    scale=32,
)
BOUND = ArmConfig(
    constraints={"feature": {"kind": "cosine"}, "classifier": {"kind": "classifier_kl"}, "kd": {"kind": "hinton_kd"}},
    joint=True,
)
TRAINING = TrainingConfig(
    epochs=3,
    batch_size=6,
    optimizer="sgd",
    schedule="cosine",
    lr=0.05,
    final_lr=1e-3,
    warmup_epochs=1,
    margin_schedule={"start_epoch": 1, "end_epoch": 3},
    keep="average",
    average_epochs=2,
    eval_every=1,
    augmentation={"speech": {"speeds": [1, 0.9, 1.1], "spec_augment": {}, "dither": 1.0}},
    large_margin={"epochs": 1, "crop_s": 0.5, "lr": 1e-2, "final_lr": 1e-3, "batch_size": 4},
    compute={"accelerator": "cpu"},
)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder, rng, rows = tmp_path_factory.mktemp("sounds"), np.random.default_rng(0), []
    for number in range(8):
        split = "train" if number < 4 else "dev"
        for view in range(4):
            sample = f"{number}-{view}"
            soundfile.write(folder / f"{sample}.wav", rng.uniform(-0.3, 0.3, RATE), RATE)
            row = {"sample_id": sample, "label": f"l{number}", "group": f"g{number}", "split": split}
            rows.append(row | {"modality": "speech" if view < 3 else "image", "path": f"{sample}.wav"})
    samples = pd.DataFrame(rows).assign(source="made", sha256="0" * 64, duration_s=1.0)
    faces = samples.loc[samples["modality"] == "image", "sample_id"].tolist()
    teacher = EmbeddingTable(faces, rng.normal(size=(len(faces), 10)), "f")
    voices = samples.loc[samples["modality"] == "speech", "sample_id"]
    quality = pd.DataFrame({"sample_id": voices, "quality_student": 0.5, "quality_teacher": 0.5})
    sources = SourcesConfig({"made": {"layout": "folder", "root": str(folder)}})
    config = ProjectionConfig(dim=6, hidden=8, epochs=2, batch_size=8)
    return read_arm_data(samples, TASK, sources, INPUTS, teacher, quality), fit_projection(
        samples, TASK, teacher, config
    )[0]


def train(world, seed: int = 0, **options):
    data, projection = world
    training = TRAINING.model_copy(update={"seed": seed})
    return train_arm(data, STUDENT, training, BOUND, projection, name="mine", **options)


def test_two_trainings_of_a_seed_are_equal_and_an_interrupted_one_too(world, tmp_path):
    (one, history), (again, repeated) = train(world), train(world)
    assert all(torch.equal(value, again.tensors[name]) for name, value in one.tensors.items())
    pd.testing.assert_frame_equal(history.drop(columns=TIMES), repeated.drop(columns=TIMES))

    def stop(row, epoch):
        if epoch == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(world, checkpoint=tmp_path / "c.safetensors", watch=stop)
    resumed, _ = train(world, checkpoint=tmp_path / "c.safetensors")
    assert all(torch.equal(value, resumed.tensors[name]) for name, value in one.tensors.items())
    other, _ = train(world, seed=1)
    assert not all(torch.equal(value, other.tensors[name]) for name, value in one.tensors.items())


def test_what_is_kept_knows_the_speakers_alone(world):
    made, history = train(world)
    assert made.config["classes"] == ["l0", "l1", "l2", "l3"]
    assert made.tensors["head.arcface.W"].shape == (6, 4 * 2)
    assert history["epoch"].tolist() == [1, 2, 3, 4]
    assert class_logits(made, torch.randn(3, 6), 32.0).shape == (3, 4)
    student = build_student(made)
    assert student(torch.randn(2, 1600)).shape == (2, 6)
    assert student.encoder.features.dither == 0  # which is of its training alone
