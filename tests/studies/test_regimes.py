"""The studies of few labels, weak teachers, damaged inputs and width, end to end and piece by piece."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from cross_modal_kd.config.objective import ArmConfig
from cross_modal_kd.config.projection import ProjectionConfig
from cross_modal_kd.config.student import StudentConfig
from cross_modal_kd.config.task import TaskConfig
from cross_modal_kd.config.training import TrainingConfig
from cross_modal_kd.losses import ConstraintInputs, LinearClassifier, Objective, Term, build_constraint
from cross_modal_kd.losses.aam import AAMSoftmaxClassifier
from cross_modal_kd.modalities import modality_of
from cross_modal_kd.models.projection import Projection, build_projection, projection_bundle
from cross_modal_kd.plotting import ALONE, DISTILLED, IMPOSTOR, legend_below, new_figure
from cross_modal_kd.samples.embeddings import EmbeddingTable
from cross_modal_kd.studies.damage import random_damage
from cross_modal_kd.studies.regimes.claim_plot import claim_plot
from cross_modal_kd.studies.regimes.condition import Condition
from cross_modal_kd.studies.regimes.config import STUDIES as STUDY_NAMES
from cross_modal_kd.studies.regimes.config import Capacity, RegimesConfig, WeightStudy
from cross_modal_kd.studies.regimes.crossfit import aligned, folds_of, taken_as_it_is
from cross_modal_kd.studies.regimes.plots import Look, study_plot
from cross_modal_kd.studies.regimes.studies import STUDIES
from cross_modal_kd.studies.regimes.teachers import noisy, shortened
from cross_modal_kd.studies.regimes.weight import able, weighed
from cross_modal_kd.studies.regimes.weight import conditions as weight_conditions
from cross_modal_kd.studies.regimes.width import widened
from cross_modal_kd.training import labelled_clusters, labelled_part, same_steps

VERIFICATION = TaskConfig(name="v", title="v", kind="verification", student="image", teacher="text")
CLASSIFICATION = TaskConfig(name="c", title="c", kind="classification", student="image", teacher="text")
IMAGE = modality_of("image")
CLASSES = [f"c{number}" for number in range(10)]


@pytest.mark.slow
def test_every_study_runs_and_is_not_trained_twice(run_kedro_after):
    run_kedro_after("regimes")
    root = run_kedro_after.data_root
    table = pd.read_csv(root / "08_reporting/test/regimes.csv")
    assert set(table["study"]) == {"labels", "teacher", "noise", "width", "length", "weight", "crossfit", "variants"}
    assert table["error_mean"].between(0, 1).all()
    assert table["open_vocabulary"].between(0, 1).all() and (table["open_vocabulary_chance"] < 1).all()
    bound = table[table["arm"] != "none"]
    ends = [f"difference_to_baseline{end}" for end in ("", "_low", "_high")]
    assert bound[[*ends, "relative_reduction_to_baseline"]].notna().all().all()
    weighed = table[table["arm"] == "soft_both_quality"]
    assert (weighed["other_arm"] == "soft_both").all()
    assert weighed["difference_to_other"].notna().all()
    for study in ("labels", "teacher", "noise", "width", "length", "weight", "crossfit", "variants"):
        assert (root / f"08_reporting/test/{study}_regime.png").stat().st_size > 5000

    few = table[(table["study"] == "labels") & (table["value"] < 1)]
    assert (few["labelled_samples"] < few["training_samples"]).all()
    teacher = table[table["study"] == "teacher"].set_index(["condition", "arm"])
    alone = teacher.xs("none", level="arm")["error_mean"]
    assert alone.nunique() == 1, "the student alone knows no teacher"
    errors = teacher.xs("none", level="arm")["teacher_error_test"]
    assert errors["noise 2"] > errors["unchanged teacher"]
    assert set(table.loc[table["study"] == "noise", "condition"]) == {"clean test", "damaged test"}

    folds = table[table["study"] == "crossfit"].groupby("condition")["teacher_error_train"].first()
    assert folds["out-of-fold"] > folds["in-sample"]

    trainings = sorted((root / "06_models/test/regimes").glob("*-seed*"))
    # unchanged, 30 % labelled, a noisy teacher, damaged inputs, twice as long, heavier at 30 %, folds, variants
    assert len(trainings) == 2 + 2 + 1 + 3 + 2 + 1 + 2 + 2
    before = [folder.stat().st_mtime_ns for folder in trainings]
    run_kedro_after("regimes", tags=["width"])
    assert [folder.stat().st_mtime_ns for folder in trainings] == before


def blocks(**changes) -> dict:
    arms = {"arms": ["none"]}
    least = {
        "labels": arms | {"shares": [1]},
        "teacher": arms,
        "noise": arms | {"kinds": {}, "share": 0.25},
        "width": arms | {"factors": [1]},
        "length": arms | {"factors": [1]},
        "weight": arms | {"factors": [1]},
        "crossfit": arms,
        "variants": arms,
    }
    return least | changes


def test_the_table_of_studies_names_every_block_once_in_the_order_of_running():
    named = [name for name, field in RegimesConfig.model_fields.items() if name in STUDY_NAMES]
    assert list(STUDIES) == list(STUDY_NAMES) and sorted(named) == sorted(STUDY_NAMES)
    assert all(study.name == name for name, study in STUDIES.items())


def test_a_study_is_drawn_as_its_table_and_its_task_ask():
    regimes = RegimesConfig(**blocks())
    known = pd.DataFrame({"teacher_error_test": [0.1, 0.3], "value": [0.5, 1.0]})
    instance, label = (
        SimpleNamespace(task=VERIFICATION),
        SimpleNamespace(task=VERIFICATION.model_copy(update={"pairing": "label"})),
    )
    look = STUDIES["teacher"].look(instance, regimes, known)
    assert look.x == "teacher_error_test" and look.as_weak == "none" and look.note == ""
    assert look.places(known, []).tolist() == pytest.approx([10, 30])
    unknown = STUDIES["teacher"].look(instance, regimes, known.assign(teacher_error_test=[0.1, np.nan]))
    assert unknown.x is None and unknown.axis == "teacher"
    assert STUDIES["noise"].look(instance, regimes, known).heading == "25% of the training inputs damaged"
    assert "a pair tells the class" in STUDIES["labels"].look(label, regimes, known).note
    assert STUDIES["labels"].look(instance, regimes, known).note == ""


@pytest.fixture
def verification() -> pd.DataFrame:
    return table(CLASSES, lambda split, label: f"{split}-{label}")


@pytest.fixture
def classification() -> pd.DataFrame:
    return table(CLASSES, lambda split, label: label)


def table(labels: list[str], named) -> pd.DataFrame:
    """Ten labels, five groups each with two images and a text, in three splits."""
    rows = [
        {"label": named(split, label), "group": f"{split}-{label}-{group}", "split": split, "modality": modality}
        | {"sample_id": f"{split}-{label}-{group}-{view}", "text": "a b c d" if modality == "text" else None}
        for split in ("train", "dev", "test")
        for label in labels
        for group in range(5)
        for view, modality in enumerate(("image", "image", "text"))
    ]
    return pd.DataFrame(rows)


def test_a_smaller_share_of_labels_is_part_of_a_larger_one(verification, classification):
    for samples, task in ((verification, VERIFICATION), (classification, CLASSIFICATION)):
        shares = [labelled_clusters(samples, task, share, 0) for share in (0.1, 0.2, 0.5, 1.0)]
        assert all(small <= large for small, large in zip(shares, shares[1:], strict=False))
        assert labelled_clusters(samples, task, 0.2, 1) != shares[1]


def test_whole_identities_or_whole_groups_of_every_class_keep_their_label(verification, classification):
    kept = labelled_clusters(verification, VERIFICATION, 0.3, 0)
    assert len(kept) == 3 and all(label.startswith("train-") for label in kept)
    kept = labelled_clusters(classification, CLASSIFICATION, 0.01, 0)
    assert sorted(group.split("-")[1] for group in kept) == CLASSES, "one group of each class, at least"
    part = labelled_part(classification, CLASSIFICATION, kept)
    left = part[part["split"] == "train"]
    assert set(left["group"]) == kept
    assert set(left["modality"]) == {"image", "text"}, "the projection sees labelled teacher samples only"
    assert len(part[part["split"] != "train"]) == len(classification[classification["split"] != "train"])


@pytest.mark.parametrize(("labelled", "epochs"), [(1000, 16), (500, 37), (200, 112), (90, 112)])
def test_the_student_alone_takes_as_many_steps(labelled, epochs):
    training = TrainingConfig(epochs=16, batch_size=128, eval_every=4)
    longer = same_steps(training, 1000, labelled)
    batch = max(1, labelled // 128)
    assert longer.epochs == epochs
    assert abs(longer.epochs * batch - 16 * 7) <= batch
    assert abs(longer.epochs / longer.eval_every - 4) < 1
    least = training.model_copy(update={"min_steps": 20 * 7})  # 20 epochs of all samples
    assert abs(same_steps(least, 1000, labelled).epochs * batch - 20 * 7) <= batch
    assert same_steps(least, 1000, labelled).min_steps is None


@pytest.mark.parametrize("classifier", [LinearClassifier(5, 8), AAMSoftmaxClassifier(5, 8)])
def test_a_batch_without_any_label_trains_by_its_pairs_alone(classifier):
    objective = Objective({"feature": Term(build_constraint("cosine"))})
    student = torch.randn(6, 8, requires_grad=True)
    labels = torch.full((6,), -1)
    task = classifier(student, labels)
    batch = ConstraintInputs(student=student, teacher=torch.randn(6, 8), labels=labels, student_logits=task.logits)
    output = objective(batch, task.values)
    output.total.backward()
    assert output.parts["task"] == 0
    assert student.grad.abs().sum() > 0
    assert all(parameter.grad is None or not parameter.grad.any() for parameter in classifier.parameters())


def test_noise_on_the_teacher_is_as_large_as_it_says():
    rng = np.random.default_rng(0)
    values = 5 + 0.1 * rng.normal(size=(500, 64))
    ids = [str(number) for number in range(500)]
    table = EmbeddingTable(ids, values, "f")
    noise = noisy(table, ids, 2.0, 0).values - table.values
    assert np.linalg.norm(noise, axis=1).mean() == pytest.approx(2 * 0.1 * 8, rel=0.05)
    assert noisy(table, ids, 2.0, 0).fingerprint != noisy(table, ids, 1.0, 0).fingerprint


def test_texts_are_shortened_the_same_way_whatever_else_is_in_the_table(verification):
    once = shortened(verification, 0.5, 0)
    assert set(once["text"].dropna().str.split().str.len()) == {2}
    part = shortened(verification.iloc[10:40], 0.5, 0)
    assert part["text"].dropna().equals(once["text"].iloc[10:40].dropna())


def test_damage_depends_on_seed_and_sample_alone():
    harm = random_damage(IMAGE, {"blur": [2.0], "noise": None}, 0.3, 0)
    names = [f"s{number}" for number in range(1000)]
    doses = {name: harm.dose(name) for name in names}
    drawn = {name: dose and (dose.degradation.unit, dose.level) for name, dose in doses.items()}
    hit = [name for name in names if drawn[name] is not None]
    assert 250 < len(hit) < 350
    assert {drawn[name][1] for name in hit if drawn[name][0] == "sigma, pixels"} == {2.0}
    assert len({drawn[name] for name in hit}) == 6
    image = np.random.default_rng(1).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    clean = next(name for name in names if drawn[name] is None)
    assert harm(clean, image) is image
    assert np.array_equal(harm(hit[0], image), harm(hit[0], image))
    assert not np.array_equal(harm(hit[0], image), image)


def test_damage_that_cannot_be_done_says_why():
    with pytest.raises(ValueError, match="at least one degradation"):
        random_damage(IMAGE, {}, 0.3, 0)
    with pytest.raises(ValueError, match="'babble' needs .*others"):
        random_damage(modality_of("speech"), {"babble": None}, 0.3, 0)
    with pytest.raises(ValueError, match="unknown degradation of image 'blurr'.*blur"):
        random_damage(IMAGE, {"blurr": None}, 0.3, 0)


def test_width_scales_the_named_options_only():
    encoder = {
        "library": "timm",
        "name": "resnet10t",
        "options": {"channels": [32, 64, 100], "stem_width": 16, "groups": 3},
    }
    student = StudentConfig(encoder=encoder)
    half = widened(student, 0.5, ["channels", "stem_width", "absent"], 8).encoder.options
    assert half == {"channels": [16, 32, 48], "stem_width": 8, "groups": 3}
    assert widened(student, 1.0, ["absent"], 8) is student
    with pytest.raises(ValueError, match=r"names none of \['absent'\].*channels"):
        widened(student, 2.0, ["absent"], 8)


def test_a_heavier_arm_has_its_weights_multiplied_and_nothing_else():
    arm = ArmConfig(
        constraints={"a": {"kind": "cosine", "weight": 3, "margin": 0.2}, "b": {"kind": "l2", "weight": 0.5}},
        quality={"gamma": 2},
    )
    heavier = weighed(arm, 4)
    assert {name: term.weight for name, term in heavier.constraints.items()} == {"a": 12, "b": 2}
    assert weighed(heavier, 0.25) == arm and weighed(ArmConfig(), 4) == ArmConfig()


def condition(**changes) -> Condition:
    encoder = {"library": "timm", "name": "resnet10t", "options": {"channels": [32, 64]}}
    given = {"student": StudentConfig(encoder=encoder), "training": TrainingConfig(epochs=6, eval_every=2)} | changes
    return Condition("x", 0.5, {"labelled": 0.5}, data=None, projections={}, teacher=None, **given)


def test_a_student_of_more_capacity_is_wider_longer_trained_and_sees_inputs_as_they_are():
    more = able(condition(), Capacity(width=2.0, length=1.5, augment=False))
    assert more.student.encoder.options["channels"] == [64, 128]
    assert (more.training.epochs, more.training.eval_every, more.training.augment) == (9, 3, False)
    same = able(condition(), Capacity())
    assert (same.student, same.training) == (condition().student, condition().training)


def test_heavier_constraints_of_few_labels_differ_from_them_in_the_weight_alone(monkeypatch):
    asked = []

    def few_labels(_world, study, _store):
        asked.append(study)
        yield condition(alone=condition())

    monkeypatch.setattr("cross_modal_kd.studies.regimes.labels.conditions", few_labels)
    world = SimpleNamespace(data=None, configuration=condition(), projections={}, teacher_embeddings=None)
    few, capacity = {"share": 0.05, "in_batch": 0.2, "draw": 3}, {"augment": False}
    study = WeightStudy(arms=["none", "soft"], factors=[1.0, 12.0], labelled=few, capacity=capacity)
    found = list(weight_conditions(world, study, None))
    assert [(each.name, each.value, each.weight) for each in found] == [("weight x 1", 1, 1), ("weight x 12", 12, 12)]
    assert all(each.varied == {"labelled": 0.5} for each in found)
    assert not any(each.training.augment or each.alone.training.augment for each in found)
    assert (asked[0].shares, asked[0].labelled_in_batch, asked[0].draw) == ([0.05], 0.2, 3)


def test_the_claim_is_drawn_from_the_table():
    bound = {"teacher_student_distance_train": [0.9, 0.6], "teacher_student_distance_test": [0.95, 0.8]}
    rows = [
        pd.DataFrame({"arm": "none", "title": "alone", "error_mean": [0.2, 0.2]}),
        pd.DataFrame({"arm": "hard", "title": "", "error_mean": [0.19, 0.21], "active_fraction_f": 1.0} | bound),
        pd.DataFrame({"arm": "soft", "title": "soft", "error_mean": [0.18, 0.17], "active_fraction_f": 0.4} | bound),
    ]
    table = pd.concat([each.assign(value=[1.0, 16.0]) for each in rows], ignore_index=True)
    table = table.assign(
        error_metric="eer", error_low=table["error_mean"] - 0.01, error_high=table["error_mean"] + 0.01
    )
    above, middle, below = claim_plot(table, Look("Heading", "weight", x="value", ticks="x {:g}")).axes
    drawn = {line.get_label(): (line.get_color(), line.get_ydata().tolist()) for line in above.lines}
    assert drawn["alone"][0] == ALONE and drawn["hard"][0] == IMPOSTOR and drawn["soft"][0] == DISTILLED
    assert drawn["soft"][1] == pytest.approx([18, 17])
    distances = [line.get_ydata().tolist() for line in middle.lines if len(line.get_ydata())]
    assert distances == [[0.95, 0.8], [0.9, 0.6]] * 2, "the student alone is bound to no teacher"
    assert [line.get_ydata().tolist() for line in below.lines] == [[100, 100], [40, 40]]
    assert [tick.get_text() for tick in below.get_xticklabels()] == ["x 1", "x 16"]


def test_folds_hold_whole_units_and_are_of_equal_size(verification, classification):
    for samples, task, cluster in ((verification, VERIFICATION, "label"), (classification, CLASSIFICATION, "group")):
        rows = samples[(samples["split"] == "train") & (samples["modality"] == "text")]
        folds = folds_of(rows, task, 5, 0)
        assert pd.Series(folds).groupby(rows[cluster].to_numpy()).nunique().max() == 1
        assert pd.Series(folds).value_counts().nunique() == 1
    with pytest.raises(ValueError, match="11 folds of 10 training clusters"):
        folds_of(verification[verification["split"] == "train"], VERIFICATION, 11, 0)


def test_projections_that_were_fitted_apart_are_brought_into_one_frame():
    rng = np.random.default_rng(0)
    target, turn = rng.normal(size=(40, 6)), np.linalg.qr(rng.normal(size=(6, 6)))[0]
    unseen = rng.normal(size=(5, 6))
    np.testing.assert_allclose(aligned(unseen @ turn, target @ turn, target), unseen, atol=1e-10)


def test_a_projection_of_what_is_projected_already_changes_nothing():
    torch.manual_seed(0)
    full = projection_bundle(Projection(20, 3, ProjectionConfig(dim=8)), 20, ["a", "b", "c"])
    points = torch.nn.functional.normalize(torch.randn(5, 8), dim=1)
    same = build_projection(taken_as_it_is(full))
    torch.testing.assert_close(same(points), points)
    torch.testing.assert_close(same.prototypes(), build_projection(full).prototypes())


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"labels": {"arms": ["none"], "shares": [1.5]}}, "(?s)labels.shares.0.*less than or equal to 1"),
        ({"teacher": {"arms": ["none"], "dropped_words": [1.0]}}, "between 0 and 1"),
        ({"width": {"arms": ["none"], "factors": [0]}}, "(?s)width.factors.0.*greater than 0"),
        ({"length": {"arms": ["none"], "factors": [-1]}}, "(?s)length.factors.0.*greater than 0"),
        ({"weight": {"arms": ["none"], "factors": [0]}}, "(?s)weight.factors.0.*greater than 0"),
        ({"width": {"arms": ["soft"], "factors": [1]}}, "'none' is not among regimes.width.arms: soft"),
    ],
)
def test_a_wrong_block_is_refused(block, message):
    right = blocks()
    assert RegimesConfig(**right)
    with pytest.raises(ValueError, match=message):
        RegimesConfig(**(right | block))


def test_a_plot_says_why_it_has_no_intervals():
    reduced = "relative_reduction_to_baseline"
    missing = {f"{name}_{end}": np.nan for name in ("error", reduced) for end in ("low", "high")}
    rows = [
        {
            "arm": arm,
            "title": arm,
            "condition": "a",
            "error_metric": "eer",
            "error_mean": 0.2,
            reduced: value,
            **missing,
        }
        for arm, value in (("none", np.nan), ("soft", 0.1))
    ]
    look = Look("A study", "condition", None, note="By label.")
    table = pd.DataFrame(rows)
    assert study_plot(table, look).get_suptitle() == "By label."
    said = study_plot(table.assign(no_interval="3 clusters"), look).get_suptitle()
    assert said == "By label.\nNo interval, and so no verdict: 3 clusters."


def test_a_condition_without_labels_stands_left_of_the_others_on_a_logarithmic_axis():
    look = Look("H", "labelled", x="value", ticks="{:.0%}")
    rows = [{"arm": "a", "title": "A", "condition": f"{v}", "value": v, "error_mean": 0.2} for v in (0.2, 0.0, 0.05)]
    table = pd.DataFrame(rows).assign(error_metric="eer", error_low=0.1, error_high=0.3)
    above, below = study_plot(table, look).axes
    assert [text.get_text() for text in below.get_xticklabels()] == ["0%", "5%", "20%"]
    np.testing.assert_allclose(below.get_xticks(), [0.0125, 0.05, 0.2])
    np.testing.assert_allclose(above.get_lines()[0].get_xdata(), [0.0125, 0.05, 0.2])


def test_no_two_arms_of_a_plot_look_alike_however_many_there_are():
    """Two baselines are of one colour, and so is the ninth of the others with the first."""
    rows = [{"arm": f"{n}", "title": f"{n}", "condition": "c", "error_mean": n / 100} for n in range(12)]
    table = pd.DataFrame(rows).assign(error_metric="eer", error_low=0.0, error_high=0.3)
    table["relative_reduction_to_baseline"] = [np.nan, np.nan, *[0.1] * 10]
    table = table.assign(relative_reduction_to_baseline_low=0.0, relative_reduction_to_baseline_high=0.2)
    above, _ = study_plot(table, Look("H", "labelled", x=None)).axes
    looks = {(line.get_color(), line.get_marker()) for line in above.get_lines()}
    assert len(looks) == 12


@pytest.mark.parametrize("letters", [12, 30, 46, 50])
def test_a_legend_below_a_figure_is_no_wider_than_the_figure(letters):
    figure, axis = new_figure()
    for number in range(5):
        axis.plot([0, 1], label=(f"soft feature and classifier {number}, fixed projection, " * 2)[:letters])
    legend_below(figure, axis)
    figure.draw_without_rendering()
    assert figure.legends[0].get_window_extent().width <= figure.bbox.width
