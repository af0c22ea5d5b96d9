"""The table: paired differences against the right baseline."""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pytest

from cross_modal_kd.config.arms import ArmsConfig
from cross_modal_kd.config.student import StudentConfig
from cross_modal_kd.config.training import TrainingConfig
from cross_modal_kd.metrics import Evidence, Metric, MetricSet, cluster_weights
from cross_modal_kd.plotting import ALONE
from cross_modal_kd.studies.comparison.plots import curves_plot, distances_plot, forest_plot
from cross_modal_kd.studies.grid import Job
from cross_modal_kd.studies.results.tables import comparison_tables
from cross_modal_kd.studies.table import Contrasts, by_arm, comparison_table
from cross_modal_kd.tasks import kind_named

ARMS = ArmsConfig(
    {name: {"constraints": {"f": {"kind": "cosine"}}, "title": name.upper()} for name in ("soft", "hard")}
    | {"none": {}}
)
ERRORS = {"none": [0.30, 0.32], "soft": [0.20, 0.24], "hard": [0.28, 0.26]}


@dataclass
class Done:
    job: Job
    metrics: dict = field(default_factory=lambda: {"train_seconds": 1.0, "f_active": 0.25})
    history: pd.DataFrame = field(default_factory=pd.DataFrame)


def results(projections=("mlp",), shift=0.05, seeds=(0, 1)):
    """Outcomes and metrics of all arms; every projection after the first errs more by ``shift``."""
    outcomes, metrics = [], []
    for place, projection in enumerate(projections):
        for name, errors in ERRORS.items():
            if name == "none" and place:
                continue
            for seed in seeds:
                config = ARMS.get(name).model_copy(update={"projection": projection})
                student = StudentConfig(encoder={"library": "timm", "name": "x"})
                outcomes.append(Done(Job(name, config, student, TrainingConfig(seed=seed))))
                error = errors[seed] + shift * place
                resampled = error + 0.01 * np.random.default_rng(0).normal(size=200)
                metrics.append(MetricSet({"eer": Metric(error, resampled)}))
    return by_arm(outcomes, metrics)


def table(found, baseline="none"):
    contrasts = Contrasts(baseline, {"soft": "hard"}, 0.95)
    return comparison_table(found, kind_named("verification"), contrasts, ARMS).set_index(["arm", "projection"])


def test_errors_are_means_over_seeds_and_differences_are_paired():
    rows = table(results())
    soft = rows.loc[("soft", "mlp")]
    assert soft["error_mean"] == pytest.approx(0.22)
    assert soft["error_sd_over_seeds"] == pytest.approx(np.std([0.20, 0.24], ddof=1))
    assert soft["difference_to_baseline"] == pytest.approx(0.22 - 0.31)
    assert soft["difference_to_hard"] == pytest.approx(0.22 - 0.27)
    assert soft["difference_to_baseline_high"] - soft["difference_to_baseline_low"] == pytest.approx(0, abs=1e-9)
    assert soft["seeds_better_than_baseline"] == 2 and soft["active_fraction_f"] == 0.25
    none = rows.loc[("none", "no teacher")]
    assert np.isnan(none["difference_to_baseline"]) and np.isnan(none["difference_to_hard"])


def test_a_baseline_with_projections_is_taken_with_the_rows_own():
    rows = table(results(("mlp", "pca")), baseline="hard")
    for projection in ("mlp", "pca"):
        assert rows.loc[("soft", projection), "difference_to_baseline"] == pytest.approx(0.22 - 0.27)
        assert np.isnan(rows.loc[("hard", projection), "difference_to_baseline"])
    assert rows.loc[("none", "no teacher"), "difference_to_baseline"] == pytest.approx(0.31 - 0.27)


def test_the_student_alone_is_the_baseline_of_every_projection():
    rows = table(results(("mlp", "pca")))
    assert rows.loc[("soft", "pca"), "difference_to_baseline"] == pytest.approx(0.27 - 0.31)


def test_an_arm_under_its_own_projection_meets_its_hard_counterpart_under_that_ones_own():
    apart = ArmsConfig(ARMS.root | {"hard": ARMS.get("hard").model_copy(update={"projection": "pca"})})
    contrasts = Contrasts("none", {"soft": "hard"}, 0.95)
    rows = comparison_table(results(("mlp", "pca")), kind_named("verification"), contrasts, apart).set_index(
        ["arm", "projection"]
    )
    assert rows.loc[("soft", "mlp"), "difference_to_hard"] == pytest.approx(0.22 - (0.27 + 0.05))
    assert rows.loc[("soft", "pca"), "difference_to_hard"] == pytest.approx(0.27 - 0.32)


def test_a_difference_is_over_the_seeds_that_both_sides_have():
    found = results()
    found["soft", "mlp"] = found["soft", "mlp"].of_seeds([1])
    soft = table(found).loc[("soft", "mlp")]
    assert soft["seeds"] == 1 and soft["error_mean"] == pytest.approx(0.24)
    assert soft["difference_to_baseline"] == pytest.approx(0.24 - 0.32)
    assert soft["difference_to_hard"] == pytest.approx(0.24 - 0.26) and soft["seeds_better_than_baseline"] == 1
    found["none", "mlp"] = found["none", "mlp"].of_seeds([0])
    with pytest.raises(ValueError, match=r"share no seed: trained with \[0\] and \[1\]"):
        table(found)


def test_an_interval_over_seeds_too_is_students_of_the_paired_differences():
    """The clusters tell nothing here (both arms move alike): what is left is t_1 s / sqrt(2) of -0.10 and -0.08."""
    soft = table(results()).loc[("soft", "mlp")]
    half = 12.7062 * np.std([-0.10, -0.08], ddof=1) / np.sqrt(2)
    ends = [soft[f"difference_to_baseline_both_{end}"] for end in ("low", "high")]
    assert ends == pytest.approx([-0.09 - half, -0.09 + half], abs=1e-4)
    shares = [0.10 / 0.30, 0.08 / 0.32]
    wide = soft["relative_reduction_to_hard_both_high"] - soft["relative_reduction_to_hard_both_low"]
    assert soft["relative_reduction_to_baseline_both_low"] == pytest.approx(
        soft["relative_reduction_to_baseline"] - 12.7062 * np.std(shares, ddof=1) / np.sqrt(2), abs=1e-3
    )
    assert wide > 0 and not [name for name in table(results(seeds=(0,))) if "_both" in name]


def test_a_plot_is_grey_where_the_seeds_decide_against_the_test():
    rows = table(results()).reset_index()
    found = forest_plot(rows[rows["arm"] == "soft"])
    assert rows.loc[rows["arm"] == "soft", "relative_reduction_to_baseline_low"].item() > 0
    assert {line.get_color() for line in found.axes[0].lines[:3]} == {ALONE}
    low, high = found.axes[0].get_xlim()
    assert high - low < 100  # the thin line, of some hundreds, is cut


def test_one_seed_has_no_deviation_and_one_arm_nothing_to_be_compared_with():
    found = results(seeds=(0,))
    assert np.isnan(table(found)["error_sd_over_seeds"]).all()
    alone = comparison_table(
        {key: value for key, value in found.items() if key[0] == "none"},
        kind_named("verification"),
        Contrasts("none", {}, 0.95),
        ARMS,
    )
    assert forest_plot(alone).axes[0].texts[0].get_text() == "one arm alone: nothing to compare"
    assert distances_plot(alone).axes[0].texts[0].get_text() == "no distance to the teacher is defined"


def test_few_clusters_leave_no_interval_no_colour_and_a_reason(caplog):
    found = results()
    few = Evidence.of(cluster_weights(3, 200, seed=0), np.arange(3))
    found = {
        key: replace(result, metrics=[each.resting_on(few) for each in result.metrics]) for key, result in found.items()
    }
    rows = table(found)
    ends = [name for name in rows if name.endswith(("_low", "_high"))]
    assert len(ends) == 18 and rows[ends].isna().all().all()
    assert (rows["no_interval"] == "3 clusters; an interval needs at least 10").all()
    assert caplog.text.count("no verdict: 3 clusters; an interval needs at least 10") == 1
    assert rows.loc[("soft", "mlp"), "difference_to_baseline"] == pytest.approx(0.22 - 0.31)
    plot = forest_plot(rows.reset_index())
    assert {line.get_color() for line in plot.axes[0].lines[:-1]} == {ALONE}
    assert plot.get_suptitle() == "No interval, and so no verdict: 3 clusters; an interval needs at least 10."
    printed = comparison_tables(rows.reset_index())[0]
    assert "No interval, and so no verdict" in printed.caption
    assert not any("[" in cell for row in printed.rows for cell in row)


def test_enough_clusters_add_no_column():
    assert "no_interval" not in table(results())


def test_each_arm_has_a_curve_of_its_own_as_far_as_all_its_seeds_were_trained():
    def trained(arm: str, *seeds: list[float]) -> list[Done]:
        config = ARMS.get("none" if arm == "simclr" else arm)
        student = StudentConfig(encoder={"library": "timm", "name": "x"})
        jobs = [Job(arm, config, student, TrainingConfig(seed=seed)) for seed in range(len(seeds))]
        histories = [pd.DataFrame({"epoch": np.arange(len(eers)) + 1, "dev_eer": eers}) for eers in seeds]
        return [Done(job, history=history) for job, history in zip(jobs, histories, strict=True)]

    def curves(*outcomes: list[Done]) -> dict[str, list[float]]:
        lines = curves_plot([done for each in outcomes for done in each], "eer").axes[0].lines
        return {str(line.get_label()): np.round(line.get_ydata(), 6).tolist() for line in lines}

    none, soft = trained("none", [0.5, 0.4, 0.3], [0.3, 0.2]), trained("soft", [0.2, 0.1])
    assert curves(none, soft) == {"student alone": [40, 30], "soft (mlp)": [20, 10]}
    apart = curves(none, trained("simclr", [0.6, 0.6]), soft)
    assert apart == {"none": [40, 30], "simclr": [60, 60], "soft (mlp)": [20, 10]}
