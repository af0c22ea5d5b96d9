"""The table's errors of both kinds of task: inside their intervals, of the right sign, and ties are no gain."""

from types import SimpleNamespace

import numpy as np
import pytest

from cross_modal_kd.config.arms import ArmsConfig
from cross_modal_kd.config.student import StudentConfig
from cross_modal_kd.config.training import TrainingConfig
from cross_modal_kd.metrics import Metric, MetricSet
from cross_modal_kd.studies.grid import Job
from cross_modal_kd.studies.table import Contrasts, by_arm, comparison_table
from cross_modal_kd.tasks import kind_named

ARMS = ArmsConfig({name: {"constraints": {"f": {"kind": "cosine"}}} for name in ("soft", "hard")} | {"none": {}})
STUDENT = StudentConfig(encoder={"library": "timm", "name": "x"})
ERRORS = {"none": [0.30, 0.32], "soft": [0.20, 0.24], "hard": [0.28, 0.26]}
KINDS = ("verification", "classification")


def measured(error: float, kind: str) -> MetricSet:
    """One seed's error with 200 resamples around it, as the metric that a task of that kind has."""
    resampled = error + 0.01 * np.random.default_rng(round(1000 * error)).normal(size=200)
    if kind == "verification":
        return MetricSet({"eer": Metric(error, resampled)})
    return MetricSet({"top1": Metric(1 - error, 1 - resampled)})


def table(kind: str, errors: dict[str, list[float]] = ERRORS):
    jobs = [(name, seed, error) for name, found in errors.items() for seed, error in enumerate(found)]
    outcomes = [
        SimpleNamespace(
            job=Job(name, ARMS.get(name), STUDENT, TrainingConfig(seed=seed)), metrics={"train_seconds": 1.0}
        )
        for name, seed, _ in jobs
    ]
    results = by_arm(outcomes, [measured(error, kind) for *_, error in jobs])
    contrasts = Contrasts("none", {"soft": "hard"}, 0.95)
    return comparison_table(results, kind_named(kind), contrasts, ARMS).set_index("arm")


def test_a_top1_of_one_minus_e_gives_the_very_table_of_an_eer_of_e():
    found, expected = table("classification"), table("verification")
    assert set(found["error_metric"]) == {"top1_error"} and set(expected["error_metric"]) == {"eer"}
    numbers = expected.select_dtypes("number").columns
    np.testing.assert_allclose(found[numbers], expected[numbers], atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_every_interval_holds_its_value(kind):
    rows = table(kind)
    assert ((rows["error_low"] < rows["error_mean"]) & (rows["error_mean"] < rows["error_high"])).all()
    for name in ("difference_to", "relative_reduction_to"):
        for other in ("baseline", "hard"):
            low, value, high = (rows.loc["soft", f"{name}_{other}{end}"] for end in ("_low", "", "_high"))
            assert low < value < high


@pytest.mark.parametrize("kind", KINDS)
def test_an_arm_that_errs_less_has_a_difference_below_zero_and_a_reduction_above(kind):
    soft = table(kind).loc["soft"]
    assert soft["error_mean"] == pytest.approx(0.22)
    assert soft["difference_to_baseline"] == pytest.approx(0.22 - 0.31)
    assert soft["difference_to_hard"] == pytest.approx(0.22 - 0.27)
    assert soft["relative_reduction_to_baseline"] == pytest.approx(0.09 / 0.31)
    assert soft["difference_to_baseline_high"] < 0 < soft["relative_reduction_to_baseline_low"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_that_only_equals_the_baseline_is_no_better(kind):
    errors = {"none": [0.30, 0.32, 0.34], "soft": [0.30, 0.30, 0.40], "hard": [0.30, 0.32, 0.34]}
    better = table(kind, errors)["seeds_better_than_baseline"]
    assert better["soft"] == 1 and better["hard"] == 0
