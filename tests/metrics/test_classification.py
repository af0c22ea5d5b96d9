"""Classification and identification against scikit-learn, torchmetrics and plain loops."""

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score, top_k_accuracy_score
from torchmetrics.functional.classification import multiclass_calibration_error

from cross_modal_kd.metrics import calibration_error, identification, in_top_k, macro_f1, top_k_accuracy


@pytest.fixture
def answers():
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 6, 300)
    logits = generator.normal(size=(300, 6)) + 1.5 * np.eye(6)[labels]
    powers = np.exp(logits)
    return powers / powers.sum(1, keepdims=True), labels


@pytest.mark.parametrize("k", [1, 2, 5])
def test_top_k_is_scikit_learns(answers, k):
    scores, labels = answers
    weights = np.random.default_rng(1).integers(1, 4, 300)
    assert top_k_accuracy(scores, labels, k) == pytest.approx(top_k_accuracy_score(labels, scores, k=k))
    expected = top_k_accuracy_score(labels, scores, k=k, sample_weight=weights)
    assert top_k_accuracy(scores, labels, k, weights) == pytest.approx(expected)


def test_ties_across_the_limit_are_shared():
    scores = np.array([[1.0, 1.0, 0.0, 1.0]] * 2)
    assert in_top_k(scores, [0, 2], 1).tolist() == pytest.approx([1 / 3, 0])
    assert in_top_k(scores, [0, 2], 2).tolist() == pytest.approx([2 / 3, 0])
    assert in_top_k(scores, [0, 2], 4).tolist() == [1, 1]


def test_macro_f1_is_scikit_learns_over_the_classes_in_the_truth(answers):
    scores, labels = answers
    predicted = scores.argmax(1)
    assert macro_f1(predicted, labels) == pytest.approx(f1_score(labels, predicted, average="macro"))
    weights = np.random.default_rng(1).integers(1, 4, 300)
    expected = f1_score(labels, predicted, average="macro", sample_weight=weights)
    assert macro_f1(predicted, labels, weights) == pytest.approx(expected)
    without = labels != 3
    expected = f1_score(labels[without], predicted[without], average="macro", labels=[0, 1, 2, 4, 5])
    assert macro_f1(predicted[without], labels[without]) == pytest.approx(expected)
    assert macro_f1(["a", "b"], ["a", "a"]) == pytest.approx(2 / 3)


@pytest.mark.parametrize("bins", [1, 10, 15])
def test_calibration_error_is_torchmetrics(answers, bins):
    probabilities, labels = answers
    expected = multiclass_calibration_error(
        torch.tensor(probabilities), torch.tensor(labels), num_classes=6, n_bins=bins, norm="l1"
    )
    assert calibration_error(probabilities, labels, bins) == pytest.approx(expected.item(), abs=1e-6)


def test_a_class_with_any_weight_in_the_truth_counts():
    labels, predicted = [0, 0, 1, 1, 2], [0, 0, 1, 0, 0]
    once = macro_f1(predicted, labels)
    assert once == pytest.approx(f1_score(labels, predicted, average="macro"))
    assert macro_f1(predicted, labels, np.full(5, 0.1)) == pytest.approx(once)
    assert macro_f1(predicted, labels, [1, 1, 1, 1, 0]) == pytest.approx(macro_f1(predicted[:4], labels[:4]))


def test_rows_that_sum_to_a_little_more_than_one_fall_into_the_last_bin():
    """Wrong with 1.0005 and right with 0.99 in one bin: |0.01 - 1.0005| / 2, not (0.01 + 1.0005) / 2."""
    assert calibration_error([[1.0005, 0.0], [0.99, 0.01]], [1, 0], bins=10) == pytest.approx(0.9905 / 2)


def test_a_confidence_on_the_edge_of_two_bins_is_of_the_lower():
    """Bins of a quarter, closed on the right: 0.5 shares one with 0.4, not with 0.6."""
    rows = [[0.5, 0.3, 0.2], [0.4, 0.3, 0.3], [0.6, 0.4, 0.0]]
    right = [0, 1, 1]
    assert calibration_error(rows, right, bins=4) == pytest.approx((abs(0.5 - 0.4) + 0.6) / 3)


def test_calibration_weights_are_repetitions(answers):
    probabilities, labels = answers
    weights = np.random.default_rng(1).integers(0, 4, 300)
    expected = calibration_error(np.repeat(probabilities, weights, axis=0), np.repeat(labels, weights))
    assert calibration_error(probabilities, labels, weights=weights) == pytest.approx(expected)


def test_calibration_of_the_certain():
    assert calibration_error([[1.0, 0.0], [0.0, 1.0]], [0, 1]) == 0
    assert calibration_error([[1.0, 0.0], [0.0, 1.0]], [1, 0]) == 1
    assert calibration_error([[0.5, 0.5]] * 2, [0, 1]) == 0


def test_identification_is_that_of_a_plain_loop():
    generator = np.random.default_rng(0)
    labels = np.array([f"speaker{i:02d}" for i in generator.integers(0, 8, 90)])
    embeddings = generator.normal(size=(90, 5)) + 1.5 * generator.normal(size=(100, 5))[[int(x[-2:]) for x in labels]]
    result = identification(embeddings, labels, enrol=3, seed=4)
    enrolled = np.setdiff1d(np.arange(90), result.probes)
    assert all((labels[enrolled] == name).sum() == 3 for name in np.unique(labels))

    def unit(x):
        return x / np.linalg.norm(x)

    centroids = {
        name: unit(sum(unit(embeddings[i]) for i in enrolled if labels[i] == name)) for name in np.unique(labels)
    }
    for probe, right in zip(result.probes, result.right, strict=True):
        best = max(centroids, key=lambda name: centroids[name] @ embeddings[probe])
        assert right == (best == labels[probe])
    assert result.accuracy == pytest.approx(result.right.mean()) and result.chance == 1 / 8


def test_identification_is_repeatable_and_rare_identities_are_distractors():
    embeddings, labels = np.eye(4)[[0, 0, 1, 1, 2]], ["a", "a", "b", "b", "rare"]
    result = identification(embeddings, labels)
    assert result.accuracy == 1 and result.chance == 1 / 3 and len(result.probes) == 2
    assert 4 not in result.probes
    np.testing.assert_array_equal(
        identification(embeddings, labels, seed=5).probes, identification(embeddings, labels, seed=5).probes
    )


def test_wrong_arguments_are_refused_by_name(answers):
    scores, labels = answers
    with pytest.raises(ValueError, match=r"k: expected 1 to 6 \(the number of classes\), found 7"):
        top_k_accuracy(scores, labels, 7)
    with pytest.raises(ValueError, match="labels: expected integers from 0 to 5, found int64 0 to 6"):
        top_k_accuracy(scores, np.where(np.arange(300) == 7, 6, labels))
    with pytest.raises(ValueError, match="scores: expected finite numbers, found 1800 NaN"):
        top_k_accuracy(scores * np.nan, labels)
    with pytest.raises(ValueError, match="predicted: expected shape"):
        macro_f1([0, 1], [0])
    with pytest.raises(ValueError, match="labels: expected at least one"):
        macro_f1([], [])
    with pytest.raises(ValueError, match="probabilities: expected rows >= 0 that sum to 1"):
        calibration_error(2 * scores, labels)
    with pytest.raises(ValueError, match="bins: expected at least 1"):
        calibration_error(scores, labels, bins=0)
    with pytest.raises(ValueError, match="labels: expected at least 2 identities, found 1"):
        identification(scores, np.zeros(300))
    with pytest.raises(ValueError, match="enrol: no identity has more than 300 samples"):
        identification(scores, labels, enrol=300)
    with pytest.raises(ValueError, match="enrol: expected at least 1"):
        identification(scores, labels, enrol=0)
    with pytest.raises(ValueError, match=r"labels: expected shape \(300,\) as embeddings has rows"):
        identification(scores, labels[:5])


def test_the_seed_of_an_identification_is_0_unless_given_and_the_first_of_its_order_enrol():
    """Fifty identities of forty samples: those enrol that come first in the seeded order, not in the table's."""
    labels = np.repeat(np.arange(50), 40)
    embeddings = np.random.default_rng(1).normal(size=(2000, 3))
    result = identification(embeddings, labels, enrol=5)
    assert np.array_equal(result.probes, identification(embeddings, labels, enrol=5, seed=0).probes)
    assert not np.array_equal(result.probes, identification(embeddings, labels, enrol=5, seed=1).probes)
    taken: dict[int, list[int]] = {}
    for row in np.random.default_rng(0).permutation(2000).tolist():
        taken.setdefault(int(labels[row]), []).append(row)
    enrolled = {row for rows in taken.values() for row in rows[:5]}
    assert result.probes.tolist() == sorted(set(range(2000)) - enrolled)


def test_two_identities_are_enough_to_tell_apart():
    found = identification([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9]], list("aabb"))
    assert (found.accuracy, found.chance, len(found.probes)) == (1.0, 0.5, 2)
