"""What conf/test does not have: a classification task, and a student that hears."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch

from cross_modal_kd.config import DeploymentConfig, EncoderConfig, InputConfig, SourceConfig
from cross_modal_kd.evaluation.embed import embed_with
from cross_modal_kd.losses import LinearClassifier
from cross_modal_kd.metrics import unit_rows
from cross_modal_kd.models import Student, student_bundle
from cross_modal_kd.student import StudentModel, find_operating, load_package
from cross_modal_kd.student.answer import class_logits, probabilities
from cross_modal_kd.student.inputs import Reader
from cross_modal_kd.student.quality import QualityReference
from cross_modal_kd.student.record import QualityRecord
from evaluation_world import CLASSIFICATION, world


def test_of_a_classification_task_probabilities_are_calibrated_and_no_pairs_are_decided():
    made = world(CLASSIFICATION)
    samples = made.samples.assign(sha256="0" * 64)
    table, asked = made.embeddings(0.8), DeploymentConfig(min_errors=1)
    found = find_operating(samples, CLASSIFICATION, made.student(), table, made.evaluation, asked, None)
    assert found.thresholds == [] and found.calibration.slope is None
    assert "kind: verification has thresholds" in found.calibration.reason
    assert found.temperature.after <= found.temperature.before
    dev = samples[(samples["modality"] == "image") & (samples["split"] == "dev")]
    logits = class_logits(made.student(), torch.from_numpy(table.at(dev["sample_id"])), None)
    right = np.array([made.classes.index(label) for label in dev["label"]])
    shares = probabilities(logits, found.temperature.value)
    assert -np.log(shares[np.arange(len(right)), right]).mean() == pytest.approx(found.temperature.after, abs=1e-6)
    assert found.dev.name == "dev_top1" and found.dev.value == pytest.approx((shares.argmax(1) == right).mean())


@pytest.fixture(scope="module")
def hears(distilled):
    """A student that hears, fresh: the rest of its package is that of the small image student."""
    encoder = EncoderConfig(
        library="speechbrain",
        name="ECAPA_TDNN",
        options={
            "channels": [16, 16, 16, 16, 48],
            "kernel_sizes": [5, 3, 3, 3, 1],
            "dilations": [1, 2, 3, 4, 1],
            "attention_channels": 8,
            "res2net_scale": 4,
            "se_channels": 8,
            "lin_neurons": 16,
        },
    )
    inputs = InputConfig(**{"speech": {"sample_rate": 8000, "eval_s": 1.0}})
    package = load_package(distilled / "06_models" / "test" / "distilled" / "packaged")
    torch.manual_seed(0)
    dim = int(package.model.config["dim"])
    network, classes = Student(encoder, inputs, dim), ["one", "two", "three"]
    bundle = student_bundle(network, LinearClassifier(3, dim), encoder=encoder, inputs=inputs, dim=dim, classes=classes)
    task = package.record.task.model_copy(update={"student": "speech"})
    record = package.record.model_copy(update={"classes": classes, "task": task})
    nothing = QualityReference(QualityRecord(reason="none is measured here"))
    return StudentModel(replace(package, record=record, model=bundle, quality=nothing), device="cpu", batch_size=3)


def test_sounds_of_every_length_and_rate_are_as_in_evaluation_alone_or_together(hears, tmp_path):
    rng = np.random.default_rng(0)
    lengths = [(0.2, 8000), (1.0, 16000), (7.5, 44100), (0.9, 8000), (61.0, 8000)]
    rows = []
    for place, (seconds, rate) in enumerate(lengths):
        sound = 0.3 * rng.standard_normal(int(seconds * rate))
        soundfile.write(tmp_path / f"{place}.wav", sound, rate, subtype="PCM_16")
        rows.append({"sample_id": str(place), "modality": "speech", "source": "s", "path": f"{place}.wav",
                     "duration_s": seconds})  # fmt: skip
    sources = {"s": SourceConfig(layout="folder", root=str(tmp_path))}
    bundle = hears.package.model
    reader: Reader = hears._reader
    expected = unit_rows(embed_with(bundle, pd.DataFrame(rows), "speech", sources, reader.inputs, 2, "cpu"))
    files = list(hears.files_in(tmp_path))
    together = np.stack([each.vector for each in hears.embed(files)])
    alone = np.stack([hears.embed(file).vector for file in files])
    arrays = [soundfile.read(file, dtype="float32") for file in files]
    heard = np.stack([each.vector for each in hears.embed(arrays)])
    np.testing.assert_allclose(together, expected, atol=1e-5)
    np.testing.assert_allclose(alone, expected, atol=1e-5)
    np.testing.assert_allclose(heard, expected, atol=1e-3)  # a long array is cut before it is resampled
    assert hears.predict(files[0]).label in ("one", "two", "three")
    assert hears.predict(files[0]).quality.why == "none is measured here"
