"""Few clusters: a sentence that says what is missing, and no verdict anywhere."""

import json
from dataclasses import replace

import numpy as np
import pytest

from cross_modal_kd.evaluation.legend import legend_of
from cross_modal_kd.evaluation.plots.interval import arms_of_interval, colour_of_gain
from cross_modal_kd.evaluation.plots.matching import matching_plot
from cross_modal_kd.evaluation.report.tables import metric_tables, without_interval
from cross_modal_kd.evaluation.report.verdict import verdict
from cross_modal_kd.plotting import ALONE, DISTILLED, IMPOSTOR
from evaluation_world import CHIMERIC, CLASSIFICATION, VERIFICATION, world

PARTS = ("student_alone", "distilled", "difference", "relative_reduction", "teacher")
MISSING = (
    "{} test clusters (labels); an interval needs at least 10: add data, or set evaluation.folds to 3 or more, so that "
    "all labels are tested"
)


def of_labels(labels: int, **options):
    made = world(labels=labels, **options)
    return made, made.metrics(made.embeddings(0.3), made.embeddings(3.0))


def test_two_speakers_in_the_test_bear_no_verdict(tmp_path, caplog):
    """Seven speakers, two in test: '+0.3 [+0.3, +0.3]. The distilled student is worse', in red."""
    made, metrics = of_labels(2)
    said = verdict(metrics)
    assert said.tone == "open" and said.change.endswith("points, without an interval")
    assert said.conclusion == f"No verdict: {MISSING.format(2)}."
    assert MISSING.format(2) in caplog.text
    page = made.report(tmp_path)
    assert "better" not in page.split('<section class="verdict')[1].split("</section>")[0]
    assert '<section class="verdict open">' in page and MISSING.format(2) in page
    assert "worse-cell" not in page.split("</style>")[1] and "better-cell" not in page.split("</style>")[1]
    assert "Intervals hold" not in page  # there are none
    assert "nan" not in page.split("</style>")[1].lower().replace("nano", "")[:4000]


@pytest.mark.parametrize(("labels", "there"), [(2, False), (9, False), (10, True), (11, True)])
def test_json_holds_null_and_a_reason_never_nan(labels, there):
    _, metrics = of_labels(labels)
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics
    difference = metrics["difference"]["eer"]
    assert (difference["low"] is not None) == there == ("reason" not in difference)
    if not there:
        assert difference["reason"] == MISSING.format(labels)
        for part in PARTS:
            assert all(found["low"] is found["high"] is None and found["reason"] for found in metrics[part].values())
        assert all(not row.difference.tone for _, rows in metric_tables(metrics) for row in rows)
        assert all(not row.difference.interval for _, rows in metric_tables(metrics) for row in rows)


def test_the_least_number_is_configured_with_a_floor():
    made, metrics = of_labels(6, min_clusters=6)
    assert metrics["difference"]["eer"]["low"] is not None
    with pytest.raises(ValueError, match="greater than or equal to 5"):
        type(made.evaluation)(min_clusters=4)
    with pytest.raises(ValueError, match="greater than or equal to 10"):
        type(made.evaluation)(min_resamples=9)


@pytest.mark.parametrize(("labels", "said"), [(12, True), (24, False)])
def test_few_clusters_are_said_to_be_too_few_for_some_metrics(labels, said, tmp_path):
    page = of_labels(labels)[0].report(tmp_path)
    assert ("those of minDCF and of the AUC most of all" in page) == said
    assert "the intervals are rough, and likely too narrow" in page


def test_a_metric_of_a_part_of_the_trials_is_asked_for_its_own_clusters():
    """Twelve labels, two of which have a second sample: targets rest on two clusters."""
    made = world(labels=12)
    rows = made.samples
    lonely = (rows["split"] == "test") & (rows["modality"] == "image") & ~rows["label"].isin(["test00", "test01"])
    few = replace(made, samples=rows[~lonely | rows["sample_id"].str.endswith("/0")].reset_index(drop=True))
    metrics = few.metrics(few.embeddings(0.3), few.embeddings(3.0))
    assert metrics["protocol"]["bootstrap"]["clusters"] == 12
    assert metrics["difference"]["eer"]["reason"] == MISSING.format(2)
    assert verdict(metrics).tone == "open"
    assert metrics["difference"]["matching_1_2"]["low"] is not None


def test_the_same_student_twice_has_no_verdict_but_a_reason(tmp_path):
    made = world()
    same = made.embeddings(1.0)
    metrics = made.metrics(same, same)
    assert verdict(metrics).conclusion.startswith("No verdict: all resamples give the same value")
    assert len(without_interval(metrics)) == 1
    made.plots(metrics, same, same)


def test_plots_show_a_value_without_an_interval_in_grey():
    nothing = {"value": 0.3, "low": None, "high": None, "reason": "two"}
    assert arms_of_interval(nothing) == [0.0, 0.0] and colour_of_gain(nothing) == ALONE
    assert arms_of_interval({"value": 0.3, "low": 0.1, "high": 0.4}) == pytest.approx([20, 10])
    ends = [(0.1, 0.2, DISTILLED), (-0.2, -0.1, IMPOSTOR), (-0.1, 0.1, ALONE)]
    assert all(colour_of_gain({"value": 0, "low": low, "high": high}) == colour for low, high, colour in ends)
    made, metrics = of_labels(3)
    assert len(made.plots(metrics, made.embeddings(0.3), made.embeddings(3.0))) == 6


@pytest.mark.parametrize("task", [VERIFICATION, CLASSIFICATION], ids=["open", "closed"])
def test_a_closed_set_has_no_unseen_classes(task, tmp_path):
    made = world(task, labels=10)
    metrics = made.metrics(made.embeddings(2.0), made.embeddings(0.5))
    labels = " ".join(text.get_text() for text in matching_plot(metrics).legends[0].get_texts())
    assert ("unseen classes" in labels) == (task is VERIFICATION)
    page = made.report(tmp_path)
    if task is CLASSIFICATION:
        assert not any(words in page for words in ("seen class", "unseen identit", "unseen label"))
        assert "test samples" in labels and "training samples" in labels
    assert legend_of("matching_1_2_seen").title == "1:2 matching, training samples"


def test_a_closed_set_of_chimeric_pairs_says_what_its_matching_is_worth(tmp_path):
    closed = CHIMERIC.model_copy(update={"kind": "classification"})
    page = world(closed, labels=10).report(tmp_path)
    assert "unseen identities" not in page and "learnt by heart" in page


def test_values_that_are_no_numbers_are_not_defined():
    from cross_modal_kd.evaluation import intervals
    from cross_modal_kd.metrics import Metric, MetricSet

    found, undefined = intervals(MetricSet({"eer": Metric(np.nan, np.full(50, np.nan))}), 0.95)
    assert found == {} and undefined == {"eer": "no number comes out of it"}
