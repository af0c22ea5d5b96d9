"""Scores of all folds are pooled: what is compared lies within a fold, what is counted is all of it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cross_modal_kd.evaluation import Fold, pooled_metrics, side_by_side, student_metrics, teacher_metrics, with_folds
from cross_modal_kd.metrics import eer, unit_rows
from evaluation_world import CLASSIFICATION, VERIFICATION, World, world


def of_fold(number: int, kind=VERIFICATION, **options) -> World:
    """A world of its own: other labels (groups in a closed set), other samples, and a space turned at random."""
    made = world(kind, **options)
    turn = np.linalg.qr(np.random.default_rng(number).normal(size=(16, 16)))[0]
    columns = ["sample_id", "group"] + ([] if kind is CLASSIFICATION else ["label"])
    named = made.samples.assign(**{name: f"f{number}-" + made.samples[name] for name in columns})
    latent = {f"f{number}-{sample}": value @ turn for sample, value in made.latent.items()}
    classes = made.classes if kind is CLASSIFICATION else [f"f{number}-{name}" for name in made.classes]
    return replace(made, samples=named, latent=latent, classes=classes)


def folds_of(worlds: list[World], noise: float = 0.8) -> list[Fold]:
    embedded = [made.embeddings(noise, seed=number) for number, made in enumerate(worlds)]
    protocols = side_by_side([made.protocol(each) for made, each in zip(worlds, embedded, strict=True)])
    return [Fold(*each) for each in zip(protocols, [made.student() for made in worlds], embedded, strict=True)]


@pytest.mark.parametrize("kind", [VERIFICATION, CLASSIFICATION], ids=["verification", "classification"])
def test_one_fold_is_the_student_alone_on_its_split(kind):
    (fold,) = folds_of([of_fold(0, kind)])
    pooled, single = pooled_metrics([fold]), student_metrics(fold.protocol, fold.student, fold.embeddings)
    assert pooled.metrics.keys() == single.metrics.keys() and pooled.chance == single.chance
    for name, metric in pooled.metrics.items():
        assert metric.value == single.metrics[name].value
        np.testing.assert_array_equal(metric.resampled, single.metrics[name].resampled)


def test_the_eer_is_over_the_scores_of_all_folds():
    folds = folds_of([of_fold(number) for number in range(3)])
    scores, targets = [], []
    for fold in folds:
        unit = pd.DataFrame(unit_rows(fold.embeddings.values), index=fold.embeddings.sample_ids)
        trials = fold.protocol.trials
        scores.append((unit.loc[trials["enrol_id"]].to_numpy() * unit.loc[trials["test_id"]].to_numpy()).sum(1))
        targets.append(trials["target"].to_numpy())
    expected = eer(np.concatenate(scores), np.concatenate(targets))
    assert pooled_metrics(folds).metrics["eer"].value == pytest.approx(expected, abs=1e-6)


def test_shares_are_means_over_the_samples_of_all_folds():
    """Matching and identification are within a fold: its gallery and its space, the answers counted together."""
    worlds = [of_fold(0), of_fold(1, labels=6)]
    folds = folds_of(worlds)
    pooled = pooled_metrics(folds)
    single = [student_metrics(fold.protocol, fold.student, fold.embeddings) for fold in folds]
    sizes = np.array([len(fold.protocol.test.rows) for fold in folds])
    for name in ("matching_1_2", "matching_1_5", "retrieval_map", "open_vocabulary", "open_vocabulary_5", "distance"):
        expected = np.average([found.metrics[name].value for found in single], weights=sizes)
        assert pooled.metrics[name].value == pytest.approx(expected)
    assert pooled.chance["retrieval_map"] == pytest.approx(
        np.average([found.chance["retrieval_map"] for found in single], weights=sizes)
    )
    assert [pooled.chance[name] for name in ("matching_1_5", "open_vocabulary_5")] == pytest.approx([0.2, 0.2])
    probes = sizes - np.array([12, 6])  # one sample of each label enrols
    assert pooled.metrics["identification_rank1"].value == pytest.approx(
        np.average([found.metrics["identification_rank1"].value for found in single], weights=probes)
    )


def test_answers_of_all_folds_are_counted_together():
    folds = folds_of([of_fold(number, CLASSIFICATION) for number in range(2)], noise=2.0)
    pooled = pooled_metrics(folds)
    single = [student_metrics(fold.protocol, fold.student, fold.embeddings) for fold in folds]
    assert pooled.metrics["top1"].value == pytest.approx(np.mean([found.metrics["top1"].value for found in single]))
    assert pooled.metrics["macro_f1"].value != pytest.approx(np.mean([f.metrics["macro_f1"].value for f in single]))


def test_an_interval_rests_on_the_clusters_of_all_folds():
    """Four labels a fold bear no interval; twelve do."""
    worlds = [of_fold(number, labels=4) for number in range(3)]
    folds = folds_of(worlds)
    alone = student_metrics(worlds[0].protocol(folds[0].embeddings), folds[0].student, folds[0].embeddings)
    usable = np.isfinite(alone.metrics["eer"].resampled)
    assert alone.metrics["eer"].evidence.lack(usable).startswith("4 test clusters")
    pooled = pooled_metrics(folds).metrics
    assert {
        pooled[name].evidence.clusters
        for name in ("eer", "distance", "matching_1_2", "open_vocabulary_2", "few_shot_1_2")
    } == {12}
    assert not pooled["eer"].evidence.lack(np.isfinite(pooled["eer"].resampled))
    assert folds[0].protocol.test.weights is folds[2].protocol.test.weights


def test_a_training_cluster_of_several_folds_is_one_cluster():
    made = [of_fold(0), of_fold(1)]
    shared = made[0].samples["split"] == "train"
    other = pd.concat([made[0].samples[shared], made[1].samples[made[1].samples["split"] != "train"]])
    both = replace(made[1], samples=other, latent=made[0].latent | made[1].latent, classes=made[0].classes)
    folds = folds_of([made[0], both])
    assert folds[0].protocol.train.names == folds[1].protocol.train.names
    assert pooled_metrics(folds).metrics["eer_train"].evidence.clusters == 12


def test_what_is_undefined_in_every_fold_says_why():
    folds = folds_of([of_fold(number, labels=4) for number in range(2)])
    undefined = pooled_metrics(folds).undefined
    assert undefined["matching_1_5"] == "the gallery has only 4 items"
    assert undefined["open_vocabulary_5"] == "there are only 4 unseen classes to choose from"


def test_a_fold_without_a_teacher_sample_leaves_the_teacher_undefined():
    worlds = [of_fold(0), of_fold(1)]
    teachers = [made.protocol(made.embeddings(0.5)).teacher for made in worlds]
    assert teacher_metrics(teachers, VERIFICATION, worlds[0].evaluation).metrics["eer"].evidence.clusters == 24
    nothing = replace(teachers[1], rows=teachers[1].rows.iloc[:0])
    found = teacher_metrics([teachers[0], nothing], VERIFICATION, worlds[0].evaluation)
    assert found.undefined == {"eer": "the test split has no text sample"}


def test_what_further_folds_test_tells_protocols_apart():
    """Runs whose folds were dealt by another seed have other test sets: `compare` is not to pair them."""
    made = of_fold(0)
    embedded = made.embeddings(0.5)

    def fingerprint(*tables):
        return with_folds(made.protocol(embedded), tables).fingerprint

    turned = made.samples.assign(split=made.samples["split"].map({"train": "test", "test": "train", "dev": "dev"}))
    assert fingerprint() == made.protocol(embedded).fingerprint
    assert len({fingerprint(), fingerprint(made.samples), fingerprint(turned)}) == 3
