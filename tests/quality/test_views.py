"""Views of an instance as one: their quality-weighted mean, against a plain loop."""

import numpy as np
import pandas as pd
import pytest

from cross_modal_kd.config import TeacherConfig
from cross_modal_kd.pipelines.teacher.nodes import average_views as node
from cross_modal_kd.quality import average_views
from cross_modal_kd.samples import EmbeddingTable, conform

ROWS = [
    ("s/u1/1", "a", "a/v/1", "v", 0.9),
    ("s/u1/2", "a", "a/v/1", "v", 0.1),
    ("s/v/1", "a", None, "v", 0.5),  # known by the video alone
    ("s/v/2", "a", None, "v", 0.25),
    ("s/v/3", "b", None, "v", 1.0),  # somebody else in a video of that name
    ("s/still/1", "a", None, None, 0.3),
    ("s/still/2", "a", None, None, 0.7),
    ("s/u2/1", "b", "b/w/1", "w", 0.0),
    ("s/u2/2", "b", "b/w/1", "w", 0.0),
]
INSTANCES = [[0, 1], [2, 3], [4], [5], [6], [7, 8]]


def world():
    columns = ["sample_id", "label", "group", "domain", "quality"]
    table = pd.DataFrame(ROWS, columns=columns).assign(modality="image", source="s", path="p")
    embeddings = np.random.default_rng(0).normal(size=(len(ROWS), 5)).astype(np.float32)
    samples = conform(table.sample(frac=1, random_state=1))
    return EmbeddingTable(table["sample_id"].tolist(), embeddings, "f"), samples, table[["sample_id", "quality"]]


def test_views_of_an_instance_become_their_mean_weighted_by_quality():
    embeddings, samples, scores = world()
    found = average_views(embeddings, samples, scores)
    assert found.sample_ids == embeddings.sample_ids
    for rows in INSTANCES:
        weights = np.array([ROWS[row][-1] for row in rows])
        weights = weights if weights.sum() else np.ones(len(rows))
        expected = np.average(embeddings.values[rows], axis=0, weights=weights)
        for row in rows:
            np.testing.assert_allclose(found.values[row], expected, rtol=1e-6)


def test_another_quality_is_another_table_and_the_same_is_the_same():
    embeddings, samples, scores = world()
    found = average_views(embeddings, samples, scores)
    assert found.fingerprint == average_views(embeddings, samples, scores).fingerprint != embeddings.fingerprint
    other = scores.assign(quality=scores["quality"].mask(scores["sample_id"] == "s/u1/1", 0.2))
    assert average_views(embeddings, samples, other).fingerprint != found.fingerprint


def test_a_sample_without_quality_is_named():
    embeddings, samples, scores = world()
    with pytest.raises(ValueError, match="no quality of 1 samples of the teacher, the first is 's/v/1'"):
        average_views(embeddings, samples, scores[scores["sample_id"] != "s/v/1"])


def test_by_default_embeddings_pass_as_they_are():
    embeddings, samples, scores = world()
    encoder = {"library": "timm", "name": "resnet18"}
    plain, averaged = (TeacherConfig(encoder=encoder, **more) for more in ({}, {"views": "averaged"}))
    assert node(embeddings, samples, scores, plain) is embeddings
    assert node(embeddings, samples, scores, averaged).fingerprint != embeddings.fingerprint
    assert "views" not in plain.model_dump() and averaged.model_dump()["views"] == "averaged"
