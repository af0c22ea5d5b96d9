"""The comparison over folds: each arm in every fold, its scores pooled."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import get_type_hints

import numpy as np
import pandas as pd
import pytest
import yaml

from cross_modal_kd.config import ArmConfig, ArmsConfig, ConfigError, StudentConfig, TrainingConfig
from cross_modal_kd.evaluation import Fold, pooled_metrics, side_by_side
from cross_modal_kd.studies import gathering
from cross_modal_kd.studies.config import ComparisonConfig
from cross_modal_kd.studies.folds import FoldTrainings, measure_over_folds, other_folds, over_folds
from cross_modal_kd.studies.grid import Job, Outcome
from cross_modal_kd.studies.regimes.config import RegimesConfig
from cross_modal_kd.studies.regimes.nodes import prepare_worlds
from cross_modal_kd.studies.tuning.config import TuningConfig
from evaluation_world import World, world

STUDENT = StudentConfig(encoder={"library": "timm", "name": "resnet10t"})
FOLDS = {
    "evaluation": {"folds": 3},
    "comparison": {"arms": ["none", "soft_both_quality"], "over_folds": True},
}
REGIMES = {"over_folds": True, "labels": {"arms": ["none", "soft_both_quality"], "shares": [1.0, 0.3]}}


def job(arm: str, seed: int = 0) -> Job:
    return Job(arm, ArmConfig(), STUDENT, TrainingConfig(seed=seed))


def of_fold(number: int) -> World:
    made = world(labels=6)
    named = made.samples.assign(
        **{name: f"f{number}-" + made.samples[name] for name in ("sample_id", "group", "label")}
    )
    latent = {f"f{number}-{sample}": value for sample, value in made.latent.items()}
    return replace(made, samples=named, latent=latent, classes=[f"f{number}-{name}" for name in made.classes])


def context(made: World) -> SimpleNamespace:
    return SimpleNamespace(
        samples=made.samples, task=made.task, trials=made.trials(), teacher_embeddings=made.teacher,
        projections={"mlp": made.projection, "pca": made.projection},
        configuration=SimpleNamespace(evaluation=made.evaluation),
    )  # fmt: skip


def test_every_arm_is_measured_by_the_pooled_scores_of_its_own_students():
    worlds = [of_fold(number) for number in range(3)]
    noises = (0.5, 3.0)
    outcomes = [
        [SimpleNamespace(job=job("a"), student=made.student(), embeddings=made.embeddings(noise)) for noise in noises]
        for made in worlds
    ]
    tested = [
        FoldTrainings(about := context(made), done, about.teacher_embeddings, about.projections)
        for made, done in zip(worlds, outcomes, strict=True)
    ]
    found = measure_over_folds(tested, {"bootstrap": 50, "level": 0.9})
    assert len(found) == 2 and found[0].metrics["eer"].value < found[1].metrics["eer"].value
    asked = [replace(made, evaluation=made.evaluation.model_copy(update={"bootstrap": 50})) for made in worlds]
    for noise, measured in zip(noises, found, strict=True):
        embedded = [made.embeddings(noise) for made in worlds]
        protocols = side_by_side([made.protocol(each) for made, each in zip(asked, embedded, strict=True)])
        folds = [Fold(*each) for each in zip(protocols, [made.student() for made in worlds], embedded, strict=True)]
        expected = pooled_metrics(folds)
        assert measured.metrics.keys() == expected.metrics.keys()
        for name, metric in measured.metrics.items():
            assert metric.value == expected.metrics[name].value
            np.testing.assert_array_equal(metric.resampled, expected.metrics[name].resampled)
        assert measured.metrics["eer"].evidence.clusters == 18


def test_what_is_measured_in_place_of_the_kept_embeddings_is_each_folds_own():
    worlds = [of_fold(number) for number in range(3)]
    kept = [[SimpleNamespace(job=job("a"), student=made.student(), embeddings=made.embeddings(3.0))] for made in worlds]

    def tested(others: list) -> list[FoldTrainings]:
        folds = zip(map(context, worlds), kept, others, strict=True)
        return [
            FoldTrainings(about, done, about.teacher_embeddings, {"mlp": about.projections["mlp"]}, other)
            for about, done, other in folds
        ]

    better = [lambda _, made=made: made.embeddings(0.5) for made in worlds]
    resampling = {"bootstrap": 5, "level": 0.9}
    (plain,), (other,) = (measure_over_folds(tested(each), resampling) for each in ([None] * 3, better))
    assert other.metrics["eer"].value < plain.metrics["eer"].value
    with pytest.raises(KeyError):  # what another fold says is of other samples
        measure_over_folds(tested(better[::-1]), resampling)


def test_the_trainings_of_an_arm_are_told_as_one():
    seconds, active = (3.0, 4.0, 5.5), (0.2, 0.4, 0.9)
    folds = [
        [
            Outcome(
                job("a"),
                Path(f"{number}"),
                {"train_seconds": each, "x_active": share, **({"odd": 1.0} if number else {})},
            )
        ]
        for number, (each, share) in enumerate(zip(seconds, active, strict=True))
    ]
    (found,) = over_folds(folds)
    assert found.metrics == {"train_seconds": 12.5, "x_active": pytest.approx(0.5)}
    assert found.folder == Path("0")
    (alone,) = over_folds(folds[:1])
    assert alone == folds[0][0]


def test_folds_that_are_asked_for_must_be_there():
    one = SimpleNamespace(configuration=SimpleNamespace(evaluation=SimpleNamespace(folds=1)))
    with pytest.raises(ConfigError, match=r"evaluation.folds: expected 3 or more, found 1: .*over_folds"):
        other_folds(one, None, None, None, None, None, None)
    asked = ComparisonConfig(arms=["none"], over_folds=False)
    for study, block in (("comparison", ComparisonConfig), ("tuning", TuningConfig)):
        node = gathering.prepare_folds(study, block)
        assert node.func(one, asked, *[None] * 6) == [one]
        assert get_type_hints(node.func)["study"] is block, "Kedro checks the block by it"
    assert prepare_worlds(one, SimpleNamespace(over_folds=False), None, None, None) == [one]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_it_finds_what_distill_finds_over_the_same_folds_and_trains_nothing_twice(
    evaluated_in_folds, run_kedro, monkeypatch
):
    import cross_modal_kd.training.student as arm

    root = shutil.copytree(evaluated_in_folds, run_kedro.data_root)
    reporting, store = root / "08_reporting/test", root / "07_model_output/test/comparison"
    pooled = json.loads((reporting / "metrics.json").read_text())
    run_kedro("comparison", params={"comparison": {"arms": ["none", "soft_both_quality"]}})
    single, first = pd.read_csv(reporting / "comparison.csv"), {path.name for path in store.glob("*-seed*")}
    assert "folds" not in single and "folds" not in (reporting / "comparison.html").read_text().split("</header>")[0]

    trained, original = [], arm.train_arm
    monkeypatch.setattr(
        arm, "train_arm", lambda *args, **named: trained.append(named["name"]) or original(*args, **named)
    )
    run_kedro("comparison", params=FOLDS)
    table = pd.read_csv(reporting / "comparison.csv", float_precision="round_trip")
    assert trained == ["none", "soft_both_quality"] * 2, "the first fold is the split, trained already"
    assert first < {path.name for path in store.glob("*-seed*")}
    for role, row in zip(("student_alone", "distilled"), table.to_dict("records"), strict=True):
        told = pooled[role]["eer"]
        assert row["error_mean"] == pytest.approx(told["value"], abs=1e-12)
        assert [row["error_low"], row["error_high"]] == pytest.approx([told["low"], told["high"]], abs=1e-12)
    assert table["folds"].tolist() == [3, 3] and not table["error_mean"].equals(single["error_mean"])
    page = (reporting / "comparison.html").read_text()
    assert "Over 3 folds: each " in page and "resamples of the tests of all 3 folds" in page

    trained.clear()
    run_kedro("comparison", params=FOLDS)
    assert not trained
    pd.testing.assert_frame_equal(pd.read_csv(reporting / "comparison.csv", float_precision="round_trip"), table)

    import cross_modal_kd.studies.regimes.sweep as sweep

    monkeypatch.setattr(
        sweep, "train_arm", lambda *args, **named: trained.append(named["name"]) or original(*args, **named)
    )
    asked = {**FOLDS, "regimes": REGIMES}
    for again in (False, True):
        run_kedro("regimes", params=asked, tags=["labels"])
        assert trained == ([] if again else ["none", "soft_both_quality"] * 6), "at two shares, in three folds"
        trained.clear()
        rows = pd.read_csv(reporting / "regimes/labels.csv", float_precision="round_trip")
        assert rows["folds"].tolist() == [3] * 4
        every = rows[rows["value"] == 1].reset_index(drop=True)
        for column in ("error_mean", "matching_1_2_unseen", "teacher_student_distance_test"):
            assert every[column].to_numpy() == pytest.approx(table[column].to_numpy(), abs=1e-12)
        few = rows[rows["value"] < 1]
        assert (few["labelled_samples"] < few["training_samples"]).all()
        assert few["error_mean"].tolist() != every["error_mean"].tolist()
    spread = pd.read_csv(reporting / "labels_regime_spread.csv")
    assert set(spread["folds"]) == {3}

    space = {"soft_feature": {"constraints.feature.weight": {"low": 1, "high": 2}}}
    search = {"trials": 2, "arms": ["soft_feature"], "space": space, "over_folds": True, "labelled": {"shares": [0.3]}}
    run_kedro("tuning", params={**FOLDS, "tuning": search})
    rows = pd.read_csv(reporting / "tuning_trials.csv")
    assert rows["fold"].tolist() == [1, 1, 2, 2, 3, 3]
    tuned = yaml.safe_load((reporting / "tuned_arms.yml").read_text())["regimes"]["labels"]["tuned"]
    given = [float(number) for number in (3, 5, 7)]
    tuned["0.3"]["soft_feature"] = [{"constraints.feature.weight": weight} for weight in given]
    asked = {
        **FOLDS,
        "regimes": {**REGIMES, "labels": {"arms": ["none", "soft_feature"], "shares": [0.3], "tuned": tuned}},
    }
    weights = []
    monkeypatch.setattr(
        sweep, "train_arm", lambda *args, **named: weights.append(args[3].constraints) or original(*args, **named)
    )
    run_kedro("regimes", params=asked, tags=["labels"])
    assert [terms["feature"].weight for terms in weights if terms] == given, "each fold by its own"


def test_one_fold_is_refused_with_the_parameters():
    from cross_modal_kd.config import EvaluationConfig
    from cross_modal_kd.studies.config import ComparisonConfig

    compared = ComparisonConfig(arms=["none"], over_folds=True)
    assert [said[:42] for said in compared.misfits({"evaluation": EvaluationConfig()})] == [
        "comparison.over_folds is true and evaluati"
    ]
    assert not list(compared.misfits({"evaluation": EvaluationConfig(folds=3)}))
    assert not list(ComparisonConfig(arms=["none"]).misfits({"evaluation": EvaluationConfig()}))
    regimes = {study: {"arms": ["none"]} for study in ("teacher", "crossfit", "variants")}
    regimes |= {study: {"arms": ["none"], "factors": [1]} for study in ("width", "length", "weight")}
    regimes |= {"labels": {"arms": ["none"], "shares": [1]}, "noise": {"arms": ["none"], "kinds": {}}}
    blocks = {"evaluation": EvaluationConfig(), "arms": ArmsConfig({"none": ArmConfig()})}
    assert [said[:39] for said in RegimesConfig(**regimes, over_folds=True).misfits(blocks)] == [
        "regimes.over_folds is true and evaluati"
    ]
    assert not list(RegimesConfig(**regimes).misfits(blocks))
