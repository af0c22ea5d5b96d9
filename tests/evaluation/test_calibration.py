"""Quality-aware calibration: planted durations, a plain logistic regression, and what must not be fitted on."""

import numpy as np
import pandas as pd
import pytest

from cross_modal_kd.config import ScoreTrialsConfig
from cross_modal_kd.evaluation import measure_trials, score_trials
from cross_modal_kd.evaluation.trial_lists.calibrate import fitted
from cross_modal_kd.samples import SamplesError

SPEAKERS, TRAINED, UTTERANCES, DIM = 60, 40, 8, 24


@pytest.fixture
def planted(tmp_path):
    """Voices whose noise falls with the length of the sound; embeddings, the samples table, and a list of the test."""
    rng = np.random.default_rng(1)
    names = [f"id{who:03d}/{said}" for who in range(SPEAKERS) for said in range(UTTERANCES)]
    short = np.arange(len(names)) % 2 == 0
    seconds = np.where(short, rng.uniform(2.1, 4, len(names)), rng.uniform(8, 30, len(names)))
    noise = rng.normal(size=(len(names), DIM)) * (2.2 / np.sqrt(np.minimum(seconds, 20)))[:, None]
    values = rng.normal(size=(SPEAKERS, DIM)).repeat(UTTERANCES, axis=0) + noise + 0.5
    np.savez(tmp_path / "e.npz", names=names, values=values)
    rows = pd.DataFrame({"sample_id": names, "label": [name[:5] for name in names], "duration_s": seconds})
    rows["split"] = np.where(rows["label"] < f"id{TRAINED:03d}", "train", "test")
    rows.to_parquet(tmp_path / "samples.parquet")
    tested = rows.loc[rows["split"] == "test", "sample_id"].tolist()
    pairs = [(one, other) for one in tested for other in tested if one < other]
    (tmp_path / "list.txt").write_text("".join(f"{int(a[:5] == b[:5])} {a} {b}\n" for a, b in pairs))
    table = str(tmp_path / "samples.parquet")

    def asked(**calibration) -> ScoreTrialsConfig:
        return ScoreTrialsConfig(
            trials=str(tmp_path / "list.txt"),
            embeddings=str(tmp_path / "e.npz"),
            as_norm={"top": 10, "centre": True, "labels": table},
            calibration={"drawn": 3000, "durations": table} | calibration,
        )

    return rows, asked


def found(asked: ScoreTrialsConfig) -> dict:
    return measure_trials(score_trials(asked), asked).metrics


def test_where_duration_moves_the_score_the_calibrated_error_is_lower(planted):
    _, asked = planted
    metrics = found(asked())
    about = metrics["calibration"]
    assert about["after"]["eer"] < 0.95 * about["before"]["eer"] and metrics["eer"] == about["after"]["eer"]
    assert about["before"] == {name: found(asked(drawn=0))[name] for name in about["before"]}
    assert set(about["before"]) == {"eer", "min_dcf_01", "min_dcf_05"}
    assert about["measures"] == ["score", "duration", "magnitude", "cohort_mean"] and not about["left_out"]
    assert (about["trials"], about["targets"], about["speakers"], about["seed"]) == (3000, 1500, TRAINED, 0)
    assert about["weights"].keys() >= {"score", "duration_min", "duration_max", "duration_difference", "duration_ratio"}
    assert len(about["weights"]) == 13 and about["tested_utterances_of_unknown_speakers"] == 0


def test_durations_that_say_nothing_lower_nothing(planted, tmp_path):
    rows, asked = planted
    shuffled = rows.assign(duration_s=np.random.default_rng(0).permutation(rows["duration_s"]))
    shuffled.to_parquet(tmp_path / "shuffled.parquet")
    about = found(asked(measures=["duration"], durations=str(tmp_path / "shuffled.parquet")))["calibration"]
    assert about["after"]["eer"] > 0.97 * about["before"]["eer"]


def test_the_same_seed_draws_the_same_trials(planted):
    _, asked = planted
    one, again, other = (score_trials(asked(seed=seed)).scores for seed in (0, 0, 1))
    assert np.array_equal(one, again) and not np.array_equal(one, other)


def test_scores_are_those_of_a_plain_loop(planted, tmp_path):
    rows, asked = planted
    trained = rows.loc[rows["split"] == "train", "sample_id"].tolist()[: 8 * UTTERANCES]
    own = [(a, b) for a in trained for b in trained if a < b]
    (tmp_path / "own.txt").write_text("".join(f"{a} {b} {int(a[:5] == b[:5])}\n" for a, b in own))
    config = asked(trials=str(tmp_path / "own.txt"), measures=["duration", "magnitude"])
    scored = score_trials(config)
    with np.load(config.embeddings) as file:
        values = dict(zip(file["names"].tolist(), file["values"].astype(np.float32).astype(float), strict=True))
    centre = np.mean([values[name] for name in rows.loc[rows["split"] == "train", "sample_id"]], axis=0)
    seconds = dict(zip(rows["sample_id"], rows["duration_s"], strict=True))

    def factors(enrol, test, score):
        measured = [score]
        for of in (lambda name: min(seconds[name], 20), lambda name: np.linalg.norm(values[name] - centre)):
            low, high = sorted((of(enrol), of(test)))
            measured += [low, high, high - low, high / low]
        return measured

    list_of_own = ScoreTrialsConfig(**config.model_dump() | {"trials": str(tmp_path / "own.txt"), "calibration": {}})
    of_own = score_trials(list_of_own)
    given = np.array([factors(a, b, score) for (a, b), score in zip(own, of_own.scores, strict=True)])
    fit = fitted(given, of_own.trials.target)
    table = scored.table()
    assert list(table) == ["enrol", "test", "label", "score", "uncalibrated", "cosine"]
    expected = [
        float(fit(np.array([factors(row.enrol, row.test, row.uncalibrated)]))[0]) for row in table.head(50).itertuples()
    ]
    assert table["score"].head(50).tolist() == pytest.approx(expected, abs=2e-3)
    about = measure_trials(scored, config).metrics["calibration"]
    assert about["fitted_on"] == str(tmp_path / "own.txt") and (about["trials"], about["speakers"]) == (len(own), 8)


def test_the_fit_is_scikit_learns_of_classes_that_count_alike():
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    target = (rng.random(2000) < 0.2).astype(np.int8)
    given = rng.normal(size=(2000, 3)) * [1, 20, 0.1] + target[:, None] * [1.0, 10.0, 0.0]
    ours = fitted(np.column_stack([given, np.full(2000, 7.0)]), target)
    standard = (given - given.mean(axis=0)) / given.std(axis=0)
    theirs = LogisticRegression(C=1 / 2, class_weight="balanced", tol=1e-8).fit(standard, target)  # 1 / (n ridge)
    assert ours.weights[:3] == pytest.approx(theirs.coef_[0], abs=1e-3) and ours.weights[3] == 0
    assert ours.bias == pytest.approx(theirs.intercept_[0], abs=1e-3)


@pytest.mark.parametrize("who", ["speaker", "utterance", "speakers table"])
def test_what_is_tested_is_not_fitted_on(planted, tmp_path, who):
    rows, asked = planted
    leaked = rows.copy()
    tested = leaked["label"] == f"id{TRAINED:03d}"
    leaked.loc[tested & (leaked.index % 2 == 0), "split"] = "train"  # half of a tested speaker's sounds
    if who != "utterance":  # and these are not in the list
        lines = (tmp_path / "list.txt").read_text().splitlines()
        gone = leaked.loc[tested & (leaked["split"] == "train"), "sample_id"].tolist()
        kept = [line for line in lines if not set(line.split()) & set(gone)]
        (tmp_path / "list.txt").write_text("\n".join(kept))
    table = None
    if who == "speakers table":  # the labels know those trained on alone
        rows.to_parquet(tmp_path / "everyone.parquet")
        table, leaked = str(tmp_path / "everyone.parquet"), leaked[leaked["split"] == "train"]
    leaked.to_parquet(tmp_path / "samples.parquet")
    config = asked(drawn=3000, measures=["magnitude"])
    config = config.model_copy(update={"speakers": config.speakers.model_copy(update={"table": table})})
    said = (
        "utterances are of .*list.txt too"
        if who == "utterance"
        else f"1 of its speakers are tested .*'id{TRAINED:03d}'"
    )
    with pytest.raises(SamplesError, match=said):
        score_trials(config)


def test_speakers_whom_no_table_names_are_said(planted, tmp_path, caplog):
    rows, asked = planted
    rows[rows["split"] == "train"].to_parquet(tmp_path / "samples.parquet")
    about = found(asked(measures=["magnitude"]))["calibration"]
    assert about["tested_utterances_of_unknown_speakers"] == (SPEAKERS - TRAINED) * UTTERANCES
    assert "of 160 of the 160 utterances of" in caplog.text and "score_trials.speakers.table" in caplog.text


def test_training_sounds_without_a_speaker_have_no_part_in_it(planted, tmp_path):
    rows, asked = planted
    unlabelled = rows["sample_id"].isin([f"id{who:03d}/{said}" for who in (0, 39) for said in range(UTTERANCES)])
    rows[~unlabelled].to_parquet(tmp_path / "samples.parquet")
    without = score_trials(asked(durations=None, measures=["magnitude"])).scores
    rows.assign(label=rows["label"].mask(unlabelled)).to_parquet(tmp_path / "samples.parquet")
    assert np.array_equal(score_trials(asked(durations=None, measures=["magnitude"])).scores, without)


def test_what_is_missing_is_refused(planted, tmp_path):
    rows, asked = planted
    rows.assign(duration_s=rows["duration_s"].where(rows.index != 3)).to_parquet(tmp_path / "durations.parquet")
    with pytest.raises(SamplesError, match="1 of the 320 utterances .* have no duration above 0, such as 'id000/3'"):
        score_trials(asked(durations=str(tmp_path / "durations.parquet")))
    rows.assign(duration_s=1.0).to_parquet(tmp_path / "durations.parquet")
    with pytest.raises(SamplesError, match="0 of its 40 training speakers have two sounds of 2 to 6 s and two longer"):
        score_trials(asked(durations=str(tmp_path / "durations.parquet")))
    (tmp_path / "utt2dur").write_text("".join(f"{row.sample_id} {row.duration_s}\n" for row in rows.itertuples()))
    assert score_trials(asked(durations=str(tmp_path / "utt2dur"))).about["calibration"]["trials"] == 3000
    (tmp_path / "utt2dur").write_text("id000/1 2.0 s\n")
    with pytest.raises(SamplesError, match="utt2dur, line 1: expected 'utterance seconds', found 'id000/1 2.0 s'"):
        score_trials(asked(durations=str(tmp_path / "utt2dur")))
    (tmp_path / "d.csv").write_text("name;duration_s\nid000/1;1,5\n")
    with pytest.raises(SamplesError, match=r"d.csv: expected seconds as 1.5, found '1,5': a decimal comma; .*1 lines"):
        score_trials(asked(durations=str(tmp_path / "d.csv")))
    (tmp_path / "few.txt").write_text("id000/1 id000/2 1\nid000/1 id001/2 0\n")
    with pytest.raises(SamplesError, match="at least 50 target and 50 impostor trials .* found 1 targets of 2"):
        score_trials(asked(trials=str(tmp_path / "few.txt")))


def test_embeddings_of_length_one_have_no_magnitude(planted, tmp_path, caplog):
    _, asked = planted
    with np.load(tmp_path / "e.npz") as file:
        names, values = file["names"], file["values"]
    np.savez(tmp_path / "e.npz", names=names, values=values / np.linalg.norm(values, axis=1, keepdims=True))
    config = asked(measures=["magnitude"])
    config = config.model_copy(update={"as_norm": config.as_norm.model_copy(update={"centre": False})})
    about = found(config)["calibration"]
    assert about["measures"] == ["score"] and about["left_out"] == ["magnitude"] and "moves no score" in caplog.text
    assert about["after"] == pytest.approx(about["before"])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"calibration": {"drawn": 3000}},
            "measures has cohort_mean, and there is no cohort: set score_trials.as_norm.top",
        ),
        (
            {"calibration": {"drawn": 3000}},
            "calibration.durations is null: give the table of samples or Kaldi's utt2dur",
        ),
        (
            {"calibration": {"drawn": 3000}},
            "score_trials.as_norm.labels is null; it says who the training speakers are",
        ),
        ({"calibration": {"trials": "no"}}, "score_trials.calibration.trials: there is no no"),
        ({"calibration": {"drawn": 3000, "durations": "no"}}, "score_trials.calibration.durations: there is no no"),
    ],
)
def test_what_it_lacks_is_found_before_a_run(tmp_path, given, said):
    config = ScoreTrialsConfig(trials=str(tmp_path), embeddings=str(tmp_path), **given)
    assert said in "; ".join(config.misfits({}))


def test_a_calibration_that_is_not_asked_for_needs_nothing(tmp_path):
    calibration = {"durations": "no", "measures": ["duration"]}
    assert not list(
        ScoreTrialsConfig(trials=str(tmp_path), embeddings=str(tmp_path), calibration=calibration).misfits({})
    )
    with pytest.raises(ValueError, match="expected 0 or at least 300, found 12"):
        ScoreTrialsConfig(embeddings="e", calibration={"drawn": 12})
