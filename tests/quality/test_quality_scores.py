"""Scores and weights of small tables that can be reckoned by hand: splits, domains, the worst measure, limits."""

import numpy as np
import pandas as pd
import pytest

from cross_modal_kd.config.quality import QualityConfig, WeightConfig
from cross_modal_kd.quality.ranks import DomainScore, EmpiricalCDF, QualityScore
from cross_modal_kd.quality.table import Scoring, fit_score, measure_samples, score_samples
from cross_modal_kd.quality.weights import sample_weights
from cross_modal_kd.samples.roots import Roots
from quality_tables import MEASURES, SOURCES, TASK, emoji_samples, voice_samples

RNG = np.random.default_rng(0)


def made(count: int = 240) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Pictures of two artists, the second a thousand times as sharp, two thirds in training; and their measures."""
    ids = [f"s{number:03d}" for number in range(count)]
    split = np.resize(["train", "train", "test"], count)
    domain = np.resize(["dull", "dull", "dull", "sharp", "sharp", "sharp"], count)
    samples = pd.DataFrame({"sample_id": ids, "modality": "image", "split": split, "domain": domain})
    scale = np.where(domain == "sharp", 1000.0, 1.0)
    measures = samples[["sample_id", "modality"]].assign(
        sharpness=RNG.normal(size=count) * scale, contrast=RNG.normal(size=count)
    )
    return samples, measures


def ranked(values: pd.Series, among: pd.Series) -> np.ndarray:
    """Mid-ranks by a plain loop."""
    return np.array([((among < x).sum() + (among == x).sum() / 2) / len(among) for x in values])


@pytest.mark.parametrize("combine", ["mean", "worst"])
@pytest.mark.parametrize("by_domain", [False, True])
def test_scores_are_ranks_of_combined_ranks_among_the_training_split_or_the_own_domain(combine, by_domain):
    samples, measures = made()
    names = ["sharpness", "contrast"]
    found = score_samples(samples, measures, Scoring({"image": names}, combine, by_domain)).set_index("sample_id")
    table = samples.merge(measures.drop(columns="modality"), on="sample_id")
    groups = [rows for _, rows in table.groupby("domain")] if by_domain else [table]
    for rows in groups:
        trained = rows[rows["split"] == "train"]
        combined = {}
        for name, asked in (("all", rows), ("reference", trained)):
            ranks = np.stack([ranked(asked[measure], trained[measure]) for measure in names])
            combined[name] = pd.Series(np.round(ranks.mean(0), 12) if combine == "mean" else ranks.min(0))
        expected = ranked(combined["all"], combined["reference"])
        np.testing.assert_allclose(found.loc[rows["sample_id"], "quality"], expected)


def test_a_scoring_is_that_of_the_configuration():
    config = QualityConfig(measures={"image": ["a"]}, score={"image": ["a"]}, combine="worst", by_domain=True)
    assert Scoring.of(config) == Scoring({"image": ["a"]}, "worst", True)
    assert Scoring.of(QualityConfig(measures={}, score={})) == Scoring({}, "mean", False) == Scoring({})


def test_a_score_is_the_mean_of_ranks_unless_given_and_a_domain_needs_fifty_samples():
    values = {"a": RNG.normal(size=60), "b": RNG.normal(size=60)}
    plain, mean = QualityScore.fit(values), QualityScore.fit(values, "mean")
    np.testing.assert_array_equal(plain(values), mean(values))
    assert not np.array_equal(plain(values), QualityScore.fit(values, "worst")(values))
    domains = np.array(["large"] * 50 + ["small"] * 49, dtype=object)
    score = DomainScore.fit({"a": np.arange(99.0)}, domains, "mean")
    assert list(score.of_domain) == ["large"]


def test_ranks_take_integers_and_round_sums_to_twelve_places():
    ranks = EmpiricalCDF.fit([1, 2, 2, 3])
    assert ranks([0, 1, 2, 3, 4]).tolist() == [0, 1 / 8, 1 / 2, 7 / 8, 1]
    assert ranks(["2", "3"]).tolist() == [1 / 2, 7 / 8]  # as float64, whatever they come as


def test_a_modality_without_a_name_to_score_or_with_a_value_missing_is_refused():
    samples, measures = made(12)
    with pytest.raises(ValueError, match=r"quality.score.image names \[\]; .* holds \['sharpness', 'contrast'\]"):
        fit_score(samples, measures, "image", Scoring({}))
    measures.loc[3, "contrast"] = np.inf
    with pytest.raises(ValueError, match=r"measure 'contrast' of sample 's003' is inf \(1 such in all\)"):
        fit_score(samples, measures, "image", Scoring({"image": ["sharpness", "contrast"]}))


def test_a_text_is_measured_against_the_words_of_the_training_split_alone():
    """Words that only other splits have add no information."""
    texts = emoji_samples()
    texts = texts[texts["modality"] == "text"].reset_index(drop=True)
    train = texts["split"] == "train"
    texts["text"] = np.where(train, "alpha beta", "alpha gamma")
    found = measure_samples(texts, {"text": ["information", "known_share"]}, Roots(SOURCES), show_progress=False)
    found = found.merge(texts[["sample_id", "split"]], on="sample_id")
    assert (found.loc[found["split"] == "train", "known_share"] == 1.0).all()
    assert (found.loc[found["split"] != "train", "known_share"] == 0.5).all()


def test_a_measure_of_many_at_once_is_that_of_each_alone():
    from cross_modal_kd.modalities.speech.quality import active_speech_s
    from cross_modal_kd.modalities.speech.read import decode_speech

    voices, roots = voice_samples(), Roots(SOURCES)
    found = measure_samples(voices, {"speech": ["active_speech_s"]}, roots).set_index("sample_id")
    for row in voices.iloc[::5].itertuples():
        expected = active_speech_s(*decode_speech(roots.bytes(row.source, row.path), row.path))
        assert found.at[row.sample_id, "active_speech_s"] == pytest.approx(expected, abs=0.02)


def test_damage_is_done_by_the_id_of_the_sample():
    """So that the same sample is damaged alike wherever it stands."""
    images = emoji_samples(6)
    images, damaged = images[images["modality"] == "image"], []

    def corrupt(sample_id, value, **about):
        damaged.append(sample_id)
        return value

    measure_samples(images, MEASURES, Roots(SOURCES), corrupt=corrupt, show_progress=False)
    assert sorted(damaged) == sorted(images["sample_id"])


def test_tables_come_in_the_order_of_the_ids_with_a_new_index_and_each_modality_by_itself():
    both = pd.concat([voice_samples(), emoji_samples(9)]).sample(frac=1, random_state=0)
    found = measure_samples(both, MEASURES, Roots(SOURCES), show_progress=False)
    assert found["sample_id"].tolist() == sorted(both["sample_id"]) and found.index.tolist() == list(range(len(both)))
    scores = score_samples(
        both, found.iloc[::-1], Scoring({"image": ["noise"], "speech": ["decay"], "text": ["length"]})
    )
    assert scores["sample_id"].tolist() == sorted(both["sample_id"]) and scores.index.tolist() == list(range(len(both)))
    assert scores["modality"].tolist() == found["modality"].tolist()


def test_weights_are_of_student_samples_of_the_training_split_in_the_order_of_their_ids():
    samples = emoji_samples(12)
    scores = samples[["sample_id"]].assign(quality=np.linspace(0.1, 0.9, len(samples)))
    shuffled = samples.sample(frac=1, random_state=1)
    found = sample_weights(shuffled, scores.iloc[::-1], TASK, WeightConfig())
    students = samples[(samples["modality"] == "image") & (samples["split"] == "train")]
    assert found["sample_id"].tolist() == sorted(students["sample_id"]) and found.index.tolist() == list(
        range(len(found))
    )
    quality = scores.set_index("sample_id")["quality"]
    assert found["quality_student"].tolist() == quality[found["sample_id"]].tolist()
    texts_alone = samples[(samples["split"] != "train") | (samples["modality"] == "text")]
    with pytest.raises(
        ValueError, match="weights are for image samples of the training split, found none in `samples`"
    ):
        sample_weights(texts_alone, scores, TASK, WeightConfig())


def test_weights_are_clipped_at_the_limits_of_the_configuration():
    samples = emoji_samples(24)
    students = (samples["modality"] == "image") & (samples["split"] == "train")
    quality = np.where(students & (np.arange(len(samples)) % 3 == 0), 0.01, 0.9)
    scores = samples[["sample_id"]].assign(quality=quality)
    for limits in ({"w_min": 0.2, "w_max": 3.0}, {"w_min": 0.5, "w_max": 1.1}):
        found = sample_weights(samples, scores, TASK, WeightConfig(gamma=2.0, **limits))
        power = found["quality_student"] ** 2
        clipped = (power / power.mean()).clip(**{"lower": limits["w_min"], "upper": limits["w_max"]})
        np.testing.assert_allclose(found["task_weight"], clipped / clipped.mean())
