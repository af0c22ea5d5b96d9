"""A search at every share of labels, what it writes, how it is read, and how sure the errors are."""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy import stats

from cross_modal_kd.config import ArmsConfig, EvaluationConfig, StudentConfig, TaskConfig, TrainingConfig
from cross_modal_kd.metrics import Metric, MetricSet
from cross_modal_kd.studies.grid import Job
from cross_modal_kd.studies.regimes.components import Against, components_table
from cross_modal_kd.studies.regimes.config import STUDIES, LabelsStudy, RegimesConfig
from cross_modal_kd.studies.regimes.labels import arms_at
from cross_modal_kd.studies.results.tables.tuning import tuning_tables
from cross_modal_kd.studies.table import by_arm
from cross_modal_kd.studies.tuning import trials
from cross_modal_kd.studies.tuning.config import TuningConfig
from cross_modal_kd.studies.tuning.nodes import tune_arms
from cross_modal_kd.studies.tuning.trials import Trials, prepare, search_every_arm, searches, tuned_shares_file
from cross_modal_kd.tasks import kind_named

TASK = TaskConfig(name="v", title="v", kind="verification", student="image", teacher="text")
ARMS = ArmsConfig(
    {
        "none": {},
        "simclr": {"self_supervised": {}},
        "soft": {"projection": "mlp", "constraints": {"feature": {"kind": "cosine", "margin": 0.2}}},
        "answer": {"projection": "pca", "constraints": {"c": {"kind": "classifier_kl"}}},
        "moving": {"joint": True, "constraints": {"feature": {"kind": "cosine"}}},
    }
)
SPACE = {
    "none": {"lr": {"low": 0.001, "high": 0.1}},
    "simclr": {
        "self_supervised.temperature": {"low": 0.1, "high": 0.5},
        "labelled_in_batch": {"low": 0.1, "high": 0.5},
    },
    "soft": {
        "projection": {"choices": ["mlp", "pca"]},
        "labelled_in_batch": {"low": 0.1, "high": 0.5},
        "constraints.feature.weight": {"low": 1.0, "high": 64.0, "log": True},
    },
    "answer": {"constraints.c.weight": {"low": 1.0, "high": 2.0}},
    "moving": {"constraints.feature.weight": {"low": 1.0, "high": 2.0}},
}


@dataclass
class Done:
    job: Job
    metrics: dict = field(default_factory=dict)


def tuning(**options) -> TuningConfig:
    return TuningConfig(trials=3, space=SPACE, **options)


def test_every_arm_is_searched_at_every_share_with_the_keys_that_decide_something_there():
    found = {(each.share, each.name): each for each in searches(ARMS, tuning(labelled={"shares": [0.1, 1.0, 0.0]}))}
    assert list(found) == [
        *[(share, name) for share in (0.1, 1.0) for name in SPACE],
        *[(0.0, name) for name in ("simclr", "soft")],
    ]
    assert list(found[0.1, "soft"].space) == list(SPACE["soft"])
    assert list(found[0.1, "none"].space) == ["lr"]
    assert list(found[1.0, "soft"].space) == ["projection", "constraints.feature.weight"]
    assert list(found[0.0, "soft"].space) == ["constraints.feature.weight"]
    assert found[0.0, "soft"].arm.projection == "pca" and found[0.1, "soft"].arm.projection == "mlp"


def test_some_arms_alone_are_searched_and_an_unknown_one_is_told():
    assert [each.name for each in searches(ARMS, tuning(arms=["soft", "none"]))] == ["soft", "none"]
    assert tuning(arms=["soft"]).in_a_line() == "search of soft: 3 trials each"
    with pytest.raises(ValueError, match=r"tuning.arms names \['sfot'\], not among tuning.space: none, simclr"):
        tuning(arms=["sfot"])


@pytest.mark.parametrize("labelled", [{}, {"share": 0.5, "shares": [0.1]}])
def test_either_a_share_or_several_are_named(labelled):
    with pytest.raises(ValueError, match="tuning.labelled: expected either share or shares"):
        tuning(labelled=labelled)


def test_what_decides_a_search_at_one_share_is_what_it_was():
    one, several = (tuning(labelled=named).labelled for named in ({"share": 0.2}, {"shares": [0.2, 1.0]}))
    assert one.at(0.2) == several.at(0.2) == {"share": 0.2, "draw": 0, "in_batch": 0.5}
    assert several.at(1.0) is None


def test_what_was_found_is_read_by_the_study_of_labels():
    given = tuning(labelled={"shares": [0.1, 0.0]})
    text = tuned_shares_file(searches(ARMS, given), TASK, given)
    assert text.startswith("# Written by `kedro run --pipeline=tuning` for the task v: 3 trials an arm and share")
    tuned = yaml.safe_load(text)["regimes"]["labels"]["tuned"]
    assert tuned["0"]["soft"] == {"projection": "pca", "constraints.feature.weight": 1.0}
    tuned["0.1"]["soft"]["constraints.feature.weight"] = 30.0
    study = LabelsStudy(arms=list(SPACE), shares=[0.1, 0.2, 0.0], tuned=tuned, twins=["soft"])
    weights = {share: arms_at(ARMS, study, share).get("soft").constraints["feature"].weight for share in study.shares}
    assert weights == {0.1: 30.0, 0.2: 1.0, 0.0: 1.0}
    assert list(arms_at(ARMS, study, 0.0).root) == ["simclr", "soft", "soft_twin"]
    assert list(arms_at(ARMS, study, 0.1).root) == ["none", "simclr", "soft", "soft_twin", "answer", "moving"]
    soft, twin = (arms_at(ARMS, study, 0.1).get(name).constraints["feature"] for name in ("soft", "soft_twin"))
    assert (soft.margin, twin.margin) == (0.2, 0.0) and soft.weight == twin.weight == 30.0


def regimes(labels: dict, **options) -> RegimesConfig:
    """The block, its other studies as short as they can be."""
    others = {"arms": ["none"], "factors": [1.0], "shares": [1.0], "kinds": {}}
    takes = {name: RegimesConfig.model_fields[name].annotation.model_fields for name in STUDIES}
    least = {name: {key: value for key, value in others.items() if key in takes[name]} for name in STUDIES}
    return RegimesConfig(**{**least, "labels": labels}, **options)


def folds_are(folds: int) -> dict:
    return {"arms": ARMS, "evaluation": EvaluationConfig(folds=folds)}


OVER_FOLDS = {"labelled": {"shares": [0.1]}, "over_folds": True}


def test_each_fold_is_searched_without_its_own_test_and_trained_by_what_was_found_there(tmp_path, monkeypatch):
    seen = []

    def of_fold(number: int) -> SimpleNamespace:
        rows = pd.DataFrame({"split": ["train", "dev", "test"], "fold": number})
        return SimpleNamespace(**{**vars(CONTEXT), "samples": rows, "fingerprint_of": lambda *_: f"data{number}"})

    def prepared(context, tuning, share):
        seen.append(int(context.samples["fold"].iloc[0]))
        return Trials(SimpleNamespace(labelled_share=0.5), None, TrainingConfig(), {}, "dev_eer", False, f"f{seen[-1]}")

    def measure(trials, arm, seed, report):
        return abs(arm.constraints["feature"].weight - 10 * int(trials.fingerprint[1:]))

    monkeypatch.setattr(trials, "prepare", prepared)
    monkeypatch.setattr(Trials, "measure", measure)
    space = {"soft": {"constraints.feature.weight": {"low": 1.0, "high": 40.0}}}
    given = TuningConfig(trials=6, space=space, **OVER_FOLDS)
    table, tuned = tune_arms([of_fold(number) for number in (1, 2, 3)], given, tmp_path)
    assert seen == [1, 2, 3] and table.groupby("fold").size().tolist() == [6] * 3
    assert list(table)[:3] == ["labelled", "fold", "arm"]
    assert "6 trials an arm and share of the labels and fold on\n# the dev split" in tuned
    read = yaml.safe_load(tuned)["regimes"]["labels"]["tuned"]
    best = table[table["best"]]["constraints.feature.weight"].round(4).tolist()
    assert [values["constraints.feature.weight"] for values in read["0.1"]["soft"]] == best and len(set(best)) == 3

    study = LabelsStudy(arms=["none", "soft"], shares=[0.1], tuned=read)
    weights = [arms_at(ARMS, study, 0.1, fold=fold).get("soft").constraints["feature"].weight for fold in (1, 2, 3)]
    assert weights == best
    assert not list(
        regimes({"arms": ["none", "soft"], "shares": [0.1], "tuned": read}, over_folds=True).misfits(folds_are(3))
    )
    table.loc[len(table)] = {**table.iloc[0], "trial": 6, "state": "running", "dev": np.nan, "best": False}
    (page,) = tuning_tables(table)
    assert [row[3] for row in page.rows] == ["6"] * 3, "a trial that was cut off does not count"
    assert page.header[:3] == ["labelled", "fold", "arm"] and [row[:3] for row in page.rows] == [
        ["10 %", str(fold), "soft"] for fold in (1, 2, 3)
    ]


def test_the_test_split_of_a_fold_is_not_searched_on():
    shown = []
    rows = pd.DataFrame({"split": ["train", "dev", "test"], "fold": 2})
    fold = SimpleNamespace(**{**vars(CONTEXT), "samples": rows, "data_of": shown.append})
    prepare(fold, tuning(labelled={"shares": [1.0]}, over_folds=True))
    assert shown[0]["split"].tolist() == ["train", "dev"]


@pytest.mark.parametrize(
    ("options", "folds", "said"),
    [
        ({}, 1, "tuning.over_folds is true and evaluation.folds 1"),
        ({"arms": ["soft"]}, 3, "tuning.space.soft.projection: over folds an arm is bound through one kind"),
        ({"arms": ["none", "answer"]}, 3, None),
    ],
)
def test_what_folds_cannot_be_searched_for_is_said(options, folds, said):
    found = list(tuning(**OVER_FOLDS, **options).misfits(folds_are(folds)))
    assert not found if said is None else found[0].startswith(said)


def test_a_search_over_folds_needs_shares_of_the_labels():
    with pytest.raises(ValueError, match=r"tuning.over_folds is true.*tuning.labelled.shares"):
        tuning(over_folds=True)
    with pytest.raises(ValueError, match="tuning.over_folds is true"):
        tuning(over_folds=True, labelled={"share": 0.2})


@pytest.mark.parametrize(
    ("found", "over_folds", "said"),
    [
        ([{"lr": 0.1}] * 3, False, ": values for each of 3 folds, and the study has one"),
        ([{"lr": 0.1}] * 2, True, ": values for 2 folds, and evaluation.folds is 3: expected as many"),
        ([{"projection": "mlp"}, {"projection": "pca"}, {"projection": "pca"}], True, ".projection: expected one kind"),
        ([{"lr": 0.1}, {"lr": 0.2}, {"lr": -1}], True, ": 'lr' cannot be -1"),
        ([{"lr": 0.1}, {"lr": 0.2}, {"lr": 0.3}], True, None),
    ],
)
def test_values_of_each_fold_are_one_for_each(found, over_folds, said):
    block = regimes({"arms": ["none", "soft"], "shares": [0.1], "tuned": {0.1: {"soft": found}}}, over_folds=over_folds)
    misfits = list(block.misfits(folds_are(3)))
    assert not misfits if said is None else misfits[0].startswith(f"regimes.labels.tuned.0.1.soft{said}")


CONTEXT = SimpleNamespace(
    configuration=SimpleNamespace(
        training=TrainingConfig(lr=0.02), student=StudentConfig(encoder={"library": "timm", "name": "x"})
    ),
    samples=pd.DataFrame({"split": ["train", "dev", "test"]}),
    data_of=lambda _: SimpleNamespace(labelled_share=None),
    fingerprint_of=lambda *_: "data",
    projections={},
    task=TASK,
    arms=ARMS,
    teacher_model=SimpleNamespace(kind="pretrained"),
    engine=SimpleNamespace(each=lambda search, arms, on_gpu: map(search, arms)),
)


def test_a_search_by_another_seed_or_with_other_repeats_is_another():
    """Its trials are not those of the old one; at the defaults it is found under the name that it has had."""
    keys = [prepare(CONTEXT, tuning(**options)).fingerprint for options in ({}, {"seed": 1}, {"repeats": 3})]
    assert len(set(keys)) == 3
    about = CONTEXT.configuration
    budget = trials.shortened(about.training, None)
    assert keys[0] == trials.run_key("student", data="data", student=about.student, training=budget, labelled=None)


def test_the_first_trial_has_what_the_arm_leaves_to_its_training_and_small_values_are_not_rounded_away(
    tmp_path, monkeypatch
):
    tried = []

    def measure(_, arm, seed, report):
        tried.append(arm.lr)
        return arm.lr

    monkeypatch.setattr(Trials, "measure", measure)
    given = TuningConfig(trials=4, space={"none": {"lr": {"low": 1e-5, "high": 0.1, "log": True}}})
    table, (found,) = search_every_arm([CONTEXT], given, tmp_path)
    assert tried[0] == 0.02 and min(tried) < 0.001, "as trained, and then a small one"
    assert found.arm.lr == pytest.approx(min(tried), rel=0.05) and table["dev"].min() == min(tried)
    assert ARMS.get("none").lr is None
    small = [trials._rounded(value) for value in (0.00178, 0.00012345, 3.21e-5, -0.00001, 0.0, 59.21234)]
    assert small == [0.0018, 0.00012, 3.2e-5, -1e-5, 0, 59.2123]


def test_a_value_that_its_arm_does_not_take_is_told_before_a_run():
    wrong = {"0.1": {"soft": {"constraints.feature.weight": -1.0, "constraints.x.weight": 1.0, "lr": 0.1}}}
    block = regimes({"arms": ["none"], "shares": [0.1], "tuned": wrong})
    said = list(block.misfits({"arms": ARMS}))
    assert len(said) == 2
    assert said[0].startswith("regimes.labels.tuned.0.1.soft: 'constraints.feature.weight' cannot be -1.0")
    assert "there is no block 'x' among ['feature']" in said[1]
    assert "regimes.labels.tuned.0.1" in [reference.key for reference in block.references()]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shares": [0.0]}, r"without_labels names \['simclr'\], not among regimes.labels.arms: none"),
        ({"twins": ["soft"]}, r"twins names \['soft'\], not among"),
        ({"share_arms": {0.1: ["soft"]}}, r"share_arms.0.1 names \['soft'\], not among regimes.labels.arms: none"),
        ({"share_arms": {0.2: ["none"]}}, r"share_arms has \[0.2\], not among regimes.labels.shares: \[0.1\]"),
        ({"share_seeds": {0.2: 1}}, r"share_seeds has \[0.2\], not among regimes.labels.shares: \[0.1\]"),
    ],
)
def test_what_the_study_needs_is_trained(changes, message):
    with pytest.raises(ValueError, match=message):
        LabelsStudy(**({"arms": ["none"], "shares": [0.1]} | changes))


@pytest.mark.parametrize("changes", [{"share_arms": {0.2: ["none"]}}, {"share_seeds": {0.2: 1}}])
def test_a_part_of_a_study_leaves_out_shares_that_have_values_of_their_own(changes):
    assert LabelsStudy(arms=["none"], shares=[0.1], tuned={0.2: {"none": {}}}, **changes).shares == [0.1]


@pytest.mark.parametrize(("share", "missing"), [(0.1, "none"), (0.0, "simclr")])
def test_what_the_arms_of_a_share_are_set_against_is_trained_there(share, missing):
    labels = {"arms": ["none", "simclr", "soft"], "shares": [0.1, 0.0], "share_arms": {share: ["soft"]}}
    with pytest.raises(ValueError, match=f"share_arms.{share:g}: expected '{missing}' among them, .* found soft"):
        regimes(labels)


def results(errors: dict[str, list[float]], concepts: float) -> dict:
    """Errors of each arm and seed; the resamples of the test set move all of them by the same noise."""
    moves = concepts * np.random.default_rng(1).normal(size=2000)
    outcomes, metrics = [], []
    for name, values in errors.items():
        for seed, error in enumerate(values):
            student = StudentConfig(encoder={"library": "timm", "name": "x"})
            arm = ARMS.get(name.removesuffix("_twin"))
            outcomes.append(Done(Job(name, arm, student, TrainingConfig(seed=seed))))
            metrics.append(MetricSet({"eer": Metric(error, error + moves)}))
    return by_arm(outcomes, metrics)


def spread(errors: dict[str, list[float]], concepts: float = 0.01) -> pd.DataFrame:
    arms = ArmsConfig({name: ARMS.get(name.removesuffix("_twin")) for name in errors})
    against = Against("none", {"soft": "answer"}, 0.95)
    return components_table(results(errors, concepts), kind_named("verification"), against, arms)


def test_the_components_are_those_of_seeds_and_of_concepts():
    values = (0.3 + 0.02 * np.random.default_rng(2).normal(size=10)).tolist()
    row = spread({"none": values}).iloc[0]
    assert row["share"] == pytest.approx(np.mean(values)) and row["seeds"] == 10
    assert row["sd_single_seed"] == pytest.approx(np.std(values, ddof=1))
    assert row["sd_seeds"] == pytest.approx(np.std(values, ddof=1) / 10**0.5)
    assert row["sd_clusters"] == pytest.approx(0.01, rel=0.1)
    assert row["sd_both"] == pytest.approx(np.hypot(row["sd_seeds"], row["sd_clusters"]))
    student = stats.t.interval(0.95, 9, np.mean(values), stats.sem(values))
    assert (row["low_seeds"], row["high_seeds"]) == pytest.approx(student)
    assert row["share"] - row["share_low"] == pytest.approx(
        np.hypot(row["share"] - row["low_clusters"], row["share"] - row["low_seeds"])
    )
    assert row["share_low"] < min(row["low_seeds"], row["low_clusters"]) < row["share"]
    assert row["share"] < max(row["high_seeds"], row["high_clusters"]) < row["share_high"]


def test_contrasts_are_paired_in_seeds_and_concepts():
    base = (0.4 + 0.05 * np.random.default_rng(3).normal(size=8)).tolist()
    half = [value / 2 for value in base]
    table = spread({"none": base, "soft": half, "soft_twin": base, "answer": base}, concepts=0.0)
    rows = table[table["arm"] == "soft"].set_index("contrast")
    assert list(rows.index) == ["", "baseline", "each at its own values", "hard form, all else equal"]
    assert list(rows["other"]) == ["", "none", "answer", "soft_twin"]
    removed = rows.drop(index="")
    for column in ("share", "low_seeds", "high_seeds"):
        np.testing.assert_allclose(removed[column], 0.5)
    assert removed["sd_single_seed"].max() < 1e-9 < rows.loc["", "sd_single_seed"]
    assert set(table.loc[table["contrast"] == "", "arm"]) == {"none", "soft", "soft_twin", "answer"}


def test_three_seeds_make_a_wide_interval_of_a_share_about_the_share_itself():
    """Not about the mean of the shares of the seeds, which is another number where these differ."""
    rows = spread({"none": [0.4, 0.3, 0.2], "soft": [0.2, 0.2, 0.2]}, concepts=0.001)
    row = rows[rows["contrast"] == "baseline"].iloc[0]
    assert row["share"] == pytest.approx(1 / 3) and row["share"] != pytest.approx(np.mean([1 / 2, 1 / 3, 0]))
    assert (row["low_seeds"] + row["high_seeds"]) / 2 == pytest.approx(row["share"])
    half = stats.t.ppf(0.975, 2) * np.std([1 / 2, 1 / 3, 0], ddof=1) / 3**0.5
    assert row["high_seeds"] - row["share"] == pytest.approx(half) and row["share_low"] < row["low_seeds"] < 0


def test_kept_intervals_follow_from_what_stands_beside_them():
    """Of every page: Student's over the seeds, and both together, whichever run left the row."""
    tables = sorted((Path(__file__).parents[2] / "docs" / "results").glob("*/*_regime_spread.csv"))
    assert len(tables) > 5
    for file in tables:
        table = pd.read_csv(file)
        table = table[(table["seeds"] > 1) & table["no_interval"].isna()]
        half = stats.t.ppf(0.975, table["seeds"] - 1) * table["sd_single_seed"] / np.sqrt(table["seeds"])
        for name, sign, clusters, seeds, both in (
            ("low", -1, "low_clusters", "low_seeds", "share_low"),
            ("high", 1, "high_clusters", "high_seeds", "share_high"),
        ):
            np.testing.assert_allclose(table[seeds], table["share"] + sign * half, err_msg=f"{file}, {name}")
            joined = table["share"] + sign * np.hypot(table[clusters] - table["share"], half)
            np.testing.assert_allclose(table[both], joined, err_msg=f"{file}, {name}")


def test_one_seed_says_nothing_of_other_seeds():
    row = spread({"none": [0.3]}).iloc[0]
    assert row[["sd_single_seed", "sd_seeds", "share_low", "high_seeds"]].isna().all()
    assert row["no_interval"] == "one seed" and row["low_clusters"] < 0.3 < row["high_clusters"]


@pytest.mark.slow
def test_a_search_and_its_confirmation_end_to_end(run_kedro_after, tmp_path):
    root = run_kedro_after.data_root
    labelled = {"share": None, "shares": [0.3, 0.0]}
    space = {
        "none": {"lr": {"low": 0.001, "high": 0.02}},
        "simclr": {"self_supervised.temperature": {"low": 0.1, "high": 0.5}},
        "soft_both_quality": None,
        "soft_feature": {"labelled_in_batch": {"low": 0.1, "high": 0.5}},
    }
    arms = {"none": {"lr": 0.005}, "soft_feature": {"labelled_in_batch": 0.2, "projection": "pca"}}
    run_kedro_after("tuning", params={"tuning": {"epochs": 1, "labelled": labelled, "space": space}, "arms": arms})
    trials = pd.read_csv(root / "08_reporting/test/tuning_trials.csv")
    assert trials.groupby(["labelled", "arm"]).size().to_dict() == {
        (0.0, "simclr"): 2, (0.0, "soft_feature"): 2, (0.3, "none"): 2, (0.3, "simclr"): 2, (0.3, "soft_feature"): 2
    }  # fmt: skip
    tuned = yaml.safe_load((root / "08_reporting/test/tuned_arms.yml").read_text())["regimes"]["labels"]["tuned"]
    assert list(tuned) == ["0.3", "0"] and set(tuned["0.3"]["soft_feature"]) == {
        "labelled_in_batch",
        "constraints.feature.weight",
    }

    labels = {
        "arms": ["none", "simclr", "soft_feature"],
        "shares": [1.0, 0.3, 0.0],
        "share_arms": {1.0: ["none", "soft_feature"]},
        "share_seeds": {0.0: 1},
        "tuned": tuned,
        "twins": ["soft_feature"],
        "damaged": {"share": 0.5, "kinds": {"image": {"blur": [3]}}},
    }
    run_kedro_after("regimes", tags=["labels"], params={"regimes": {"seeds": [0, 1], "labels": labels}, "arms": arms})
    table = pd.read_csv(root / "08_reporting/test/regimes/labels.csv")
    names = {0.0: ["simclr", "soft_feature", "soft_feature_twin"]}
    names[0.3], names[1.0] = ["none", *names[0.0]], ["none", "soft_feature", "soft_feature_twin"]
    assert {share: rows["arm"].tolist() for share, rows in table.groupby("value")} == names
    none = table[table["value"] == 0]
    assert (none["labelled_samples"] == 0).all() and none["damaged_samples"].between(1, none["training_samples"]).all()
    few = table[table["value"] == 0.3]
    assert (few["damaged_samples"] < few["training_samples"] - few["labelled_samples"]).all()
    assert table["damaged_samples"].isna().equals(table["value"] == 1)
    assert none.set_index("arm")["difference_to_baseline"].isna().to_dict() == {
        "simclr": True,
        "soft_feature": False,
        "soft_feature_twin": False,
    }
    spread = pd.read_csv(root / "08_reporting/test/labels_regime_spread.csv")
    told = spread[spread["contrast"].notna()]
    assert set(told["contrast"]) == {"baseline", "hard form, all else equal"}
    assert set(told.loc[told["condition"].str.startswith("0 %"), "other"]) == {"simclr", "soft_feature_twin"}
    assert {"none"} < set(told["other"]) and spread["seeds"].tolist() == [
        1 if condition.startswith("0 %") else 2 for condition in spread["condition"]
    ]
    assert table["seed_list"].tolist() == ["0" if share == 0 else "0 1" for share in table["value"]]
