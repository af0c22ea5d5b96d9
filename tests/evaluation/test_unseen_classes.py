"""Classes that training has not seen, named by their words or shown by a few samples; over classes, not samples."""

from dataclasses import replace
from itertools import combinations
from math import comb

import numpy as np
import pytest

from cross_modal_kd.evaluation import Fold, pooled_metrics, side_by_side, student_metrics
from cross_modal_kd.metrics import unit_rows
from evaluation_world import World, keep, world


def measured(made: World, noise: float = 2.0):
    embedded = made.embeddings(noise)
    protocol = made.protocol(embedded)
    return protocol, embedded, student_metrics(protocol, made.student(), embedded)


def scores(protocol, embedded) -> tuple[np.ndarray, np.ndarray]:
    """Cosines of each test sample with each class, and the column of its own."""
    rows, named = protocol.test.rows, protocol.named
    return unit_rows(embedded.at(rows["sample_id"])) @ named.items.T, named.keys.get_indexer(rows["label"])


@pytest.mark.parametrize("n", [2, 5])
def test_among_n_is_the_mean_over_every_draw_of_the_others(n):
    protocol, embedded, found = measured(world(labels=8))
    hits = []
    for row, own in zip(*scores(protocol, embedded), strict=True):
        others = np.delete(row, own)
        hits.append(np.mean([row[own] > max(drawn) for drawn in combinations(others, n - 1)]))
    assert found.metrics[f"open_vocabulary_{n}"].value == pytest.approx(np.mean(hits))
    assert found.chance[f"open_vocabulary_{n}"] == 1 / n


def test_it_goes_by_the_place_of_the_own_class_alone():
    protocol, embedded, found = measured(world(labels=30, vocabulary=[10, 30]))
    similarity, own = scores(protocol, embedded)
    better = (similarity > similarity[np.arange(len(own)), own][:, None]).sum(axis=1)
    expected = np.mean([comb(29 - b, 9) / comb(29, 9) for b in better])
    assert found.metrics["open_vocabulary_10"].value == pytest.approx(expected)
    everything = found.metrics["open_vocabulary"]
    assert everything.value == pytest.approx(np.mean(better == 0))
    assert everything.value < expected
    assert found.metrics["open_vocabulary_30"].value == everything.value, "30 of 30 are all"


def test_a_student_that_sees_nothing_is_at_chance_and_one_that_sees_everything_is_right():
    made = world(labels=30, vocabulary=[2, 10])
    for noise, expected in ((0.0, None), (np.inf, {"_2": 0.5, "_10": 0.1, "": 1 / 30})):
        _, _, found = measured(made, noise)
        for end in ("_2", "_10", ""):
            value = found.metrics[f"open_vocabulary{end}"].value
            assert value == pytest.approx(
                1 if expected is None else expected[end], abs=1e-9 if expected is None else 0.08
            )


def test_a_choice_of_more_classes_than_there_are_is_left_out_and_said():
    _, _, found = measured(world(labels=6, vocabulary=[2, 6, 7, 50]))
    assert {name for name in found.metrics if name.startswith("open")} == {
        "open_vocabulary", "open_vocabulary_2", "open_vocabulary_6",
    }  # fmt: skip
    for n in (7, 50):
        assert found.undefined[f"open_vocabulary_{n}"] == "there are only 6 unseen classes to choose from"


def test_intervals_resample_classes():
    """All samples of a class stand or fall together: in each resample the mean over the classes drawn."""
    protocol, embedded, found = measured(world(labels=12, vocabulary=[2]))
    metric = found.metrics["open_vocabulary_2"]
    similarity, own = scores(protocol, embedded)
    of_sample = np.array([(row[mine] > np.delete(row, mine)).mean() for row, mine in zip(similarity, own, strict=True)])
    of_class = np.array([of_sample[own == number].mean() for number in range(12)])
    weights = protocol.test.weights
    np.testing.assert_allclose(metric.resampled, weights @ of_class / weights.sum(axis=1))
    assert metric.evidence.clusters == 12


def test_few_shot_is_in_all_of_the_students_space_and_words_in_the_bound_part_alone():
    made = world(labels=9, shots=[1], vocabulary=[2])
    protocol, embedded, found = measured(made, 1.0)
    free = 5 * np.random.default_rng(0).normal(size=embedded.values.shape)

    def with_free(values: np.ndarray) -> dict:
        longer = replace(embedded, values=np.hstack([embedded.values, values]))
        return student_metrics(protocol, made.student(), longer).metrics

    for name in ("few_shot_1", "open_vocabulary"):
        assert with_free(0 * free)[name].value == found.metrics[name].value
    assert with_free(free)["few_shot_1"].value < found.metrics["few_shot_1"].value - 0.1
    assert with_free(free)["open_vocabulary"].value == found.metrics["open_vocabulary"].value
    assert found.chance["few_shot_1"] == pytest.approx(1 / 9) and found.chance["few_shot_1_2"] == 0.5
    assert found.metrics["few_shot_1"].evidence.clusters == 9


def test_classes_with_too_few_samples_are_left_out_and_counted():
    made = world(labels=12, shots=[1, 3], vocabulary=[9, 10])
    poor = made.samples["label"].isin(["test00", "test01", "test02"]) & made.samples["sample_id"].str.endswith("/3")
    made = keep(made, ~poor)
    _, _, found = measured(made)
    assert found.chance["few_shot_1"] == pytest.approx(1 / 12) and found.chance["few_shot_3"] == pytest.approx(1 / 9)
    assert "few_shot_3_9" in found.metrics and found.metrics["few_shot_3"].evidence.clusters == 9
    said = "there are only 9 unseen classes to choose from; 3 more have no more than 3 samples"
    assert found.undefined["few_shot_3_10"] == said
    told = made.metrics(made.embeddings(1.0), made.embeddings(0.5))["protocol"]["unseen_classes"]
    assert told == {"named": 12, "without_few_shot": {"1": 0, "3": 3}}


def test_without_a_class_of_enough_samples_few_shot_says_why():
    _, _, found = measured(world(labels=6, views=2, shots=[2]))
    said = "fewer than two unseen classes have more than 2 samples"
    assert {found.undefined[f"few_shot_2{end}"] for end in ("", "_2", "_5")} == {said}


def test_both_students_are_shown_the_same_samples():
    made = world(labels=9)
    one, same = (measured(made, noise)[2].metrics["few_shot_1"] for noise in (1.0, 1.0))
    assert one.value == same.value and 0 < one.value < 1
    other = world(labels=9, seed=1)
    assert measured(other, 1.0)[2].metrics["few_shot_1"].value != one.value, "the seed draws them"


def test_over_folds_all_queries_count_alike():
    first, second = world(labels=8), world(labels=5)
    second = replace(
        second,
        samples=second.samples.assign(
            **{name: "b-" + second.samples[name] for name in ("sample_id", "label", "group")}
        ),
        latent={f"b-{sample}": value for sample, value in second.latent.items()},
        classes=[f"b-{name}" for name in second.classes],
    )
    embedded = [made.embeddings(1.0) for made in (first, second)]
    protocols = side_by_side([made.protocol(each) for made, each in zip((first, second), embedded, strict=True)])
    students = [made.student() for made in (first, second)]
    pooled = pooled_metrics([Fold(*each) for each in zip(protocols, students, embedded, strict=True)])
    single = [
        student_metrics(made.protocol(each), made.student(), each)
        for made, each in zip((first, second), embedded, strict=True)
    ]
    for name in ("few_shot_1", "few_shot_1_5", "few_shot_2", "few_shot_2_2"):
        expected = np.average([found.metrics[name].value for found in single], weights=[8, 5])
        assert pooled.metrics[name].value == pytest.approx(expected)
        assert pooled.metrics[name].evidence.clusters == 13
    assert pooled.chance["few_shot_1"] == pytest.approx((8 / 8 + 5 / 5) / 13)
