"""Measures, scores and weights of real samples, and their errors."""

import numpy as np
import pandas as pd
import pytest

from cross_modal_kd.config.ingestion import SourcesConfig
from cross_modal_kd.config.quality import WeightConfig
from cross_modal_kd.evaluation.plots.quality import quality_plot
from cross_modal_kd.modalities import ModalityError, modality_of
from cross_modal_kd.modalities.image.quality import MEASURES as IMAGE_MEASURES
from cross_modal_kd.modalities.image.quality import sharpness
from cross_modal_kd.quality.errors import QualityError
from cross_modal_kd.quality.table import Scoring, _chunks, measure_samples, score_samples
from cross_modal_kd.quality.weights import sample_weights
from cross_modal_kd.samples.errors import SamplesError
from cross_modal_kd.samples.pairing import pair
from cross_modal_kd.samples.roots import Roots
from cross_modal_kd.samples.schema import conform
from quality_tables import MEASURES, SCORE, SOURCES, TASK, emoji_samples, voice_samples
from sample_tables import teachers_of

ROOTS = Roots(SOURCES)


@pytest.fixture(scope="module")
def samples():
    return emoji_samples()


@pytest.fixture(scope="module")
def measures(samples):
    return measure_samples(samples, MEASURES, ROOTS)


@pytest.fixture(scope="module")
def scores(samples, measures):
    return score_samples(samples, measures, Scoring(SCORE))


def test_every_sample_has_the_measures_of_its_modality(samples, measures):
    assert measures["sample_id"].tolist() == samples["sample_id"].tolist()
    images, texts = (measures[measures["modality"] == m] for m in ("image", "text"))
    assert images[MEASURES["image"]].notna().all(axis=None) and images[MEASURES["text"]].isna().all(axis=None)
    assert texts[MEASURES["text"]].notna().all(axis=None)
    row = samples[samples["modality"] == "image"].iloc[3]
    expected = sharpness(modality_of("image").read(row.to_dict(), ROOTS).value)
    assert measures.set_index("sample_id").at[row["sample_id"], "sharpness"] == pytest.approx(expected)


def test_speech_is_measured_at_its_own_rate():
    voices = voice_samples()
    found = measure_samples(voices, MEASURES, ROOTS)
    assert found["sample_id"].tolist() == voices["sample_id"].tolist() and found["decay"].between(0, 60).all()


def test_inputs_can_be_damaged_before_they_are_measured(samples, measures):
    images = samples[samples["modality"] == "image"]
    dark = measure_samples(images, MEASURES, ROOTS, corrupt=lambda sample_id, image: image // 4)
    clean = measures[measures["modality"] == "image"]
    assert (dark["sharpness"].to_numpy() < clean["sharpness"].to_numpy()).all()


def test_a_second_run_measures_nothing_and_finds_the_same(samples, measures, tmp_path, monkeypatch):
    first = measure_samples(samples, MEASURES, ROOTS, cache=tmp_path)
    pd.testing.assert_frame_equal(first, measures)
    read: list[str] = []
    for name in ("image", "text"):
        monkeypatch.setattr(type(modality_of(name)), "content", lambda self, row, roots: read.append(row["sample_id"]))
    pd.testing.assert_frame_equal(measure_samples(samples, MEASURES, ROOTS, cache=tmp_path), measures)
    assert read == []
    with pytest.raises(Exception):  # noqa: B017 (other training texts give another vocabulary, so texts are read)
        measure_samples(samples.assign(split="train"), MEASURES, ROOTS, cache=tmp_path)
    assert read and all(sample.startswith("text/") for sample in read)


def test_what_was_measured_before_is_completed(samples, measures, tmp_path):
    few = samples.iloc[::2]
    measure_samples(few, MEASURES, ROOTS, fitted_on=samples, cache=tmp_path)
    pd.testing.assert_frame_equal(measure_samples(samples, MEASURES, ROOTS, cache=tmp_path), measures)


def test_unknown_names_are_answered_with_those_there_are(samples):
    with pytest.raises(ModalityError, match=r"unknown measure of image 'sharpnes'; there are: sharpness, .*quality"):
        measure_samples(samples, {**MEASURES, "image": ["sharpnes"]}, ROOTS)
    with pytest.raises(QualityError, match="samples holds text, for which quality.measures names no measure"):
        measure_samples(samples, {"image": ["sharpness"]}, ROOTS)


def test_a_file_that_is_damaged_since_ingestion_is_named_with_what_to_do(tmp_path):
    (tmp_path / "a.png").write_bytes(b"damaged")
    row = {"sample_id": "a", "modality": "image", "source": "made", "path": "a.png", "label": "x", "split": "train"}
    roots = Roots(SourcesConfig({"made": {"layout": "folder", "root": str(tmp_path)}}))
    with pytest.raises(SamplesError, match=r"^a\.png: not a readable image.*It could be read when .* restore it"):
        measure_samples(conform(pd.DataFrame([row | {"sha256": "0" * 64}])), MEASURES, roots)


def test_a_measure_that_is_no_number_names_its_sample(samples, monkeypatch):
    monkeypatch.setitem(IMAGE_MEASURES, "noise", lambda image: float("nan"))
    first = samples.loc[samples["modality"] == "image", "sample_id"].min()
    with pytest.raises(QualityError, match=f"measure 'noise' of sample '{first}' is nan"):
        measure_samples(samples, MEASURES, ROOTS)


def test_scores_are_ranks_in_the_training_split(samples, measures, scores):
    assert scores.columns.tolist() == ["sample_id", "modality", "quality"]
    assert scores["quality"].between(0, 1).all()
    trained = scores[scores["sample_id"].isin(samples.loc[samples["split"] == "train", "sample_id"])]
    assert trained.groupby("modality")["quality"].mean().to_numpy() == pytest.approx(0.5)
    images = measures["modality"] == "image"
    by_score = scores.loc[images, "quality"].rank().to_numpy()
    in_train = images & measures["sample_id"].isin(trained["sample_id"])
    order = np.searchsorted(np.sort(measures.loc[in_train, "sharpness"]), measures.loc[images, "sharpness"])
    assert np.corrcoef(by_score, order)[0, 1] > 0.99


def test_scores_of_other_measures_or_without_training_samples_are_refused(samples, measures):
    with pytest.raises(
        QualityError, match=r"quality.score.image names \['contrast'\]; .* holds \['sharpness', 'noise'\]"
    ):
        score_samples(samples, measures, Scoring({**SCORE, "image": ["contrast"]}))
    with pytest.raises(QualityError, match="ranks of image need samples in the training split"):
        score_samples(samples.assign(split="test"), measures, Scoring(SCORE))


def test_weights_against_a_plain_loop(samples, scores):
    config = WeightConfig(gamma=1.0, w_min=0.5, w_max=1.5)
    found = sample_weights(samples, scores, TASK, config).set_index("sample_id")
    assert found["task_weight"].mean() == pytest.approx(1) and found["kd_weight"].mean() == pytest.approx(1)
    quality, teachers = scores.set_index("sample_id")["quality"], teachers_of(pair(samples, TASK))
    students = samples[(samples["modality"] == "image") & (samples["split"] == "train")]["sample_id"]
    assert sorted(found.index) == sorted(students)
    both = {s: np.sqrt(quality[s] * np.mean([quality[t] for t in teachers[s]])) for s in students}
    mean = np.mean(list(both.values()))
    weights = {s: min(max(q / mean, 0.5), 1.5) for s, q in both.items()}
    for student in students:
        expected = weights[student] / np.mean(list(weights.values()))
        assert found.at[student, "kd_weight"] == pytest.approx(expected)
        assert found.at[student, "quality_student"] == pytest.approx(quality[student])


def test_gamma_zero_weighs_all_alike(samples, scores):
    found = sample_weights(samples, scores, TASK, WeightConfig(gamma=0))
    np.testing.assert_allclose(found[["task_weight", "kd_weight"]], 1)


def test_a_student_without_a_teacher_has_no_distillation_weight(samples, scores):
    lonely = samples.loc[(samples["modality"] == "text") & (samples["split"] == "train"), "group"].iloc[0]
    fewer = samples[(samples["modality"] != "text") | (samples["group"] != lonely)]
    found = sample_weights(fewer, scores, TASK, WeightConfig())
    assert found["kd_weight"].isna().sum() == 2 and found["kd_weight"].mean() == pytest.approx(1)
    assert found["task_weight"].notna().all()


def test_weights_need_the_quality_of_every_training_sample(samples, scores):
    trained = samples.loc[samples["split"] == "train", "sample_id"].iloc[0]
    with pytest.raises(QualityError, match=f"quality_scores lacks 1 training samples, '{trained}' the first"):
        sample_weights(samples, scores[scores["sample_id"] != trained], TASK, WeightConfig())
    with pytest.raises(QualityError, match="weights are for image samples of the training split, found none"):
        sample_weights(samples[samples["split"] != "train"], scores, TASK, WeightConfig())


def test_the_figure_has_a_panel_a_measure_and_one_a_score(samples, measures, scores, tmp_path):
    figure = quality_plot(samples, measures, scores)
    titles = [axis.get_title(loc="left") for axis in figure.axes if axis.get_title(loc="left")]
    assert titles == [
        "image: sharpness", "image: noise", "image: score", "text: information", "text: length", "text: score"
    ]  # fmt: skip
    figure.savefig(tmp_path / "quality.png")
    one_split = samples["split"] == "train"
    assert quality_plot(samples[one_split], measures[one_split], scores[one_split])
    assert pd.api.types.is_float_dtype(scores["quality"])
    with pytest.raises(ValueError, match=r"quality_measures is of other samples .*run the quality pipeline again"):
        quality_plot(samples.iloc[1:], measures, scores)


@pytest.mark.parametrize(("rate", "sizes"), [(8000, [64, 6]), (44_101, [6] * 11 + [4]), (768_000, [1] * 70)])
def test_no_more_is_measured_at_a_time_than_fits(rate, sizes):
    rows = [{"duration_s": 3600.0 if rate > 8000 else 1.0, "sample_rate": rate} for _ in range(70)]
    chunks = _chunks(rows, [modality_of("speech").decoded_bytes(row) for row in rows])
    assert [len(chunk) for chunk in chunks] == sizes and sum(chunks, []) == rows


@pytest.mark.parametrize(
    ("modality", "row", "size"),
    [
        ("image", {"width": 64, "height": 32}, 3 * 2048),
        ("image", {"width": 9000, "height": 9000}, 3 * 2**22),
        ("image", {"width": pd.NA, "height": pd.NA}, 3 * 2**22),
        ("speech", {"duration_s": 2.0, "sample_rate": 100}, 800),
        ("speech", {}, 4 * 60 * 48_000),
        ("text", {}, 0),
    ],
)
def test_the_size_of_a_sample_is_known_from_the_table(modality, row, size):
    assert modality_of(modality).decoded_bytes(row) == size
