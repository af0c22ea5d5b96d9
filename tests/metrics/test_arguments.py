"""Every argument that cannot be measured is refused under its own name, with what it was to agree with."""

import re

import numpy as np
import pytest

from cross_modal_kd.metrics import (
    average_precision,
    bootstrap_mean,
    bootstrap_statistic,
    bootstrap_verification,
    calibration_error,
    cluster_weights,
    eer,
    identification,
    in_top_k,
    macro_f1,
    matching_auc,
    one_of_n,
    paired_difference,
    percentile_interval,
    top_k_accuracy,
)

SURE = np.eye(3)
ONES = np.ones((1, 3), dtype=int)
TRIALS = ([0.3, 0.2, 0.1], [1, 0, 1])
BAD = [0.0, np.nan, 1.0]
TWO = [0, 1]


def verification(scores=TRIALS[0], labels=TRIALS[1], enrol=(0, 1, 2), test=(0, 1, 2)):
    return bootstrap_verification([scores], labels, list(enrol), list(test), ONES)


def long(name: str, like: str) -> str:
    return f"{name}: expected shape (3,) as {like} has rows, found (2,)"


def no_number(name: str) -> str:
    return f"{name}: expected finite numbers, found 1 NaN or infinite (first at 1)"


def no_class(name: str, classes: int = 3) -> str:
    return f"{name}: expected integers from 0 to {classes - 1}, found int64 0 to 3"


CASES = [
    (lambda: eer(BAD, [1, 0, 1]), no_number("scores")),
    (lambda: eer(TRIALS[0], TWO), long("labels", "scores")),
    (lambda: eer(*TRIALS, weights=TWO), long("weights", "scores")),
    (lambda: eer(*TRIALS, weights=BAD), no_number("weights")),
    (lambda: eer(*TRIALS, weights=[0, 0, 0]), "weights: expected numbers >= 0, not all 0, found 0.0 to 0.0"),
    (lambda: in_top_k([BAD], [0]), no_number("scores")),
    (lambda: in_top_k(SURE, TWO), long("labels", "scores")),
    (lambda: in_top_k(SURE, [0, 1, 3]), no_class("labels")),
    (lambda: top_k_accuracy(SURE, [0, 1, 2], weights=TWO), long("weights", "scores")),
    (lambda: macro_f1(TWO, [0, 1, 1]), long("predicted", "labels")),
    (lambda: macro_f1([0, 1, 1], [0, 1, 1], weights=TWO), long("weights", "labels")),
    (lambda: calibration_error([BAD], [0]), no_number("probabilities")),
    (lambda: calibration_error(SURE, TWO), long("labels", "probabilities")),
    (lambda: calibration_error(SURE, [0, 1, 3]), no_class("labels")),
    (lambda: calibration_error(SURE, [0, 1, 2], weights=TWO), long("weights", "probabilities")),
    (lambda: identification([BAD], [0]), no_number("embeddings")),
    (lambda: identification(SURE, TWO), long("labels", "embeddings")),
    (lambda: one_of_n([BAD], [0], [0, 1, 2], 2), no_number("similarity")),
    (lambda: average_precision(SURE, TWO, [0, 1, 2]), long("query_labels", "similarity")),
    (lambda: matching_auc(SURE, [0, 1, 2], TWO), long("gallery_labels", "similarity's transpose")),
    (lambda: verification(scores=BAD), no_number("scores")),
    (lambda: verification(labels=TWO), long("labels", "scores")),
    (lambda: verification(enrol=TWO), long("enrol_cluster", "scores")),
    (lambda: verification(test=TWO), long("test_cluster", "scores")),
    (lambda: verification(enrol=(0, 1, 3)), no_class("enrol_cluster")),
    (lambda: verification(test=(0, 1, 3)), no_class("test_cluster")),
    (lambda: bootstrap_mean(BAD, [0, 1, 2], ONES), no_number("values")),
    (lambda: bootstrap_mean([1.0, 2, 3], TWO, ONES), long("clusters", "values")),
    (lambda: bootstrap_mean([1.0, 2, 3], [0, 1, 3], ONES), no_class("clusters")),
    (lambda: bootstrap_statistic(np.sum, [0, 1, 3], ONES), no_class("clusters")),
    (lambda: percentile_interval(1.0, np.ones((1, 1, 1))), "resampled: expected shape (R,) or (R, S), found (1, 1, 1)"),
    (
        lambda: paired_difference(1.0, 1.0, np.ones((1, 1, 1)), [1.0]),
        "first resampled: expected shape (R,) or (R, S), found (1, 1, 1)",
    ),
    (
        lambda: paired_difference(1.0, 1.0, [1.0], np.ones((1, 1, 1))),
        "second resampled: expected shape (R,) or (R, S), found (1, 1, 1)",
    ),
    (lambda: percentile_interval(1.0, [1.0], level=1.0), "level: expected 0 < level < 1, found 1.0"),
    (lambda: percentile_interval(1.0, [1.0], level=0.0), "level: expected 0 < level < 1, found 0.0"),
]


@pytest.mark.parametrize(("call", "message"), CASES, ids=[message for _, message in CASES])
def test_an_argument_is_refused_in_these_words(call, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()


def test_the_least_that_can_be_resampled_is_two_clusters_once():
    assert cluster_weights(2, 1, seed=0).sum() == 2


@pytest.mark.parametrize("single", [np.float32, np.float16])
def test_what_comes_in_half_or_single_precision_is_averaged_in_double(single):
    """0.1 in float16 is 0.0999755859375: the mean of many of them is that very number."""
    value = single(0.1)
    many = np.full(100_000, value)
    assert percentile_interval(many, np.full((2, 100_000), value)).value == pytest.approx(float(value), rel=1e-12)
    assert percentile_interval(1.0, np.full((2, 100_000), value)).low == pytest.approx(float(value), rel=1e-12)
    assert bootstrap_mean(many, np.arange(100_000) % 2, np.ones((1, 2)))[0] == pytest.approx(float(value), rel=1e-12)
