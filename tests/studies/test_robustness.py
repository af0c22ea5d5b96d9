"""Robustness: damage that is decided by sample, kind and level, its errors, and the run from end to end."""

import io

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from cross_modal_kd.config.encoder import InputConfig
from cross_modal_kd.config.ingestion import SourcesConfig
from cross_modal_kd.modalities.damage import Damage, Others
from cross_modal_kd.modalities.inputs import Item, load_inputs
from cross_modal_kd.samples.roots import Roots
from cross_modal_kd.samples.schema import conform
from cross_modal_kd.studies.robustness.config import RobustnessConfig
from cross_modal_kd.studies.robustness.contenders import Contender
from cross_modal_kd.studies.robustness.damage import FixedDose, damage_levels, held_out
from cross_modal_kd.studies.robustness.errors import drawn_rows, protocol
from cross_modal_kd.studies.robustness.plots import arm_plots, robustness_plot
from cross_modal_kd.studies.robustness.table import robustness_table
from evaluation_world import CLASSIFICATION, world

KINDS = {"image": {"blur": [1, 2], "noise": [40]}, "speech": {"white": [], "babble": [0]}}
CONFIG = RobustnessConfig(kinds=KINDS, bootstrap=40, max_impostors=500, samples=3)
RATE = 8000


def test_conditions_count_from_mild_to_severe_and_take_the_kinds_own_levels_where_none_are_named():
    assert [(c.kind, c.level, c.severity) for c in damage_levels(CONFIG, "image")] == [
        ("blur", 1, 1), ("blur", 2, 2), ("noise", 40, 1),
    ]  # fmt: skip
    assert [c.level for c in damage_levels(CONFIG, "speech") if c.kind == "white"] == [20, 15, 10, 5, 0]


@pytest.mark.parametrize(
    ("kinds", "message"),
    [
        ({"image": {"bluur": [1]}}, "robustness.kinds.image: unknown kind 'bluur'; name some of: blur, noise"),
        ({"speech": {"white": [0]}}, "robustness.kinds.image: no kind; name some of: blur"),
    ],
)
def test_kinds_that_are_not_there_are_refused(kinds, message):
    with pytest.raises(ValueError, match=message):
        damage_levels(RobustnessConfig(kinds=kinds), "image")


def test_a_kind_that_is_null_is_left_out_and_a_level_named_twice_refused():
    assert RobustnessConfig(kinds={"image": {"blur": None, "noise": [1]}}).kinds == {"image": {"noise": [1]}}
    with pytest.raises(ValueError, match=r"blur[^ ]*\n.*each may be named once"):
        RobustnessConfig(kinds={"image": {"blur": [1, 1]}})


def test_damage_depends_on_seed_sample_kind_and_level_alone():
    noise = damage_levels(RobustnessConfig(kinds={"image": {"noise": [20, 40]}}), "image")
    image = np.full((8, 8, 3), 128, dtype=np.uint8)

    def damaged(level: int, seed: int, sample_id: str) -> np.ndarray:
        return Damage(FixedDose(noise[level], seed))(sample_id, image)

    first = damaged(0, 0, "a")
    np.testing.assert_array_equal(first, damaged(0, 0, "a"))
    others = [damaged(0, 1, "a"), damaged(0, 0, "b"), damaged(1, 0, "a")]
    assert not any(np.array_equal(first, other) for other in others)


@pytest.fixture
def voices(tmp_path):
    """Two training and two test speakers with two clips each, every speaker a tone of their own."""
    import soundfile

    rows = []
    for number, split in enumerate(("train", "train", "test", "test")):
        for take in range(2):
            buffer, path = io.BytesIO(), f"{number}-{take}.wav"
            soundfile.write(buffer, 0.3 * np.sin(np.arange(RATE) * (0.1 + 0.2 * number)), RATE, format="WAV")
            (tmp_path / path).write_bytes(buffer.getvalue())
            rows.append(
                {"sample_id": path, "modality": "speech", "label": f"s{number}", "split": split, "path": path}
                | {"source": "made", "sha256": "0" * 64, "duration_s": 1.0}
            )
    return conform(pd.DataFrame(rows)), Roots(SourcesConfig({"made": {"layout": "folder", "root": str(tmp_path)}}))


def test_babble_is_mixed_from_training_speakers_and_never_from_the_speaker(voices):
    samples, roots = voices
    rows = held_out(samples, "speech", n=3, seed=0)
    assert len(rows) == 3 and set(rows["label"]) == {"s0", "s1"}
    others = Others.read(rows, samples, roots, InputConfig(speech={"sample_rate": RATE}))
    about = {"sample_rate": RATE}
    assert len(others.beside("2-0.wav", about)) == 3
    left = others.beside("0-0.wav", about)
    assert {label for label, each in others.pool if any(each.value is wave for wave in left)} == {"s1"}
    assert others.beside("0-0.wav", {"sample_rate": 2 * RATE}) == []


def test_sounds_and_images_are_damaged_before_they_are_cropped_or_resized(voices):
    samples, roots = voices
    rows = samples[samples["split"] == "test"]
    config = InputConfig(speech={"sample_rate": RATE, "eval_s": 0.5})
    babble = damage_levels(CONFIG, "speech")[-1]
    damage = Damage(FixedDose(babble, 0), Others.read(held_out(samples, "speech", 4, 0), rows, roots, config))
    seen = []

    def watched(sample_id: str, wave: np.ndarray, **about: int) -> np.ndarray:
        seen.append((sample_id, len(wave)))
        return damage(sample_id, wave, **about)

    inputs = load_inputs("speech", rows, roots, config, watched)
    clean = load_inputs("speech", rows, roots, config)
    assert sorted(seen) == [(sample, RATE) for sample in sorted(rows["sample_id"])]
    waves = [each.__getitems__([Item(row) for row in range(4)])[1].numpy() for each in (inputs, clean)]
    snr = 10 * np.log10(np.mean(waves[1] ** 2) / np.mean((waves[0] - waves[1]) ** 2))
    assert waves[0].shape == (4, RATE // 2) and -4 < snr < 4


@pytest.mark.parametrize("task", ["verification", "classification"])
def test_without_damage_nothing_changes_and_with_damage_the_error_and_its_difference_grow(task):
    made = world(CLASSIFICATION) if task == "classification" else world()
    measured_in = protocol(made.samples, made.task, made.evaluation, CONFIG)
    rows = measured_in.subset.rows
    assert rows.groupby("label").size().max() == 3
    students = [made.student(), made.student()]
    contenders = [
        Contender("none", "alone", "no teacher", students[:1], [0]),
        Contender("b", "b", "mlp", students[1:], [0]),
    ]

    def embed_under(_, condition):
        noise = 0 if condition is None else condition.severity
        return [made.embeddings(0.2 + noise * (2 - number), 1).at(rows["sample_id"]) for number in (0, 1)]

    table = robustness_table(contenders, damage_levels(CONFIG, "image"), measured_in, embed_under, 0.95)
    assert table[["arm", "kind", "severity"]].drop_duplicates().shape[0] == len(table) == 2 * (1 + 3)
    clean = table[table["kind"] == "clean"]
    assert clean["error"].nunique() == 1 and clean["difference_to_alone"].iloc[1] == 0
    worst = table[(table["kind"] == "blur") & (table["level"] == 2)].set_index("arm")
    assert (worst["error"] > clean["error"].iloc[0]).all()
    assert worst.loc["b", "difference_to_alone"] == pytest.approx(worst.loc["b", "error"] - worst.loc["none", "error"])
    assert worst.loc["b", "difference_to_alone"] < 0 and np.isnan(worst.loc["none", "difference_to_alone"])
    assert len(robustness_plot(table).axes) == 2 and set(arm_plots(table)) == {"none.png", "b.png"}
    lacking = table.assign(no_interval="3 clusters", error_low=np.nan, error_high=np.nan)
    for plot in (robustness_plot(lacking), *arm_plots(lacking).values()):
        assert plot.get_suptitle() == "No interval, and so no verdict: 3 clusters."


def test_the_difference_to_alone_is_over_the_seeds_that_both_have():
    made = world()
    measured_in = protocol(made.samples, made.task, made.evaluation, CONFIG)
    ids, student = measured_in.subset.rows["sample_id"], made.student()
    of_seeds = {0: 0.4, 1: 3.0, 2: 0.7}  # the noise of each: alone is at its worst with seed 1, which the arm has not

    def errors(*seeds: int) -> np.ndarray:
        values = [made.embeddings(of_seeds[seed], seed).at(ids) for seed in seeds]
        return measured_in.errors([student] * len(seeds), values, values).values

    def measured(*seeds: int) -> pd.Series:
        contenders = [
            Contender("none", "alone", "no teacher", [student] * 3, [0, 1, 2]),
            Contender("b", "b", "mlp", [student] * len(seeds), list(seeds)),
        ]

        def embed_under(_, __):
            return [made.embeddings(of_seeds.get(seed, 0.1), seed).at(ids) for seed in (0, 1, 2, *seeds)]

        return robustness_table(contenders, [], measured_in, embed_under, 0.95).set_index("arm").loc["b"]

    assert errors(1) > errors(2) > errors(0)
    same = measured(2, 0)
    assert same["difference_to_alone"] == 0 and same["error"] == pytest.approx(errors(0, 2).mean())
    with pytest.raises(ValueError, match=r"share no seed: trained with \[0, 1, 2\] and \[3\]"):
        measured(3)


def test_the_test_side_alone_is_damaged_unless_both_are_asked_for():
    made = world()
    test, both = (
        protocol(made.samples, made.task, made.evaluation, CONFIG.model_copy(update={"sides": sides}))
        for sides in ("test", "both")
    )
    clean, damaged = (made.embeddings(noise).at(test.subset.rows["sample_id"]) for noise in (0.1, 3.0))
    errors = {
        name: measured_in.errors([made.student()], [first], [second]).values[0]
        for name, measured_in, first, second in [
            ("clean", test, clean, clean), ("test", test, clean, damaged), ("both", both, clean, damaged),
        ]
    }  # fmt: skip
    assert errors["clean"] < errors["test"] < errors["both"]
    names = test.trials[["enrol_id", "test_id"]].astype("str")
    drawn = names.assign(enrol_id=names.min(axis=1))
    kept = (names["enrol_id"] == drawn["enrol_id"]).to_numpy()
    assert 0.3 < kept.mean() < 0.7 and (names["test_id"][~kept] == drawn["enrol_id"][~kept]).all()


def test_all_test_samples_are_taken_where_no_number_is_named():
    made = world()
    everything = drawn_rows(made.samples, made.task, CONFIG.model_copy(update={"samples": None}))
    assert len(everything) == 12 * 4 and len(drawn_rows(made.samples, made.task, CONFIG)) == 12 * 3


@pytest.mark.slow
def test_the_pipeline_measures_both_students_and_every_arm_of_the_comparison(run_kedro_after, tracking_uri):
    run_kedro_after("robustness")
    reporting = run_kedro_after.data_root / "08_reporting" / "test"
    table = pd.read_csv(reporting / "robustness.csv", float_precision="round_trip")
    assert set(table["arm"]) == {"student_alone", "distilled"} and set(table["kind"]) == {"clean", "blur", "noise"}
    assert (reporting / "robustness.png").exists()
    clean = table[table["kind"] == "clean"].set_index("arm")
    (run,) = MlflowClient(tracking_uri).search_runs(["1"])
    assert run.data.metrics["headline/eer.distilled"] == clean.loc["distilled", "error"]
    assert run.data.metrics["headline/eer_difference.distilled"] == clean.loc["distilled", "difference_to_alone"]
    assert len([name for name in run.data.metrics if name.startswith("metrics/eer.distilled.")]) == len(table) // 2 - 1
    from_comparison = {"robustness": {"from_comparison": True}, "comparison": {"arms": ["none", "soft_feature"]}}
    with pytest.raises(ValueError, match="has no finished arm 'none'.*run kedro run --pipeline=comparison first"):
        run_kedro_after("robustness", params=from_comparison)
    run_kedro_after("comparison", params=from_comparison)
    run_kedro_after("robustness", params=from_comparison)
    assert set(pd.read_csv(reporting / "robustness.csv")["arm"]) == {"none", "soft_feature"}
    assert {file.name for file in (reporting / "robustness").iterdir()} == {"none.png", "soft_feature.png"}
