"""The metrics: their structure, what perfect and ignorant students get, and what cannot be measured."""

import json
import math

import numpy as np
import pytest

from cross_modal_kd.evaluation.compare import compare_metrics
from cross_modal_kd.evaluation.legend import legend_of, shown, shown_change
from cross_modal_kd.evaluation.matching import teacher_gallery
from cross_modal_kd.evaluation.subset import PER_CLUSTER, subset_of, train_subset
from cross_modal_kd.metrics import Metric, MetricSet, cosine_scores
from cross_modal_kd.models import weights_of
from cross_modal_kd.samples.selection import split_rows
from cross_modal_kd.tasks.verification.scores import trial_rows
from evaluation_world import CHIMERIC, CLASSIFICATION, DIM, VERIFICATION, keep, world

MATCHING = {"matching_1_2", "matching_1_5", "matching_auc", "retrieval_map"}
UNSEEN = {f"{name}{n}" for name in ("open_vocabulary", "few_shot_1", "few_shot_2") for n in ("", "_2", "_5")}
CORE = {
    "verification": {"eer", "min_dcf_01", "min_dcf_05", "eer_same_domain", "identification_rank1"},
    "classification": {"top1", "top5", "macro_f1", "calibration_error"},
}
GAPS = {"verification": {"eer_train", "eer_gap"}, "classification": {"top1_train", "top1_gap"}}


@pytest.fixture(scope="module", params=[VERIFICATION, CLASSIFICATION], ids=["verification", "classification"])
def measured(request):
    """(kind, metrics) of a weak student against a good one."""
    made = world(request.param)
    return request.param.kind, made.metrics(made.embeddings(2.0), made.embeddings(0.8, seed=1))


@pytest.fixture(scope="module")
def extremes():
    """metrics of a student that sees nothing against one that sees everything."""
    made = world(labels=30)
    return made.metrics(made.embeddings(np.inf), made.embeddings(0.0))


def test_every_metric_has_value_low_and_high(measured):
    kind, metrics = measured
    seen = {f"{name}_seen" for name in MATCHING | {"distance"}}
    expected = CORE[kind] | MATCHING | seen | GAPS[kind] | {"distance", "distance_gap"}
    expected |= UNSEEN if kind == "verification" else set()
    assert metrics["undefined"] == {}
    for part in ("student_alone", "distilled", "difference"):
        assert set(metrics[part]) == expected
        for name, metric in metrics[part].items():
            assert math.isfinite(metric["value"])
            if "reason" in metric:  # a match that every sample of a seen class finds in every resample
                assert name.endswith("_seen") and metric["low"] is metric["high"] is None
                continue
            assert set(metric) == {"value", "low", "high"}
            assert all(math.isfinite(number) for number in metric.values())
            assert metric["low"] < metric["high"]
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics


def test_the_difference_is_distilled_less_alone(measured):
    _, metrics = measured
    for name, metric in metrics["difference"].items():
        between = metrics["distilled"][name]["value"] - metrics["student_alone"][name]["value"]
        assert metric["value"] == pytest.approx(between, abs=1e-12)


def test_relative_reduction_is_of_the_errors(measured):
    kind, metrics = measured
    assert set(metrics["relative_reduction"]) == CORE[kind] - {"calibration_error"}
    for name, metric in metrics["relative_reduction"].items():
        before, after = (metrics[arm][name]["value"] for arm in ("student_alone", "distilled"))
        if legend_of(name).better == "higher":
            before, after = 1 - before, 1 - after
        assert metric["value"] == pytest.approx((before - after) / before)


def test_the_less_noisy_student_is_better(measured):
    kind, metrics = measured
    name = "eer" if kind == "verification" else "top1"
    difference = metrics["difference"][name]
    assert difference["high"] < 0 if kind == "verification" else difference["low"] > 0
    assert metrics["difference"]["distance"]["high"] < 0


def test_a_perfect_student(extremes):
    found = {name: metric["value"] for name, metric in extremes["distilled"].items()}
    assert found["eer"] == found["eer_same_domain"] == found["min_dcf_01"] == 0
    assert found["identification_rank1"] == found["matching_1_5"] == found["retrieval_map"] == 1
    assert found["matching_auc_seen"] == 1
    assert found["distance"] == pytest.approx(0, abs=1e-6)


def test_an_ignorant_student_is_at_chance(extremes):
    found, chance = extremes["student_alone"], extremes["chance"]
    assert chance["matching_1_2"] == chance["matching_auc"] == chance["eer"] == 0.5
    assert chance["matching_1_5"] == 0.2
    assert chance["identification_rank1"] == pytest.approx(1 / 30)
    for name in ("eer", "eer_same_domain", "matching_1_2", "matching_1_5", "matching_auc", "retrieval_map"):
        assert found[name]["value"] == pytest.approx(chance[name], abs=0.08)


def test_classes_that_training_has_not_seen_are_named_by_their_words(extremes):
    assert extremes["distilled"]["open_vocabulary"]["value"] == 1
    assert extremes["chance"]["open_vocabulary"] == pytest.approx(1 / 30)
    assert extremes["student_alone"]["open_vocabulary"]["value"] == pytest.approx(1 / 30, abs=0.05)


def test_chance_of_classification():
    made = world(CLASSIFICATION, labels=8)
    metrics = made.metrics(made.embeddings(np.inf), made.embeddings(0.0))
    assert metrics["chance"]["top1"] == 1 / 8
    assert metrics["chance"]["top5"] == 5 / 8
    assert metrics["student_alone"]["top1"]["value"] == pytest.approx(1 / 8, abs=0.15)
    assert metrics["distilled"]["top1"]["value"] == 1
    assert metrics["teacher"]["top1"]["value"] > 0.8


def test_matching_on_unseen_identities_of_chimeric_pairs_is_at_chance():
    made = world(CHIMERIC, labels=40)
    rng = np.random.default_rng(5)
    texts = made.samples["modality"] == "text"
    faces = {label: rng.normal(size=16) for label in made.samples["label"].unique()}
    for sample, label in zip(made.samples.loc[texts, "sample_id"], made.samples.loc[texts, "label"], strict=True):
        made.latent[sample] = faces[label]
    perfect = made.embeddings(0.0)
    metrics = made.metrics(made.embeddings(np.inf), perfect)
    assert metrics["distilled"]["matching_1_2"]["value"] == pytest.approx(0.5, abs=0.1)
    assert metrics["task"]["chimeric"] is True
    assert not UNSEEN & {*metrics["distilled"], *metrics["undefined"]}


def test_the_same_student_twice_differs_by_nothing():
    made = world()
    same = made.embeddings(1.0)
    for metric in made.metrics(same, same)["difference"].values():
        assert metric["value"] == 0 and metric["low"] is metric["high"] is None
        assert metric["reason"] == "all resamples give the same value, so that nothing is known of how it varies"


def test_the_eer_is_that_of_cosines_taken_one_by_one(measured):
    made = world()
    table, trials = made.embeddings(2.0), made.trials()
    rows = split_rows(made.samples, "image", "test").reset_index(drop=True)
    vectors = dict(zip(table.sample_ids, table.values.astype(float), strict=True))
    expected = [
        vectors[a] @ vectors[b] / np.linalg.norm(vectors[a]) / np.linalg.norm(vectors[b])
        for a, b in zip(trials["enrol_id"], trials["test_id"], strict=True)
    ]
    unit = table.at(rows["sample_id"])
    unit = unit / np.linalg.norm(unit, axis=1, keepdims=True)
    np.testing.assert_allclose(cosine_scores(unit, *trial_rows(rows, trials)), expected, atol=1e-6)


def test_trials_of_other_samples_are_refused():
    made = world()
    with pytest.raises(
        ValueError, match=r"trials: \d+ name samples that are not in the test split.*make the trials again"
    ):
        trial_rows(made.samples[:3], made.trials())


def test_what_cannot_be_measured_is_left_out_with_a_reason():
    made = world(labels=4, gallery=[2, 50])
    one_view = made.samples["sample_id"].str.endswith("/0") | (made.samples["modality"] == "text")
    metrics = keep(made, one_view).metrics(made.embeddings(1.0), made.embeddings(0.5))
    assert metrics["undefined"]["eer"] == "there are 0 target and 6 impostor trials; both are needed"
    assert "second sample" in metrics["undefined"]["identification_rank1"]
    assert metrics["undefined"]["matching_1_50"] == "the gallery has only 4 items"
    assert "eer" not in metrics["distilled"]
    assert "matching_1_2" in metrics["distilled"]


def test_samples_without_a_teacher_have_no_matching():
    made = world(VERIFICATION)
    rows = (made.samples["modality"] == "image") | (made.samples["split"] != "test")
    metrics = keep(made, rows).metrics(made.embeddings(1.0), made.embeddings(0.5))
    assert metrics["undefined"]["matching_1_2"] == "no sample has a text of its group in its split"
    assert metrics["undefined"]["teacher.eer"] == "the test split has no text sample"
    assert {"eer", "matching_1_2_seen"} <= set(metrics["distilled"])


def test_few_classes_have_no_top_five():
    made = world(CLASSIFICATION, labels=4)
    metrics = made.metrics(made.embeddings(1.0), made.embeddings(0.5))
    assert metrics["undefined"]["top5"] == "there are only 4 classes"


def test_an_error_of_zero_cannot_be_reduced():
    perfect, worse = Metric(0.0, np.zeros(9)), Metric(0.1, np.full(9, 0.1))
    compared = compare_metrics(MetricSet({"eer": perfect}), MetricSet({"eer": worse}), 0.95)
    assert compared["undefined"] == {"relative_reduction.eer": "the student alone makes no error that could be reduced"}
    assert compared["difference"]["eer"]["value"] == pytest.approx(0.1)


def test_the_protocol_says_what_was_measured(measured):
    kind, metrics = measured
    protocol = metrics["protocol"]
    assert protocol["test_samples"] == 48
    assert protocol["bootstrap"] == {
        "cluster": "label" if kind == "verification" else "group", "clusters": 12,
        "resamples": 60, "level": 0.95, "seed": 0,
    }  # fmt: skip
    assert ("trials" in protocol) == ("unseen_classes" in protocol) == (kind == "verification")
    weights = weights_of(world(VERIFICATION if kind == "verification" else CLASSIFICATION).student())
    assert metrics["arms"] == {
        "student_alone": {"arm": "none", "title": "student alone", "weights": weights},
        "distilled": {"arm": "soft", "title": "soft <both>", "weights": weights},
    }


def test_the_protocol_counts_its_trials():
    made = world(VERIFICATION)
    trials = made.metrics(made.embeddings(2.0), made.embeddings(0.8, seed=1))["protocol"]["trials"]
    table = made.trials()
    target, same = table["target"] == 1, table["same_domain"].astype(bool)
    assert trials == {
        "targets": sum(target), "impostors": sum(~target), "impostors_same_domain": sum(~target & same),
        "impostors_drawn_from": made.evaluation.impostors,
    }  # fmt: skip
    assert 0 < trials["impostors_same_domain"] < trials["impostors"]


def test_the_training_subset_is_capped_and_takes_whole_units():
    made = world(labels=12, views=14)
    train = split_rows(made.samples, "image", "train")
    chosen = train_subset(train, made.task, made.evaluation.model_copy(update={"train_subset": 35}))
    assert chosen["label"].value_counts().tolist() == [PER_CLUSTER] * 3
    none = made.evaluation.model_copy(update={"train_subset": 0})
    assert train_subset(train, made.task, none).empty


def test_without_training_samples_there_are_no_seen_classes_and_gaps():
    made = world()
    table = made.embeddings(1.0)
    test = [sample for sample in table.sample_ids if sample.startswith("test")]
    only_test = type(table)(test, table.at(test), "t")
    metrics = made.metrics(only_test, only_test)
    assert not [name for name in metrics["distilled"] if name.endswith(("_seen", "_gap", "_train"))]


def test_metrics_are_shown_in_their_unit():
    assert shown("eer", 0.0856) == "8.6\N{NO-BREAK SPACE}%"
    assert shown("matching_1_7_seen", 1) == "100.0\N{NO-BREAK SPACE}%"
    assert shown_change("min_dcf_01", -0.0123) == "\N{MINUS SIGN}0.012"
    assert shown_change("eer", -0.0001) == "0.0"
    assert shown("open_vocabulary_7", 0.043) == "4.3\N{NO-BREAK SPACE}%"
    with pytest.raises(KeyError, match="no metric is called 'err'; there are: eer"):
        legend_of("err")


def test_the_embeddings_of_a_saved_student(tmp_path):
    from cross_modal_kd.config.encoder import EncoderConfig, InputConfig
    from cross_modal_kd.evaluation.embed import embed_samples
    from cross_modal_kd.losses import LinearClassifier
    from cross_modal_kd.models.bundle import ModelBundle
    from cross_modal_kd.models.student import Student, student_bundle
    from evaluation_world import pictures

    made = world(labels=3, views=2, train_subset=4)
    encoder, inputs = EncoderConfig(library="timm", name="test_resnet"), InputConfig(image={"size": 16})
    network = Student(encoder, inputs, 8)
    bundle = student_bundle(
        network, LinearClassifier(3, 8), encoder=encoder, inputs=inputs, dim=8, classes=made.classes
    )
    sources = pictures(made.samples, tmp_path)
    table = embed_samples(made.samples, made.task, sources, bundle, made.evaluation)
    images = made.samples[made.samples["modality"] == "image"]
    assert {*images.loc[images["split"] != "train", "sample_id"]} < {*table.sample_ids}
    assert len(table) == 4 + 6 + 6
    again = embed_samples(made.samples, made.task, sources, bundle, made.evaluation)
    assert again.fingerprint == table.fingerprint
    np.testing.assert_array_equal(again.values, table.values)
    tensors = {name: tensor + (name == "head.bias") for name, tensor in bundle.tensors.items()}
    other = ModelBundle(bundle.kind, bundle.config, tensors)
    assert embed_samples(made.samples, made.task, sources, other, made.evaluation).fingerprint != table.fingerprint


def test_the_reductions_interval_is_that_of_the_two_errors_in_each_resample():
    rng = np.random.default_rng(0)
    before, after = rng.uniform(0.2, 0.4, 200), rng.uniform(0.1, 0.2, 200)
    for name, of in (("eer", lambda error: error), ("top1", lambda error: 1 - error)):
        alone, distilled = (MetricSet({name: Metric(of(0.3 * scale), of(each))}) for scale, each in
                            ((1, before), (0.5, after)))  # fmt: skip
        found = compare_metrics(alone, distilled, 0.9)["relative_reduction"][name]
        low, high = np.quantile((before - after) / before, [0.05, 0.95])
        assert found == pytest.approx({"value": 0.5, "low": low, "high": high})


def test_a_gallery_and_the_clusters_stand_in_the_order_of_their_names_whatever_the_tables():
    made = world()
    mixed = made.samples.sample(frac=1.0, random_state=3)
    first, again = (
        teacher_gallery(rows, made.task, "test", made.teacher, made.projection) for rows in (made.samples, mixed)
    )
    assert first.keys.tolist() == sorted(first.keys) == again.keys.tolist()
    np.testing.assert_allclose(first.items, again.items, atol=1e-6)
    rows = split_rows(mixed, "image", "test")[::-1]
    names = subset_of(rows, made.task, made.evaluation, "test").names
    assert names == sorted(names)


def test_a_gallery_of_a_split_without_teacher_is_empty_and_has_the_projections_dimension():
    made = world()
    rows = made.samples[made.samples["modality"] == "image"]
    gallery = teacher_gallery(rows, made.task, "test", made.teacher, made.projection)
    assert gallery.items.shape == gallery.means.shape == (0, DIM)
    assert gallery.keys.tolist() == []
