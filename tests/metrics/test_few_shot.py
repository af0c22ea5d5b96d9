"""Few-shot classification against means taken one by one."""

import numpy as np
import pytest

from cross_modal_kd.metrics import few_shot, first_of_each, unit_rows


def made(classes: int = 6, samples: int = 5, noise: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = np.repeat([f"c{number}" for number in range(classes)], samples)
    centres = np.repeat(rng.normal(size=(classes, 8)), samples, axis=0)
    lengths = rng.uniform(0.1, 9, size=(len(labels), 1))
    order = rng.permutation(len(labels))
    return ((centres + noise * rng.normal(size=centres.shape)) * lengths)[order], labels[order]


@pytest.mark.parametrize("shots", [1, 3])
def test_the_nearest_class_mean_is_named(shots):
    embeddings, labels = made()
    found = few_shot(embeddings, labels, shots, np.random.default_rng(7))
    shown = np.setdiff1d(np.arange(len(labels)), found.queries)
    assert len(shown) == 6 * shots and {(labels[shown] == each).sum() for each in labels} == {shots}
    unit, classes = unit_rows(embeddings), np.unique(labels)
    means = np.stack([unit[[row for row in shown if labels[row] == each]].mean(axis=0) for each in classes])
    named = classes[(unit_rows(means) @ unit[found.queries].T).argmax(axis=0)]
    right = named == labels[found.queries]
    assert 0 < right.mean() < 1
    assert found.places.one_of_n(6).per_query.tolist() == right.tolist()


def test_another_draw_shows_others_and_the_same_draw_the_same():
    embeddings, labels = made()
    first, again, other = (few_shot(embeddings, labels, 2, np.random.default_rng(seed)).queries for seed in (0, 0, 1))
    assert first.tolist() == again.tolist() != other.tolist()


def test_every_sample_of_a_class_is_drawn_as_often():
    index = np.repeat([0, 1], [4, 8])
    drawn = np.mean([first_of_each(index, 2, np.random.default_rng(seed)) for seed in range(4000)], axis=0)
    np.testing.assert_allclose(drawn, np.repeat([1 / 2, 1 / 4], [4, 8]), atol=0.03)


@pytest.mark.parametrize(("labels", "shots"), [(["a", "a", "b"], 1), (["a", "a", "a"], 1), (["a", "a", "b", "b"], 0)])
def test_a_class_without_a_query_one_class_and_no_shot_are_refused(labels, shots):
    with pytest.raises(ValueError, match="expected at least 1 shot, 2 classes, and more samples than shots"):
        few_shot(np.eye(len(labels)), labels, shots, np.random.default_rng(0))
