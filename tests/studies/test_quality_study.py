"""The study: damage is repeatable, correlations and curves are right, the page holds what it shows."""

import base64
import io
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.stats import spearmanr

from cross_modal_kd.metrics import Least
from cross_modal_kd.quality.errors import QualityError
from cross_modal_kd.quality.table import Scoring, measure_samples, score_samples
from cross_modal_kd.samples.embeddings import EmbeddingTable
from cross_modal_kd.samples.roots import Roots
from cross_modal_kd.studies.quality.config import QualityStudyConfig
from cross_modal_kd.studies.quality.discard import Discard
from cross_modal_kd.studies.quality.gallery import gallery_page
from cross_modal_kd.studies.quality.ordering import draw, measure_degraded, ordering, spearman
from cross_modal_kd.studies.quality.plots import discard_plot, ordering_plot
from cross_modal_kd.studies.quality.trial_discard import discard_curves
from quality_tables import MEASURES, SCORE, SOURCES, emoji_samples, voice_samples

ROOTS = Roots(SOURCES)
DAMAGE = {"image": ["blur", "noise"], "speech": ["white", "babble"], "text": ["dropped_words"]}


@pytest.fixture(scope="module")
def tables():
    samples = pd.concat([emoji_samples(), voice_samples()], ignore_index=True)
    measures = measure_samples(samples, MEASURES, ROOTS)
    return samples, measures, score_samples(samples, measures, Scoring(SCORE))


@pytest.fixture(scope="module")
def degraded(tables):
    samples, measures, _ = tables
    return measure_degraded(samples, measures, MEASURES, Scoring(SCORE), ROOTS, DAMAGE, n=5, seed=0)


def test_every_level_of_every_damage_is_measured(tables, degraded):
    samples, measures, scores = tables
    counts = degraded.groupby(["modality", "degradation"]).size()
    assert counts.to_dict() == {(m, d): 5 * 6 for m, names in DAMAGE.items() for d in names}
    clean = degraded[degraded["severity"] == 0].merge(scores, on="sample_id")
    np.testing.assert_allclose(clean["score"], clean["quality"])
    assert degraded["score"].between(0, 1).all()
    assert set(degraded["sample_id"]) <= set(samples.loc[samples["split"] == "dev", "sample_id"])


def test_the_same_seed_gives_the_same_damage(tables, degraded):
    samples, measures, _ = tables
    again = measure_degraded(samples, measures, MEASURES, Scoring(SCORE), ROOTS, DAMAGE, n=5, seed=0)
    pd.testing.assert_frame_equal(again, degraded)


def test_the_table_of_correlations(degraded):
    few = Least(clusters=5, resamples=10)
    table = ordering(degraded, resamples=20, level=0.9, seed=0, least=few).set_index(["measure", "degradation"])
    assert table.at[("sharpness", "blur"), "within_sample"] > 0.9
    assert table.at[("noise", "noise"), "rank_correlation"] > 0.9
    assert table.at[("snr_wada", "white"), "within_sample"] > 0.6
    assert table.at[("length", "dropped_words"), "rank_correlation"] > 0.7
    known = table["low"].notna()
    assert known.sum() > 8 and (table["low"] < table["high"])[known].all() and (table["samples"] == 5).all()
    assert table.loc[~known, "no_interval"].str.startswith("all resamples give the same value").all()
    rows = degraded[degraded["degradation"] == "blur"]
    expected = spearmanr(rows["sharpness"], -rows["severity"]).statistic
    assert table.at[("sharpness", "blur"), "rank_correlation"] == pytest.approx(expected)
    assert ordering_plot(table.reset_index()).axes


def test_few_samples_give_no_interval_and_no_emphasis(degraded):
    table = ordering(degraded, resamples=200, level=0.95, seed=0)
    assert table["low"].isna().all() and table["high"].isna().all() and table["rank_correlation"].notna().all()
    assert table["no_interval"].str.startswith("5 clusters; an interval needs at least 10").all()
    weak = table[table["rank_correlation"].abs() <= 0.65]
    shown = [text for axis in ordering_plot(table).axes for text in axis.texts if text.get_color() == "#333333"]
    assert len(weak) and not shown


def test_spearman_against_scipy_and_constants():
    a, b = np.array([1, 2, 2, 5, 3.0]), np.array([2, 1, 4, 4, 3.0])
    assert spearman(a, b) == pytest.approx(spearmanr(a, b).statistic)
    assert spearman(a, np.ones(5)) == 0


def test_a_study_needs_dev_samples(tables):
    with pytest.raises(QualityError, match="needs two image samples of the dev split, found 0"):
        draw(tables[0].assign(split="train"), "image", 5, 0)


def test_discarding_by_a_perfect_quality_takes_the_errors_first():
    wrong = np.repeat([1.0, 0.0], [20, 80])
    discard = Discard(100, lambda kept: float(wrong[kept].mean()), steps=10, shuffles=30)
    perfect, inverse = discard.curve(1 - wrong), discard.curve(wrong)
    np.testing.assert_allclose(perfect.error, [0.2, 1 / 9, 0, 0, 0, 0, 0, 0, 0, 0], atol=1e-12)
    np.testing.assert_allclose(inverse.error[[0, 5, 9]], [0.2, 0.4, 1])
    assert perfect.area < 0.3 and inverse.area > 1.5
    within = (perfect.random_low <= perfect.random + 1e-9) & (perfect.random <= perfect.random_high + 1e-9)
    assert within.all()
    np.testing.assert_allclose(perfect.random, 0.2, atol=0.1)
    constant = discard.curve(np.ones(100))
    assert constant.area == pytest.approx(1, abs=0.3)


def test_a_trial_is_as_good_as_the_worse_of_its_samples():
    quality, left, right = np.array([0.9, 0.1, 0.5]), np.array([0, 0, 1]), np.array([2, 1, 2])
    kept_at = []
    Discard(3, lambda kept: kept_at.append(kept.copy()) or 0.0, (left, right), steps=2, shuffles=2).curve(quality)
    np.testing.assert_array_equal(kept_at[-1], [False] * 3)
    masks: list[np.ndarray] = []
    discard = Discard(3, lambda kept: masks.append(kept.copy()) or 0.0, (left, right), steps=4, shuffles=2)
    discard.curve(quality)
    np.testing.assert_array_equal(masks[-2], [True, False, False])


def test_discard_refuses_what_does_not_fit():
    with pytest.raises(QualityError, match=r"quality must be \(3,\) and finite, found shape \(2,\)"):
        Discard(3, lambda kept: 0.0, shuffles=2).curve([1, 2])
    with pytest.raises(QualityError, match="at least two samples, found 1"):
        Discard(1, lambda kept: 0.0)


@pytest.mark.parametrize("with_trials", [True, False])
def test_curves_of_trials_fall_where_quality_tells_the_noise(tables, with_trials):
    samples, measures, scores = tables
    chosen = samples[(samples["split"] == "test") & (samples["modality"] == "image")]
    rng = np.random.default_rng(0)
    quality = scores.set_index("sample_id")["quality"].loc[chosen["sample_id"]].to_numpy()
    centres = rng.normal(size=(len(chosen), 16))[chosen["label"].factorize()[0]]
    values = centres + rng.normal(size=centres.shape) * (2.5 * (quality < 0.5))[:, None]
    table = EmbeddingTable(chosen["sample_id"].tolist(), values, "made up")
    ids = table.sample_ids
    trials = pd.DataFrame(
        [(a, b, int(a.split("/")[1] == b.split("/")[1])) for k, a in enumerate(ids) for b in ids[:k]],
        columns=["enrol_id", "test_id", "target"],
    )
    study = QualityStudyConfig(discard_steps=4, discard_shuffles=5)
    curves = discard_curves(samples, measures, scores, trials if with_trials else trials[:0], table, study)
    assert list(curves) == ["sharpness", "noise", "score"]
    assert np.isfinite(curves["score"].error[0])
    figure = discard_plot(curves, "equal error rate")
    assert figure.axes[0].get_title(loc="left").startswith("sharpness")
    with pytest.raises(QualityError, match="have no quality, '.*' the first"):
        discard_curves(samples, measures, scores[scores["modality"] != "image"], trials, table, study)
    with pytest.raises(QualityError, match="trials must hold targets and impostors, found 0"):
        discard_curves(samples, measures, scores, trials[trials["target"] == 0], table, study)


def test_the_gallery_is_one_page_with_everything_in_it(tables):
    samples, measures, scores = tables
    marked = samples.assign(text=samples["text"].where(samples["text"].isna(), samples["text"] + " <b>&"))
    page = gallery_page(marked, measures, scores, ROOTS, n=2)
    assert not re.search(r'(src|href)="(?!data:)', page) and "<b>&amp;" not in page and "&lt;b&gt;&amp;" in page
    images = re.findall(r"data:image/png;base64,([^\"]+)", page)
    assert len(images) == 3 * 2 * 2  # measures and score, best and worst, two each
    assert Image.open(io.BytesIO(base64.b64decode(images[0]))).size == (64, 64)
    assert len(re.findall(r"<audio ", page)) == 3 * 2 * 2 and page.count("<svg") == 3 * 2 * 2
    tested = samples.loc[(samples["split"] == "test") & (samples["modality"] == "image"), "sample_id"]
    best = measures[measures["sample_id"].isin(tested)].set_index("sample_id")["sharpness"].idxmax()
    assert page.index(best) < page.index('<div class="row worst">')
    style = page[page.index("<style>") : page.index("</style>")]
    rules = style[style.index("* {") :]
    assert "prefers-color-scheme: dark" in style and not re.search("#[0-9a-f]{3}", rules), "colours are variables"
