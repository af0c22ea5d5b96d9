"""Dropped words where ``teacher.views`` is averaged: captions of a picture are one answer, damaged or not."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from cross_modal_kd.config import QualityConfig, TaskConfig, TeacherConfig
from cross_modal_kd.samples import EmbeddingTable, conform
from cross_modal_kd.studies.regimes import teachers
from cross_modal_kd.studies.regimes.config import TeacherStudy

QUALITY = QualityConfig(measures={"text": ["length"]}, score={"text": ["length"]})
TASK = TaskConfig(name="c", title="c", kind="classification", student="image", teacher="text")


def texts():
    """Six pictures with three captions each, of 4, 8 and 12 words."""
    rows = [
        {"sample_id": f"{picture}/{words}", "group": f"p{picture}", "text": " ".join(f"w{n}" for n in range(words))}
        for picture in range(6)
        for words in (4, 8, 12)
    ]
    given = {"modality": "text", "label": "a", "split": "train", "source": "s", "sha256": "0" * 64}
    return conform(pd.DataFrame(rows).assign(**given))


def embedded(samples, *_):
    """An answer that is the number of words and one of the caption's own."""
    values = [[len(text.split()), row] for row, text in enumerate(samples["text"])]
    return EmbeddingTable(samples["sample_id"].tolist(), np.array(values, dtype=np.float32), "f")


def damaged(monkeypatch, tmp_path, views):
    samples = texts()
    monkeypatch.setattr(teachers, "embed_teacher", embedded)
    measures = samples[["sample_id", "modality"]].assign(length=samples["text"].str.split().str.len().astype(float))
    about = SimpleNamespace(
        task=TASK, sources=None, inputs=None, training=SimpleNamespace(compute=SimpleNamespace(accelerator="cpu"))
    )
    world = SimpleNamespace(
        samples=samples,
        task=TASK,
        teacher_embeddings=embedded(samples),
        configuration=about,
        teacher_model=None,
        engine=None,
        quality=QUALITY,
        quality_measures=measures,
        teacher=TeacherConfig(encoder={"library": "sentence_transformers", "name": "n"}, views=views),
    )
    study = TeacherStudy(arms=["none"], noise=[], dropped_words=[0.5])
    ((name, share, found),) = teachers._damaged(world, study, tmp_path)
    assert (name, share) == ("dropped_words", 0.5)
    return found


def test_captions_of_a_picture_without_half_their_words_are_one_answer(monkeypatch, tmp_path):
    found = damaged(monkeypatch, tmp_path, "averaged")
    for picture in range(6):
        rows = found.values[3 * picture : 3 * picture + 3]
        np.testing.assert_array_equal(rows, rows[[0, 0, 0]])
        words, own = rows[0]
        assert 2 < words < 6 and 3 * picture < own < 3 * picture + 2
        assert own > 3 * picture + 1  # the longest, the last of three, weighs most


def test_and_stay_apart_where_one_is_drawn(monkeypatch, tmp_path):
    found = damaged(monkeypatch, tmp_path, "drawn")
    np.testing.assert_array_equal(found.values[:3, 0], [2, 4, 6])
