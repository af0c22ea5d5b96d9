"""Errors within a condition and across it: of a student's test, and of a published list; against plain loops."""

import numpy as np
import pandas as pd
import pytest

from cross_modal_kd.config import ScoreTrialsConfig
from cross_modal_kd.config.ingestion import SourceConfig
from cross_modal_kd.evaluation import measure_trials, score_trials
from cross_modal_kd.evaluation.legend import legend_of
from cross_modal_kd.metrics import bootstrap_verification, cluster_weights, eer
from cross_modal_kd.samples import Roots, SamplesError
from cross_modal_kd.sources import layout_of
from cross_modal_kd.tasks import Coded
from evaluation_world import VERIFICATION, world
from published_sets import cnceleb

SPEAKERS, UTTERANCES = 24, 4


def plain_eer(rows, scores, wanted):
    """Over all pairs of rows that ``wanted(a, b, target)`` takes."""
    found = [
        (scores[a, b], int(one.label == other.label))
        for a, one in enumerate(rows.itertuples())
        for b, other in enumerate(rows.itertuples())
        if a < b and wanted(one, other, one.label == other.label)
    ]
    return eer(*map(np.array, zip(*found, strict=True)))


@pytest.fixture(scope="module")
def speakers():
    """24 speakers of two genders, an utterance each in a session and genre of its own or not; unit embeddings."""
    rng = np.random.default_rng(3)
    rows = pd.DataFrame(
        [
            {
                "sample_id": f"set/id{who:02d}/{said}",
                "label": f"id{who:02d}",
                "split": "test",
                "condition_gender": "f" if who % 2 else "m",
                "condition_session": f"id{who:02d}/{said // 2}" if who != 3 else None,
                "condition_genre": ("song", "talk")[said % 2],
                "condition_nation": "Malta" if who < 2 else "Peru",
            }
            for who in range(SPEAKERS)
            for said in range(UTTERANCES)
        ]
    )
    voice = rng.normal(size=(SPEAKERS, 8)).repeat(UTTERANCES, axis=0)
    values = (
        voice + 1.5 * rng.normal(size=(len(rows), 8)) + 1.5 * rng.normal(size=(len(rows) // 2, 8)).repeat(2, axis=0)
    )
    return rows, values / np.linalg.norm(values, axis=1, keepdims=True)


@pytest.fixture
def asked(speakers, tmp_path):
    """All pairs as a list, and the table that says whose the names are."""
    rows, values = speakers
    np.savez(tmp_path / "e.npz", names=rows["sample_id"].to_numpy(str), values=values)
    rows.to_parquet(tmp_path / "samples.parquet")
    names = rows["sample_id"].str.removeprefix("set/").tolist()
    pairs = [(a, b) for a in names for b in names if a < b]
    (tmp_path / "list.txt").write_text("".join(f"{int(a[:4] == b[:4])} {a}.wav {b}.wav\n" for a, b in pairs))
    paths = {"trials": str(tmp_path / "list.txt"), "embeddings": str(tmp_path / "e.npz"), "far": [0.1]}
    return ScoreTrialsConfig(**paths, speakers={"table": str(tmp_path / "samples.parquet"), "bootstrap": 60})


EXPECTED = {
    "eer_within_gender/f": lambda a, b, _: a.condition_gender == b.condition_gender == "f",
    "eer_within_gender/m": lambda a, b, _: a.condition_gender == b.condition_gender == "m",
    "eer_within_genre/song": lambda a, b, _: a.condition_genre == b.condition_genre == "song",
    "eer_within_genre/talk": lambda a, b, _: a.condition_genre == b.condition_genre == "talk",
    "eer_across_genre": lambda a, b, _: a.condition_genre != b.condition_genre,
    "eer_within_nation/Peru": lambda a, b, _: a.condition_nation == b.condition_nation == "Peru",
    "eer_within_session": lambda a, b, target: (
        a.label != "id03" != b.label and (not target or a.condition_session == b.condition_session)
    ),
    "eer_across_session": lambda a, b, _: a.label != "id03" != b.label and a.condition_session != b.condition_session,
}


def test_errors_of_a_list_by_condition_are_those_of_a_plain_loop(speakers, asked):
    rows, values = speakers
    found = measure_trials(score_trials(asked), asked).metrics
    by_name = {row["metric"]: row for row in found["conditions"]}
    assert set(by_name) == {*EXPECTED, "eer_within_nation/Malta"}
    for name, wanted in EXPECTED.items():
        assert by_name[name]["eer"] == pytest.approx(plain_eer(rows, values @ values.T, wanted), abs=1e-6), name
        assert by_name[name]["low"] < by_name[name]["high"]
    few = by_name["eer_within_nation/Malta"]
    assert few["eer"] is None and "of fewer than 10 speakers (score_trials.speakers.min_speakers)" in few["reason"]
    assert (few["targets"], few["impostors"]) == (2 * 6, 16)


def test_intervals_of_a_list_are_over_resampled_speakers(speakers, asked):
    rows, values = speakers
    found = measure_trials(score_trials(asked), asked).metrics
    one, other = np.triu_indices(len(rows), 1)
    who = pd.factorize(rows["label"], sort=True)[0]
    scores = np.einsum("nd,nd->n", values[one], values[other])
    weights = cluster_weights(SPEAKERS, 60, 0)
    resampled = bootstrap_verification([scores], (who[one] == who[other]).astype(int), who[one], who[other], weights)
    ends = np.quantile(resampled.eer[:, 0], [0.025, 0.975])
    assert [found["intervals"]["eer"][end] for end in ("low", "high")] == pytest.approx(ends, abs=1e-6)
    assert set(found["intervals"]) == {"eer", "auc", "min_dcf_01", "min_dcf_05"}


def test_a_list_whose_speakers_are_trained_on_is_refused(speakers, asked, tmp_path):
    rows = speakers[0].assign(split=np.where(speakers[0]["label"] == "id05", "train", "test"))
    rows.to_parquet(tmp_path / "samples.parquet")
    with pytest.raises(SamplesError, match=r"list.txt: 1 of its speakers are in the training split .*id05.*VoxCeleb2"):
        measure_trials(score_trials(asked), asked)


def test_names_that_the_table_has_not_leave_no_interval_and_count_in_no_condition(speakers, asked, tmp_path):
    rows = speakers[0]
    rows[rows["label"] != "id07"].to_csv(tmp_path / "samples.csv", index=False)
    asked = asked.model_copy(
        update={"speakers": asked.speakers.model_copy(update={"table": str(tmp_path / "samples.csv")})}
    )
    found = measure_trials(score_trials(asked), asked).metrics
    missing = UTTERANCES * (SPEAKERS - 1) * UTTERANCES + UTTERANCES * (UTTERANCES - 1) // 2
    assert found["intervals"]["reason"].startswith(f"{missing} of the 4,560 trials have a name")
    women = next(row for row in found["conditions"] if row["metric"] == "eer_within_gender/f")
    assert women["targets"] == (SPEAKERS // 2 - 1) * 6


def test_a_table_without_its_columns_is_refused(asked, tmp_path):
    pd.DataFrame({"name": ["a"], "label": ["b"]}).to_parquet(tmp_path / "samples.parquet")
    with pytest.raises(SamplesError, match="samples.parquet: expected the columns sample_id and label"):
        measure_trials(score_trials(asked), asked)


def test_without_a_table_a_list_has_what_it_had(asked):
    plain = asked.model_copy(update={"speakers": ScoreTrialsConfig(embeddings="e").speakers})
    found = measure_trials(score_trials(plain), plain).metrics
    assert not {"speakers", "intervals", "conditions"} & set(found)


def test_a_model_is_of_a_genre_where_all_its_utterances_are(tmp_path):
    root = cnceleb(tmp_path / "cn")
    enrolments = root / "CN-Celeb_flac" / "eval" / "lists" / "enroll.map"
    model, *_ = enrolments.read_text().splitlines()[0].split()  # one of two genres, which becomes one of singing
    who = model.removesuffix("-enroll")
    others = enrolments.read_text().splitlines()[1:]
    enrolments.write_text("\n".join([f"{model} {who}/singing-01-001.wav {who}/singing-02-004.wav", *others]))
    source = SourceConfig(layout="cnceleb", root=str(root), options={"enrolment": "avg"})
    rows = layout_of("cn", "cnceleb")("cn", Roots({"cn": source}), source.options).rows
    test = rows[rows["split"] == "test"]
    assert set(test["condition_genre"]) > {"singing", "interview"} and test["condition_session"].notna().all()
    test.to_parquet(tmp_path / "samples.parquet")
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "e.npz", names=test["sample_id"].to_numpy(str), values=rng.normal(size=(len(test), 4)))
    lists = root / "CN-Celeb_flac" / "eval" / "lists"
    asked = ScoreTrialsConfig(
        trials=str(lists / "trials.lst"), models=str(lists / "enroll.map"), embeddings=str(tmp_path / "e.npz"),
        far=[0.1], speakers={"table": str(tmp_path / "samples.parquet"), "bootstrap": 5, "min_speakers": 5},
    )  # fmt: skip
    scored = score_trials(asked)
    found = measure_trials(scored, asked).metrics["conditions"]
    genre_of = test.assign(name=test["sample_id"].str.removeprefix("cn/")).set_index("name")["condition_genre"]
    models = {}
    for line in (lists / "enroll.map").read_text().splitlines():
        model, *utterances = line.split()
        genres = {genre_of[each.rpartition(".")[0]] for each in utterances}
        models[model] = genres.pop() if len(genres) == 1 else None
    pairs = [line.split()[:2] for line in (lists / "trials.lst").read_text().splitlines()]
    expected = sum(models[a] == "singing" == genre_of[b.rpartition(".")[0]] for a, b in pairs)
    row = next(row for row in found if row["metric"] == "eer_within_genre/singing")
    assert row["targets"] + row["impostors"] == expected > 0


def with_conditions(made):
    """A world, of whose images every other label is of one hand, and each view of a session of its label."""
    samples = made.samples
    number = samples["label"].str.extract(r"(\d+)$")[0].astype(int)
    hand = pd.Series(np.where(number % 2, "left", "right"), dtype="str").mask(samples["modality"] == "text")
    session = (samples["label"] + "/" + (samples["sample_id"].str[-1].astype(int) // 2).astype(str)).astype("str")
    return samples.assign(condition_hand=hand, condition_session=session)


def test_a_students_errors_by_condition(tmp_path):
    from dataclasses import replace

    plain = world(VERIFICATION, labels=24, max_impostors=100_000)
    made = replace(plain, samples=with_conditions(plain))
    alone, distilled = made.embeddings(2.0), made.embeddings(0.8, seed=1)
    metrics = made.metrics(alone, distilled)
    names = {"eer_within_hand/left", "eer_within_hand/right", "eer_within_session", "eer_across_session"}
    assert {name for name in metrics["difference"] if name.startswith(("eer_within", "eer_across"))} == names
    rows = made.samples[(made.samples["split"] == "test") & (made.samples["modality"] == "image")]
    values = distilled.at(rows["sample_id"])
    unit = values / np.linalg.norm(values, axis=1, keepdims=True)
    expected = {
        "eer_within_hand/left": lambda a, b, _: a.condition_hand == b.condition_hand == "left",
        "eer_within_session": lambda a, b, target: not target or a.condition_session == b.condition_session,
        "eer_across_session": lambda a, b, _: a.condition_session != b.condition_session,
    }
    for name, wanted in expected.items():
        value = metrics["distilled"][name]["value"]
        assert value == pytest.approx(plain_eer(rows, unit @ unit.T, wanted), abs=1e-6), name
        assert metrics["difference"][name]["low"] < metrics["difference"][name]["high"]
    before = plain.metrics(alone, distilled)
    same = {name: value for name, value in metrics["distilled"].items() if name not in names}
    assert same == before["distilled"]  # what was measured before is what it was
    page = made.report(tmp_path)
    assert "By condition: the pairs within one, and across two" in page and "EER, hand left" in page


def test_values_of_too_few_labels_have_no_figure_and_the_page_says_so(tmp_path):
    from dataclasses import replace

    plain = world(VERIFICATION, labels=14)
    made = replace(plain, samples=with_conditions(plain))
    metrics = made.metrics(made.embeddings(2.0), made.embeddings(0.8, seed=1))
    assert "eer_within_hand/left" not in metrics["difference"]
    reason = "its target or its impostor trials are of fewer than 10 test clusters (labels) (evaluation.min_clusters)"
    assert metrics["undefined"]["eer_within_hand/left"] == reason == metrics["undefined"]["eer_within_hand/right"]
    assert f"EER, hand left, EER, hand right: {reason}" in made.report(tmp_path)


def test_a_condition_that_no_target_crosses_has_no_errors_across():
    coded = Coded.of("gender", pd.Series(["m", "f", "m"], dtype="str"), np.array([0, 0]), np.array([2, 1]))
    assert [name for name, _ in coded.parts(np.array([1, 0]))] == ["eer_within_gender/f", "eer_within_gender/m"]


def test_every_such_metric_has_a_legend_and_no_other_name_is_one():
    assert legend_of("eer_within_genre/live_broadcast").title == "EER, genre live_broadcast"
    assert legend_of("eer_across_session").better == "lower" and legend_of("eer_across_session").reducible
    with pytest.raises(KeyError, match="no metric is called 'eer_beside_genre'"):
        legend_of("eer_beside_genre")
