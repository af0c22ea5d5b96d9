"""Unit rows, the EER over all pairs, and metrics put together."""

import numpy as np
import pytest

from cross_modal_kd.metrics import Metric, MetricSet, eer, pairwise_eer, unit_rows


def test_rows_have_length_one_and_a_row_of_zeros_stays():
    found = unit_rows(np.array([[3.0, 4.0], [0.0, 0.0], [0.0, -2.0], [3e-9, 4e-9]]))
    np.testing.assert_allclose(found, [[0.6, 0.8], [0, 0], [0, -1], [0.6, 0.8]])


@pytest.mark.parametrize(
    ("dtype", "size"), [(np.float16, 300), (np.float32, 1e-30), (np.float32, 1e30), (np.float64, 1e200)]
)
@pytest.mark.filterwarnings("error")
def test_rows_whose_length_has_no_number_in_their_type_have_length_one_too(dtype, size):
    plain = np.random.default_rng(0).normal(size=(5, 64))
    rows = plain * np.array([1, size, size, 1, 0])[:, None]
    found = unit_rows(rows.astype(dtype))
    assert found.dtype == dtype and not found[4].any()
    expected = plain[:4] / np.linalg.norm(plain[:4], axis=1, keepdims=True)
    np.testing.assert_allclose(found[:4].astype(np.float64), expected, rtol=2e-3 if dtype == np.float16 else 1e-5)
    whole = rows[[0, 3]].astype(dtype)
    assert np.array_equal(found[[0, 3]], whole / np.linalg.norm(whole, axis=1, keepdims=True))


def test_the_eer_over_pairs_is_that_of_a_list_of_all_pairs_with_their_cosines():
    rng = np.random.default_rng(0)
    embeddings, labels = rng.normal(size=(14, 3)) * rng.uniform(0.1, 9, size=(14, 1)), np.arange(14) % 4
    scores, targets = [], []
    for one in range(14):
        for other in range(one):
            norms = np.linalg.norm(embeddings[one]) * np.linalg.norm(embeddings[other])
            scores.append(embeddings[one] @ embeddings[other] / norms)
            targets.append(int(labels[one] == labels[other]))
    assert pairwise_eer(embeddings, labels) == pytest.approx(eer(scores, targets))


def test_the_cosines_of_a_sample_without_direction_are_zero():
    embeddings = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [-1.0, 0.0], [-5.0, 0.0]])
    alike, others = [0, 0, 1, 1], [0, 0, -1, -1, -1, -1]
    expected = eer(alike + others, [1] * 4 + [0] * 6)
    assert pairwise_eer(embeddings, np.array(list("aaabb"))) == pytest.approx(expected)


@pytest.mark.parametrize("labels", ["aaaa", "abcd"])
def test_pairs_of_one_sort_alone_have_no_eer(labels):
    assert np.isnan(pairwise_eer(np.eye(4), np.array(list(labels))))


def test_metrics_together_hold_what_both_hold_and_the_second_wins():
    one = MetricSet({"a": Metric(1.0, np.ones(2)), "b": Metric(2.0, np.ones(2))}, {"a": 0.5}, {"x": "one"})
    other = MetricSet({"b": Metric(3.0, np.ones(2))}, {"a": 0.25, "b": 0.125}, {"y": "two"})
    both = one | other
    assert {name: found.value for name, found in both.metrics.items()} == {"a": 1.0, "b": 3.0}
    assert both.chance == {"a": 0.25, "b": 0.125}
    assert both.undefined == {"x": "one", "y": "two"}


def test_metrics_are_renamed_in_all_their_parts():
    made = MetricSet({"a": Metric(1.0, np.ones(2)), "b": Metric(2.0, np.ones(2))}, {"a": 0.5, "b": 0.1}, {"c": "why"})
    renamed = made.renamed("_seen")
    assert {name: found.value for name, found in renamed.metrics.items()} == {"a_seen": 1.0, "b_seen": 2.0}
    assert renamed.chance == {"a_seen": 0.5, "b_seen": 0.1} and renamed.undefined == {"c_seen": "why"}
