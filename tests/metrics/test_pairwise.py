"""The EER over pairs: every pair where they are few, a fair draw of them in linear memory where they are many."""

import time
import tracemalloc

import numpy as np
import pytest

from cross_modal_kd.metrics import eer, pairwise_eer


def plain(embeddings: np.ndarray, labels: np.ndarray) -> float:
    """Every pair, in one product: the definition."""
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True).clip(1e-12)
    rows, columns = np.triu_indices(len(unit), 1)
    return eer((unit @ unit.T)[rows, columns], (labels[rows] == labels[columns]).astype(int))


def made(samples: int, classes: int, dim: int = 32, noise: float = 1.5, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(classes, size=samples)
    values = rng.normal(size=(classes, dim))[labels] + noise * rng.normal(size=(samples, dim))
    return values.astype(np.float32), labels


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("samples", "classes"), [(7, 3), (60, 4), (500, 40), (1297, 430)])
def test_where_every_pair_counts_it_is_the_plain_value_to_the_last_bit(samples, classes, dtype):
    values, labels = made(samples, classes)
    names = np.array([f"label {number}" for number in range(classes)], dtype=object)[labels]
    assert pairwise_eer(values.astype(dtype), names) == plain(values.astype(dtype), names)


@pytest.mark.parametrize("classes", [3, 60, 900])
def test_a_draw_is_near_the_value_of_all_pairs(classes):
    values, labels = made(1500, classes)
    assert 1500 * 1499 / 2 > 200_000
    drawn = pairwise_eer(values, labels, most_pairs=200_000)
    assert drawn == pytest.approx(plain(values, labels), abs=0.01)
    assert drawn == pairwise_eer(values, labels, most_pairs=200_000)
    assert drawn != pairwise_eer(values, labels, most_pairs=200_000, seed=1)


def test_labels_of_unequal_size_count_by_their_pairs():
    """One large label that is told apart and many small ones that are not: its pairs are nearly all of the targets."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(401), [600, *[2] * 400])
    values = rng.normal(size=(len(labels), 16))
    values[:600, 0] += 20
    assert pairwise_eer(values, labels, most_pairs=100_000) == pytest.approx(plain(values, labels), abs=0.01)
    assert pairwise_eer(values, labels, most_pairs=100_000) < 0.02


def test_it_says_where_there_is_none():
    values, _ = made(4, 2)
    for labels in ("aaaa", "abcd"):
        assert np.isnan(pairwise_eer(values, np.array(list(labels))))
        assert np.isnan(pairwise_eer(values, np.array(list(labels)), most_pairs=2))


@pytest.mark.parametrize("classes", [50, 4000])
def test_memory_is_linear_and_time_is_short_at_20_000_samples(classes):
    values, labels = made(20_000, classes, dim=128)
    tracemalloc.start()
    started = time.process_time()
    found = pairwise_eer(values, labels)
    seconds, peak = time.process_time() - started, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 0 < found < 0.5
    assert peak < 200e6, f"{peak / 1e6:.0f} MB"
    assert seconds < 15
