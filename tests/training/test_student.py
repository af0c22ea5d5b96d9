"""One arm: its data, its start, its weights, and what is kept of it."""

import hashlib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from PIL import Image

from cross_modal_kd.config.arms import ArmsConfig
from cross_modal_kd.config.encoder import InputConfig
from cross_modal_kd.config.evaluation import EvaluationConfig
from cross_modal_kd.config.ingestion import SourcesConfig
from cross_modal_kd.config.objective import ArmConfig, DistillationConfig
from cross_modal_kd.config.projection import ProjectionConfig
from cross_modal_kd.config.student import StudentConfig
from cross_modal_kd.config.task import TaskConfig
from cross_modal_kd.config.training import TrainingConfig
from cross_modal_kd.losses import LinearClassifier
from cross_modal_kd.losses.aam import AAMSoftmaxClassifier
from cross_modal_kd.metrics import pairwise_eer
from cross_modal_kd.models import ModelBundle
from cross_modal_kd.models.student import build_student, classifier_logits, own_projection
from cross_modal_kd.pipelines.projection.nodes import fit_projections
from cross_modal_kd.samples.embeddings import EmbeddingTable
from cross_modal_kd.samples.sharding import update_shards
from cross_modal_kd.studies.context import Configuration, Context
from cross_modal_kd.studies.tuning import trials
from cross_modal_kd.studies.tuning.config import TuningConfig
from cross_modal_kd.studies.tuning.nodes import tune_arms
from cross_modal_kd.tasks import kind_of
from cross_modal_kd.training import student as arms
from cross_modal_kd.training.embed import embed_inputs
from cross_modal_kd.training.keys import data_fingerprint
from cross_modal_kd.training.projection import fit_projection
from training_toys import TIMES

VERIFICATION = TaskConfig(name="v", title="V", kind="verification", student="image", teacher="text")
CLASSIFICATION = TaskConfig(name="c", title="C", kind="classification", student="image", teacher="text")
STUDENT = StudentConfig(encoder={"library": "timm", "name": "test_resnet"})
TRAINING = TrainingConfig(epochs=2, batch_size=8, eval_every=1, compute={"accelerator": "cpu"})
FROZEN = ModelBundle("pretrained", {})
PROJECTION = ProjectionConfig(dim=6, hidden=8, epochs=2, batch_size=8)
SOFT = {"feature": {"kind": "cosine", "weight": 2.0, "margin": 0.2}}
NONE, BOTH = ArmConfig(), ArmConfig(constraints=SOFT | {"classifier": {"kind": "classifier_kl"}})


class World:
    """Six labels a split (shared for classification), three pictures and two texts of each."""

    def __init__(self, folder, task: TaskConfig = VERIFICATION) -> None:
        rng, rows, self.task = np.random.default_rng(0), [], task
        for number in range(18):
            split = ("train", "dev", "test")[number // 6]
            label = f"l{number % 6 if task.kind == 'classification' else number}"
            for view in range(5):
                sample = f"{split}-{label}-{view}"
                row = {"sample_id": sample, "label": label, "group": f"{split}-{label}", "split": split}
                if view < 3:
                    pixels = (rng.integers(0, 90, (16, 16, 3)) + 9 * number).astype(np.uint8)
                    Image.fromarray(pixels).save(folder / f"{sample}.png")
                rows.append(row | {"modality": "image" if view < 3 else "text", "path": f"{sample}.png"})
        self.samples = pd.DataFrame(rows).assign(source="made", sha256="0" * 64, text="word")
        self.sources = SourcesConfig({"made": {"layout": "folder", "root": str(folder)}})
        texts = self.samples.loc[self.samples["modality"] == "text", "sample_id"].tolist()
        self.teacher = EmbeddingTable(texts, rng.normal(size=(len(texts), 10)), "f")
        ids = self.samples.loc[self.samples["modality"] == "image", "sample_id"]
        self.quality = pd.DataFrame({"sample_id": ids, "quality_student": rng.uniform(size=len(ids))})
        self.quality["quality_teacher"] = rng.uniform(size=len(ids))
        self.projection = fit_projection(self.samples, task, self.teacher, PROJECTION)[0]

    @property
    def data(self) -> arms.ArmData:
        inputs = InputConfig(image={"size": 16})
        return arms.read_arm_data(self.samples, self.task, self.sources, inputs, self.teacher, self.quality)

    def train(
        self,
        arm: ArmConfig,
        training: TrainingConfig = TRAINING,
        student: StudentConfig = STUDENT,
        known: np.ndarray | None = None,
        **options,
    ):
        data = replace(self.data, known=known)
        return arms.train_arm(data, student, training, arm, self.projection, name="mine", **options)


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def same(one, other) -> bool:
    return all(torch.equal(value, other.tensors[name]) for name, value in one.tensors.items())


def test_arms_of_one_seed_start_alike_and_see_the_same_batches(world, monkeypatch):
    starts, batches = [], []

    def train(module, data, plan):
        starts.append({k: v.clone() for k, v in module.state_dict().items() if not k.startswith("projection.")})
        batches.append(list(data.sampler(8, plan.config.seed)))
        return []

    monkeypatch.setattr(arms, "train_stages", train)
    for arm in (NONE, BOTH, ArmConfig(constraints=SOFT, joint=True), ArmConfig(quality={"gamma": 1.0})):
        world.train(arm)
    world.train(NONE, TRAINING.model_copy(update={"seed": 1}))
    for start, batch in zip(starts[1:4], batches[1:4], strict=True):
        assert start.keys() == starts[0].keys()
        assert all(torch.equal(value, starts[0][name]) for name, value in start.items())
        assert batch == batches[0]
    assert any(not torch.equal(value, starts[0][name]) for name, value in starts[4].items())
    assert batches[4] != batches[0]


def test_the_same_seed_gives_the_same_student_and_another_another(world):
    (one, history), (again, repeated) = world.train(BOTH), world.train(BOTH)
    assert same(one, again)
    pd.testing.assert_frame_equal(history.drop(columns=TIMES), repeated.drop(columns=TIMES))
    assert not same(one, world.train(BOTH, TRAINING.model_copy(update={"seed": 1}))[0])
    assert not same(one, world.train(NONE)[0])


def test_an_interrupted_arm_goes_on_to_the_same_student(world, tmp_path):
    def stop(row, epoch):
        if epoch == 2:
            raise KeyboardInterrupt

    arm = ArmConfig(constraints=SOFT, joint=True)
    whole, history = world.train(arm)
    with pytest.raises(KeyboardInterrupt):
        world.train(arm, checkpoint=tmp_path / "c.safetensors", watch=stop)
    resumed, again = world.train(arm, checkpoint=tmp_path / "c.safetensors")
    assert same(whole, resumed)
    pd.testing.assert_frame_equal(history.drop(columns=TIMES), again.drop(columns=TIMES))


def test_a_student_trained_from_shards_is_that_of_the_files(world, tmp_path):
    one, history = world.train(BOTH)
    images = world.samples["modality"] == "image"
    digests = world.samples.loc[images, "path"].map(
        lambda path: hashlib.sha256((tmp_path / path).read_bytes()).hexdigest()
    )
    files = world.samples[images].assign(sha256=digests)
    made = world.sources.root["made"].model_copy(update={"shards": str(tmp_path / "shards")})
    world.sources = SourcesConfig({"made": made})
    update_shards(files, world.sources, 1)
    for path in files["path"]:
        (tmp_path / path).unlink()
    for workers in (0, 2):
        other, again = world.train(BOTH, TRAINING.model_copy(update={"workers": workers}))
        assert same(one, other)
        pd.testing.assert_frame_equal(history.drop(columns=TIMES), again.drop(columns=TIMES))


def test_a_joint_arm_keeps_its_own_projection_and_leaves_the_fitted_one_alone(world):
    before = {name: torch.as_tensor(value).clone() for name, value in world.projection.tensors.items()}
    joint, _ = world.train(ArmConfig(constraints=SOFT, joint=True))
    moved = own_projection(joint)
    assert not torch.equal(moved.tensors["weight"], before["weight"])
    assert all(torch.equal(value, world.projection.tensors[name]) for name, value in before.items())
    assert own_projection(world.train(BOTH)[0]) is None


@pytest.mark.parametrize(
    ("kind", "classifier"), [("verification", AAMSoftmaxClassifier), ("classification", LinearClassifier)]
)
def test_the_task_decides_classifier_and_dev_metric(tmp_path, kind, classifier):
    task = VERIFICATION if kind == "verification" else CLASSIFICATION
    world = World(tmp_path, task)
    assert isinstance(kind_of(task).build_classifier(STUDENT, 6, 4), classifier)
    bundle, history = world.train(BOTH)
    assert ("dev_eer" if kind == "verification" else "dev_top1") in history
    assert bundle.config["classes"] == sorted(world.samples.loc[world.samples["split"] == "train", "label"].unique())
    assert build_student(bundle)(torch.zeros(2, 3, 16, 16)).shape == (2, 6)


@pytest.mark.parametrize("by", ["teacher", "both"])
def test_a_student_takes_the_teachers_classifier_along_where_it_answers_by_it(tmp_path, by):
    world = World(tmp_path, CLASSIFICATION)
    arm = BOTH.model_copy(update={"answer": by})
    bundle, history = world.train(arm)
    embeddings = torch.randn(5, 6)
    own = embeddings @ bundle.tensors["head.weight"].T + bundle.tensors["head.bias"]
    prototypes = torch.nn.functional.normalize(torch.as_tensor(world.projection.tensors["weight"]), dim=1)
    teachers = world.projection.config["projection"]["scale"] * torch.nn.functional.normalize(embeddings) @ prototypes.T
    if by == "teacher":
        torch.testing.assert_close(classifier_logits(bundle, embeddings), teachers)
    else:
        mean = (own.log_softmax(1) + teachers.log_softmax(1)) / 2
        torch.testing.assert_close(classifier_logits(bundle, embeddings), mean)
    student = build_student(bundle)
    seen = torch.from_numpy(embed_inputs(student, world.data.dev_inputs))
    labels = arms.class_numbers(world.data.dev_labels, bundle.config["classes"])
    right = classifier_logits(bundle, seen).argmax(1).numpy() == labels
    assert history["dev_top1"].dropna().max() == pytest.approx(right.mean())


def test_the_students_dropout_is_that_of_its_configuration(world):
    """Nothing but dropout differs: each rate trains a student of its own, and none of them drops in evaluation."""
    rates = (0.0, 0.3, 0.6)
    trained = [world.train(NONE, student=STUDENT.model_copy(update={"dropout": rate})) for rate in rates]
    assert same(trained[0][0], world.train(NONE)[0])
    for one, other in ((0, 1), (1, 2), (0, 2)):
        assert not same(trained[one][0], trained[other][0])
    student = build_student(trained[2][0])
    seen = [embed_inputs(student, world.data.dev_inputs) for _ in range(2)]
    np.testing.assert_array_equal(*seen)


def test_only_a_joint_arm_trains_the_projection(world):
    assert "projection" not in world.train(BOTH)[1]
    assert (world.train(BOTH.model_copy(update={"joint": True}))[1]["projection"] > 0).all()


def test_free_dimensions_come_on_top_of_the_bound_ones(world):
    bundle, _ = world.train(BOTH, student=STUDENT.model_copy(update={"free_dim": 5}))
    assert bundle.config["dim"] == 11
    assert build_student(bundle)(torch.zeros(2, 3, 16, 16)).shape == (2, 11)


def test_labels_can_be_held_back(world):
    labels = np.where(np.arange(18) % 3 == 0, world.data.labels, -1)
    _, history = world.train(BOTH, known=labels)
    assert np.isfinite(history["loss"]).all() and (history["feature"] > 0).all()
    _, alone = world.train(NONE, known=np.full(18, -1))
    assert (alone["loss"] == 0).all()


def test_a_student_learns_from_two_views_where_nothing_is_labelled(world):
    simclr = ArmConfig(self_supervised={"weight": 0.5, "temperature": 0.2})
    nothing = np.full(18, -1)
    augmented = TRAINING.model_copy(update={"augment": True, "epochs": 4})
    student, history = world.train(simclr, training=augmented, known=nothing)
    assert (history["task"] == 0).all() and (history["views"] > 0).all()
    np.testing.assert_allclose(history["loss"], 0.5 * history["views"], rtol=1e-5)
    still, _ = world.train(NONE, training=augmented, known=nothing)
    name = next(name for name in student.tensors if name.endswith("weight") and student.tensors[name].ndim == 4)
    assert not np.allclose(student.tensors[name], still.tensors[name], rtol=0.02)


def test_an_arm_can_have_a_rate_and_a_labelled_share_of_its_own(world, monkeypatch):
    labels = np.where(np.arange(18) % 3 == 0, world.data.labels, -1)
    seen = []
    staged = arms.train_stages

    def looked_at(module, data, plan):
        seen.append((data.labelled_share, plan.config.lr, plan.config.weight_decay))
        return staged(module, data, plan)

    monkeypatch.setattr(arms, "train_stages", looked_at)
    world.train(NONE, known=labels)
    world.train(ArmConfig(lr=0.5, weight_decay=0.25, labelled_in_batch=0.75), known=labels)
    assert seen == [(None, TRAINING.lr, TRAINING.weight_decay), (0.75, 0.5, 0.25)]


def test_what_arms_were_given_later_goes_unsaid_in_the_key_of_a_training():
    assert set(ArmConfig().model_dump()) == {
        "title", "constraints", "projection", "quality", "joint", "joint_lr_scale", "answer"
    }  # fmt: skip
    assert ArmConfig(lr=0.1).model_dump()["lr"] == 0.1


def test_weights_are_one_without_quality_and_of_mean_one_with_it(world):
    ones, both = arms.sample_weights(world.data, NONE)
    assert torch.equal(ones, torch.ones(18)) and torch.equal(both, ones)
    task, kd = arms.sample_weights(world.data, ArmConfig(quality={"gamma": 1.0}))
    for weights in (task, kd):
        torch.testing.assert_close(weights.mean(), torch.tensor(1.0))
    assert not torch.equal(task, kd)
    quality = world.quality.set_index("sample_id").loc[world.data.train["sample_id"], "quality_student"]
    assert np.corrcoef(task, quality)[0, 1] > 0.9
    for loss, weighed, plain in (("task", 0, 1), ("distillation", 1, 0)):
        found = arms.sample_weights(world.data, ArmConfig(quality={"gamma": 1.0, "loss": loss}))
        assert torch.equal(found[weighed], (task, kd)[weighed]) and torch.equal(found[plain], ones)


def test_pairs_are_of_one_group(world):
    data = world.data
    texts = data.teacher.embeddings.numpy()
    rows = world.samples.set_index("sample_id")
    for _ in range(20):
        drawn = data.teacher.draw(torch.arange(18), torch.Generator().manual_seed(_))
        for sample, row in zip(data.train["sample_id"], drawn.tolist(), strict=True):
            (partner,) = [t for t in world.teacher.sample_ids if np.array_equal(world.teacher.at([t])[0], texts[row])]
            assert rows.loc[partner, "group"] == rows.loc[sample, "group"]


def test_the_data_of_an_arm_know_what_they_are_of(world):
    expected = data_fingerprint(world.samples, world.task, world.data.inputs, world.teacher, {}, world.quality)
    assert world.data.fingerprint == expected


def test_samples_without_quality_are_named(world):
    world.quality = world.quality[world.quality["sample_id"] != "train-l0-1"]
    with pytest.raises(ValueError, match=r"no quality of 1 training samples, \['train-l0-1'\]; run quality again"):
        _ = world.data


def test_both_projections_are_fitted_and_measured_on_dev(world):
    mlp, pca, metrics, history = fit_projections(
        world.samples, VERIFICATION, world.teacher, PROJECTION, DistillationConfig(), FROZEN
    )
    assert (mlp.config["projection"]["kind"], pca.config["projection"]["kind"]) == ("mlp", "pca")
    assert set(history["projection"]) == {"mlp", "pca"}
    for kind in ("mlp", "pca"):
        assert metrics[kind]["dev_eer"] == pytest.approx(-history.loc[history["projection"] == kind, "dev"].max())
    single = world.samples[(world.samples["modality"] == "image") | ~world.samples.duplicated(["group", "modality"])]
    assert (
        fit_projections(single, VERIFICATION, world.teacher, PROJECTION, DistillationConfig(), FROZEN)[2]["mlp"][
            "dev_eer"
        ]
        is None
    )


def test_principal_directions_are_those_of_all_samples_only_where_that_is_asked_for(world):
    labelled, asked = (PROJECTION.model_copy(update={"kind": "pca", "unlabelled": each}) for each in (False, True))
    lost = (world.samples["split"] == "train") & world.samples["label"].isin(["l0", "l1", "l2", "l3"])
    few = world.samples.assign(label=world.samples["label"].mask(lost))

    def fitted(samples, config):
        bundle = fit_projection(samples, VERIFICATION, world.teacher, config)[0]
        return {name.rpartition("head.")[2]: value for name, value in bundle.tensors.items()}, bundle.config["classes"]

    (whole, _), (same_whole, _) = fitted(world.samples, labelled), fitted(world.samples, asked)
    assert all(torch.equal(value, same_whole[name]) for name, value in whole.items())
    (of_few, classes), (of_all, same_classes) = fitted(few, labelled), fitted(few, asked)
    assert classes == same_classes == ["l4", "l5"]
    for name in ("mean", "linear.weight"):
        assert torch.equal(of_all[name], whole[name]) and not torch.equal(of_few[name], whole[name])


@pytest.mark.parametrize("task", [VERIFICATION, CLASSIFICATION], ids=["verification", "classification"])
def test_a_projection_whose_loss_is_no_number_is_named(world, task):
    config = PROJECTION.model_copy(update={"lr": 1e30})
    with pytest.raises(
        ValueError, match=r"projection: the loss is (nan|inf) in epoch \d; lower projection.lr \(1e\+30\)"
    ):
        fit_projection(world.samples, task, world.teacher, config)


def test_the_dev_eer_is_over_all_pairs():
    angles = np.array([0.0, 0.1, 1.0, 1.05])
    embeddings = np.stack([np.cos(angles), np.sin(angles)], axis=1) * [[1], [5], [2], [3]]
    assert pairwise_eer(embeddings, np.array(list("aabb"))) == 0
    assert pairwise_eer(embeddings, np.array(list("abab"))) > 0.5
    for labels in ("aaaa", "abcd"):
        assert np.isnan(pairwise_eer(embeddings, np.array(list(labels))))


@pytest.mark.parametrize("labelled", [None, {"share": 0.5, "in_batch": 0.5}])
def test_a_search_can_hold_labels_back(tmp_path, monkeypatch, labelled):
    seen = []

    def train_arm(data, student, training, arm, projection, **_):
        seen.append((data, data.known, data.labelled_share, projection))
        return None, pd.DataFrame({"dev_eer": [0.5]})

    monkeypatch.setattr(trials, "train_arm", train_arm)
    world = World(tmp_path)
    space = {"constraints.feature.weight": {"low": 1.0, "high": 2.0}, "projection": {"choices": ["mlp"]}}
    configuration = Configuration(
        task=world.task,
        sources=world.sources,
        inputs=InputConfig(image={"size": 16}),
        projection=PROJECTION,
        student=STUDENT,
        training=TRAINING,
        arms=ArmsConfig({"soft": ArmConfig(constraints=SOFT)}),
        evaluation=EvaluationConfig(),
    )
    context = Context(
        configuration, world.samples, world.teacher, world.projection, world.projection, world.quality, FROZEN
    )
    table, text = tune_arms([context], TuningConfig(trials=1, labelled=labelled, space={"soft": space}), tmp_path)
    ((data, labels, share, projection),) = seen
    assert len(table) == 1 and share == (0.5 if labelled else None)
    assert yaml.safe_load(text)["arms"]["soft"] == {"projection": "mlp", "constraints": SOFT}
    if labelled is None:
        assert labels is None and projection is world.projection
        return
    known = labels >= 0
    held_back = data.train.loc[~known, "group"]
    assert known.sum() == 9 and not set(held_back) & set(data.train.loc[known, "group"])
    names = np.array(projection.config["classes"])
    assert (names[labels[known]] == data.train.loc[known, "label"]).all()
