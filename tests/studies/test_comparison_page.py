"""The page of a comparison: what its tables hold, and no more than they bear."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cross_modal_kd.config.arms import ArmsConfig
from cross_modal_kd.config.training import TrainingConfig
from cross_modal_kd.metrics import Evidence, Least, Metric, MetricSet
from cross_modal_kd.studies.comparison.metrics import metrics_table
from cross_modal_kd.studies.comparison.page import comparison_page
from cross_modal_kd.studies.config import ComparisonConfig
from cross_modal_kd.studies.grid import Job, Outcome
from cross_modal_kd.studies.table import ArmResult, Contrasts, comparison_table
from cross_modal_kd.studies.unseen import unseen_columns
from cross_modal_kd.tasks import kind_of
from evaluation_world import CHIMERIC, CLASSIFICATION, VERIFICATION

ARMS = ArmsConfig(
    {
        "none": {"title": "student alone"},
        "soft": {"title": "soft <b>", "constraints": {"feature": {"kind": "cosine"}}},
        "hard": {"title": "hard", "constraints": {"feature": {"kind": "cosine", "margin": 0}}},
    }
)
FEW = Evidence(3, np.arange(100), Least(10, 40, "test clusters (labels)", "add data"))


def result(arm: str, errors: dict[int, float], metric: str = "eer", evidence: Evidence | None = None) -> ArmResult:
    outcomes, metrics = [], []
    for seed, value in errors.items():
        job = Job(arm, ARMS.get(arm), None, TrainingConfig(seed=seed))
        outcomes.append(Outcome(job, Path("nowhere"), {"train_seconds": 1.0}))
        noise = np.random.default_rng(seed).normal(0, 0.002, 100)
        other = Metric(1 - value, 1 - value + noise, evidence)
        found = {metric: Metric(value, value + noise, evidence), "matching_1_2": other, "open_vocabulary_10": other}
        metrics.append(MetricSet(found, {"open_vocabulary_10": 0.1}))
    return ArmResult(outcomes, metrics)


def tables(results: dict, task=VERIFICATION) -> tuple[pd.DataFrame, pd.DataFrame]:
    keyed = {(name, ARMS.get(name).projection): each for name, each in results.items()}
    table = comparison_table(keyed, kind_of(task), Contrasts("none", {"soft": "hard"}, 0.95), ARMS)
    return table, metrics_table(keyed, "none", 0.95)


def page(results: dict, task=VERIFICATION, **images: str) -> str:
    grid = ComparisonConfig(arms=list(results), seeds=[0, 1])
    return comparison_page(*tables(results, task), task, grid, images)


GIVEN = {
    "none": result("none", {0: 0.20, 1: 0.22}),
    "soft": result("soft", {0: 0.15, 1: 0.168}),
    "hard": result("hard", {0: 0.25}),
}


def test_a_row_an_arm_and_metric_paired_in_the_seeds_that_both_have():
    found = tables(GIVEN)[1].set_index(["arm", "metric"])
    assert found.loc[("none", "eer"), "value"] == pytest.approx(0.21)
    assert np.isnan(found.loc[("none", "eer"), "difference"])
    assert found.loc[("soft", "eer"), "difference"] == pytest.approx(-0.051)
    assert found.loc[("hard", "eer"), "difference"] == pytest.approx(0.05), "seed 0 alone"
    assert found.loc[("soft", "matching_1_2"), "difference"] == pytest.approx(0.051)
    row = found.loc[("soft", "eer")]
    assert row["difference_low"] <= row["difference"] <= row["difference_high"] < 0


def test_what_other_seeds_would_do_can_take_a_verdict_back():
    """-5 and -2 points: the test alone leaves zero out with both, and two seeds tell little of others."""
    text = page({"none": GIVEN["none"], "soft": result("soft", {0: 0.15, 1: 0.20})})
    assert "seeds too:" in text and "nothing is shown to be better or worse" in text
    assert "is better" in page({name: GIVEN[name] for name in ("none", "soft")})


def test_the_differences_are_those_of_the_first_table():
    table, metrics = tables(GIVEN)
    of_metric = metrics[metrics["metric"] == "eer"].set_index("arm")
    for row in table.to_dict("records"):
        for end in ("", "_low", "_high"):
            both = row[f"difference_to_baseline{end}"], of_metric.loc[row["arm"], f"difference{end}"]
            assert both[0] == pytest.approx(both[1], nan_ok=True)


def test_the_page_says_which_arms_are_better_and_worse():
    shown = page(GIVEN)
    assert "1 of 2 is better and 1 of 2 is worse than the baseline" in shown
    assert 'class="better-cell">−5.1 <span aria-label="better">✓</span>' in shown
    assert 'class="worse-cell">+5.0 <span aria-label="worse">✗</span>' in shown
    assert 'data-label="better in">2 of 2<' in shown and 'data-label="better in">0 of 1<' in shown
    assert 'data-label="less hard"' in shown
    assert "soft &lt;b&gt;" in shown and "soft <b>" not in shown
    assert shown.count('class="change better-cell"') == 3, "of matching and of naming more is better"


def test_classes_that_training_has_not_seen_are_in_both_tables_with_their_chance():
    table, metrics = tables(GIVEN)
    named = metrics[metrics["metric"] == "open_vocabulary_10"].set_index("arm")
    assert named["chance"].tolist() == [0.1] * 3
    assert metrics.loc[metrics["metric"] == "eer", "chance"].isna().all()
    columns = unseen_columns(dict.fromkeys(enumerate(GIVEN), GIVEN["none"]) | {("soft", "pca"): GIVEN["soft"]}, 0.95)
    assert len(columns) == 4 and not [name for name in columns if name.startswith("eer")]
    row = columns.iloc[-1]
    for end in ("", "_low", "_high"):
        assert row[f"open_vocabulary_10{end}"] == pytest.approx(named.loc["soft", f"value{end}"])
    assert row["open_vocabulary_10_low"] < row["open_vocabulary_10"] < row["open_vocabulary_10_high"]
    assert row["open_vocabulary_10_chance"] == 0.1
    assert len(table.join(unseen_columns({("none", "mlp"): result("none", {0: 0.2})}, 0.95))) == len(table)
    section = page(GIVEN).split("<h3>Classes never seen in training, named by their words</h3>")[1].split("</table>")[0]
    assert "<strong>chance</strong>" in section and "10.0\N{NO-BREAK SPACE}% (1 in 10)</td>" in section
    assert page(GIVEN).count("<strong>chance</strong>") == 1, "no other section has a chance"


def test_without_such_classes_there_are_no_columns_of_them():
    given = result("none", {0: 0.2})
    bare = ArmResult(given.outcomes, [MetricSet({"eer": given.metrics[0].metrics["eer"]})])
    assert unseen_columns({("none", "mlp"): bare, ("soft", "mlp"): bare}, 0.95).shape == (2, 0)


def test_an_accuracy_counts_its_errors():
    results = {
        "none": result("none", {0: 0.5, 1: 0.5}, "top1"),
        "soft": result("soft", {0: 0.6, 1: 0.6}, "top1"),
    }
    shown = page(results, CLASSIFICATION)
    assert "1 of 1 is better than the baseline" in shown
    assert "−10.0 <span" in shown and "+10.0 <span" in shown  # fewer errors, more right answers
    assert "errors (1 less Top-1 accuracy)" in shown


def test_without_intervals_there_is_no_verdict():
    results = {
        "none": result("none", {0: 0.2}, evidence=FEW),
        "soft": result("soft", {0: 0.1}, evidence=FEW),
    }
    shown = page(results)
    assert "No difference has an interval, and so there is no verdict." in shown
    assert "No interval, and so no verdict: " in shown
    assert "✓</span>" not in shown and 'better-cell"' not in shown


def test_one_arm_alone_is_compared_with_nothing():
    assert "One arm alone: nothing is compared." in page({"none": GIVEN["none"]})


def test_chimeric_pairs_are_called_so():
    assert "<strong>Chimeric pairs.</strong>" in page(GIVEN, CHIMERIC)


def test_the_page_holds_all_that_it_shows():
    shown = page(GIVEN, forest='<svg viewBox="0 0 1 1"><path fill="var(--plot-0072b2)"/></svg>')
    assert "Errors removed by each arm" in shown and "How the trainings went" not in shown
    assert not re.search(r"https?://|@import|url\(|<script|<link", shown)
    assert shown.count("--plot-0072b2") == 4, "in the drawing, by day and by night, and as the key of a student"
