"""The teacher's node functions: weights, the cache of embeddings, and what a training is resumed from."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from cross_modal_kd.config.encoder import InputConfig
from cross_modal_kd.config.ingestion import SourcesConfig
from cross_modal_kd.config.task import TaskConfig
from cross_modal_kd.config.teacher import TeacherConfig
from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.models.student import Student
from cross_modal_kd.pipelines.teacher.nodes import prepare_teacher
from cross_modal_kd.samples import SamplesError
from cross_modal_kd.samples.embeddings import EmbeddingTable
from cross_modal_kd.training import teacher as training
from cross_modal_kd.training.finished import forget_finished
from cross_modal_kd.training.keys import embedding_fingerprint
from cross_modal_kd.training.seeds import derive_seed
from cross_modal_kd.training.teacher import embed_teacher, measure_teacher

TASK = TaskConfig(name="t", title="T", kind="verification", student="speech", teacher="image", pairing="label")
INPUTS = InputConfig(image={"size": 16})
ENCODER = {"library": "timm", "name": "test_resnet"}
TRAINED = {
    "encoder": ENCODER,
    "pretrained": False,
    "embedding_dim": 8,
    "training": {"epochs": 2, "batch_size": 8, "eval_every": 1, "compute": {"accelerator": "cpu"}},
}


@pytest.fixture
def world(tmp_path):
    """(samples, sources): four pictures of each of nine labels, three labels a split."""
    rng, rows = np.random.default_rng(0), []
    (tmp_path / "raw").mkdir()
    for label in range(9):
        for view in range(4):
            pixels = (rng.integers(0, 60, (16, 16, 3)) + 20 * label).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "raw" / f"{label}-{view}.png")
            row = {"sample_id": f"{label}-{view}", "label": f"l{label}", "split": ("train", "dev", "test")[label // 3]}
            rows.append(row | {"path": f"{label}-{view}.png", "sha256": f"{label}{view}" * 32})
    samples = pd.DataFrame(rows).assign(modality="image", source="made", text=pd.NA, group=pd.NA)
    return samples, SourcesConfig({"made": {"layout": "folder", "root": str(tmp_path / "raw")}})


@pytest.fixture
def counted(monkeypatch):
    """How often embeddings were computed."""
    calls, original = [], training.teacher_embeddings
    monkeypatch.setattr(training, "teacher_embeddings", lambda *args: calls.append(1) or original(*args))
    return calls


def model(seed: int = 0) -> ModelBundle:
    torch.manual_seed(seed)
    made = training.create_encoder(TeacherConfig(encoder=ENCODER).encoder, INPUTS)
    return ModelBundle(
        "pretrained", {"encoder": TeacherConfig(encoder=ENCODER).encoder.model_dump()}, made.state_dict()
    )


def test_unchanged_inputs_are_not_embedded_again(world, tmp_path, counted):
    samples, sources = world
    once, again = (embed_teacher(samples, TASK, sources, INPUTS, model(), tmp_path / "cache") for _ in range(2))
    assert len(counted) == 1
    assert once.fingerprint == again.fingerprint
    np.testing.assert_array_equal(once.values, again.values)
    more = INPUTS.model_copy(update={"cache_mb": 0})
    other = samples.assign(split="test", label="x")
    embed_teacher(other, TASK, sources, more, model(), tmp_path / "cache")
    assert len(counted) == 1


@pytest.mark.parametrize("change", ["sample", "sample_id", "weights", "transform", "fewer"])
def test_whatever_changes_an_embedding_is_embedded_again(world, tmp_path, counted, change):
    samples, sources = world
    embed_teacher(samples, TASK, sources, INPUTS, model(), tmp_path / "cache")
    inputs, teacher = INPUTS, model()
    if change == "sample":
        samples = samples.assign(sha256=["f" * 64, *samples["sha256"][1:]])
    elif change == "sample_id":
        samples = samples.assign(sample_id=["new", *samples["sample_id"][1:]])
    elif change == "weights":
        teacher = model(seed=1)
    elif change == "transform":
        inputs = InputConfig(image={"size": 20})
    else:
        samples = samples[:-1]
    table = embed_teacher(samples, TASK, sources, inputs, teacher, tmp_path / "cache")
    assert len(counted) == 2
    assert table.sample_ids == samples["sample_id"].tolist()


def test_a_texts_words_and_its_encoders_weights_count(tmp_path):
    for name, content in (("model.safetensors", "w"), ("config.json", "{}"), ("modules.json", "[]")):
        (tmp_path / name).write_text(content)
    texts = pd.DataFrame({"sample_id": ["a"], "modality": "text", "text": ["word"], "sha256": "0" * 64})
    bundle = ModelBundle("pretrained", {"encoder": {"library": "sentence_transformers", "name": str(tmp_path)}})
    found = {embedding_fingerprint(texts, bundle, InputConfig(image={"size": size})) for size in (16, 32)}
    assert len(found) == 1
    found.add(embedding_fingerprint(texts.assign(text="words"), bundle, INPUTS))
    (tmp_path / "model.safetensors").write_text("v")
    found.add(embedding_fingerprint(texts, bundle, INPUTS))
    assert len(found) == 3


def test_the_part_of_a_picture_that_is_embedded_counts(world):
    """As where ``boxes`` of the layout ``cub`` is switched on: names and digests of the pictures stay."""
    samples, _ = world
    whole = samples.assign(path=samples["path"].fillna("p.png"))
    parts = [whole, *(whole.assign(path=whole["path"] + f"#xywh={left},0,9,9") for left in (0, 1))]
    assert len({embedding_fingerprint(rows, model(seed=0), INPUTS) for rows in parts}) == 3
    assert embedding_fingerprint(whole.assign(path="moved.png"), model(seed=0), INPUTS) == embedding_fingerprint(
        whole, model(seed=0), INPUTS
    )


def test_a_frozen_library_is_given_the_rows_and_its_encoder(world, monkeypatch):
    samples, sources = world
    chosen = samples[samples["split"] == "dev"]
    given = {}

    def embed(encoder, rows):
        given.update(encoder=encoder, rows=rows)
        return np.full((len(rows), 3), 0.5, dtype=np.float32)

    frozen = SimpleNamespace(embed=embed)
    monkeypatch.setattr(training, "library_of", lambda name: {"sentence_transformers": frozen}[name])
    bundle = ModelBundle("pretrained", {"encoder": {"library": "sentence_transformers", "name": "any"}})
    values = training.teacher_embeddings(chosen, TASK, sources, INPUTS, bundle)
    assert values.shape == (12, 3)
    assert given["encoder"].name == "any"
    pd.testing.assert_frame_equal(given["rows"], chosen)


def test_a_pretrained_encoder_has_the_weights_of_its_file(world, tmp_path):
    import timm
    from safetensors.torch import save_file

    samples, sources = world
    made, whole = model(seed=4), timm.create_model("test_resnet").state_dict()
    own = {name.removeprefix("network."): value for name, value in made.tensors.items()}
    weights = {name: value.contiguous() for name, value in {**whole, **own}.items()}
    save_file(weights, tmp_path / "weights.safetensors")
    options = {"pretrained_cfg_overlay": {"file": str(tmp_path / "weights.safetensors")}}
    bundle = prepare_teacher(
        samples, TASK, sources, INPUTS, TeacherConfig(encoder=ENCODER | {"options": options}), tmp_path
    )
    assert bundle.config["encoder"]["options"] == {}
    assert bundle.config["inputs"] == INPUTS.model_dump()  # how samples are to be read when it embeds again
    assert all(torch.equal(value, made.tensors[name]) for name, value in bundle.tensors.items())
    (tmp_path / "weights.safetensors").unlink()
    values = embed_teacher(samples, TASK, sources, INPUTS, bundle, tmp_path / "cache").values
    np.testing.assert_array_equal(values, embed_teacher(samples, TASK, sources, INPUTS, made, tmp_path / "c").values)


def test_a_trained_teacher_is_the_same_for_the_same_seed_and_resumes_only_its_own_training(world, tmp_path):
    samples, sources = world
    teacher = TeacherConfig(**TRAINED)
    checkpoints = tmp_path / "checkpoints"

    def left() -> int:
        return len(list(checkpoints.glob("*.safetensors")))

    def train(*, config=teacher, table=samples, inputs=INPUTS, folder=checkpoints) -> ModelBundle:
        """A training of its own: what a finished one left is not taken."""
        forget_finished(folder)
        return prepare_teacher(table, TASK, sources, inputs, config, folder)

    once, again = train(), train()
    assert all(torch.equal(value, again.tensors[name]) for name, value in once.tensors.items())
    assert left() == 0

    class Killed(Exception):
        pass

    def logger(name):
        def on_epoch(row, epoch):
            if epoch == 2:
                raise Killed

        return on_epoch

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "epoch_logger", logger)
        with pytest.raises(Killed):
            train()
    assert left() == 2  # where it stands, and the best weights
    train(inputs=InputConfig(image={"size": 20}))  # not gone on from
    assert left() == 2
    moved = samples.assign(split=np.roll(samples["split"], 12))
    train(table=moved)  # nor that of the same files in other splits
    assert left() == 2
    other = TeacherConfig(**(TRAINED | {"margin": 0.3}))
    fresh = train(config=other, folder=tmp_path / "elsewhere")
    beside = train(config=other)
    assert all(torch.equal(value, beside.tensors[name]) for name, value in fresh.tensors.items())
    resumed = train()
    assert all(torch.equal(value, resumed.tensors[name]) for name, value in once.tensors.items())


def test_a_teacher_is_measured_on_dev_and_says_so_where_it_cannot_be(world):
    samples, _ = world
    values = np.eye(9, dtype=np.float32)[np.arange(36) // 4]
    table = EmbeddingTable(samples["sample_id"].tolist(), values, "f")
    assert measure_teacher(samples, TASK, table)["dev_eer"] == 0
    alone = samples[(samples["split"] != "dev") | ~samples.duplicated("label")]
    assert measure_teacher(alone, TASK, table)["dev_eer"] is None


def test_a_teacher_that_is_asked_for_a_class_answers_with_the_nearest_class_mean(world):
    """By a plain loop; the second label's embeddings are long and the third's are short, which must not count."""
    samples, _ = world
    samples = samples.assign(label=[f"l{number // 4 % 3}" for number in range(36)])
    rng = np.random.default_rng(0)
    values = rng.normal(size=(3, 5))[np.arange(36) // 4 % 3] * np.array([1, 6, 0.3])[np.arange(36) // 4 % 3, None]
    table = EmbeddingTable(samples["sample_id"].tolist(), values + 0.8 * rng.normal(size=(36, 5)), "mine")
    task = TASK.model_copy(update={"kind": "classification", "student": "image"})
    found = measure_teacher(samples, task, table)
    assert {name: found[name] for name in ("dimension", "samples", "fingerprint")} == {
        "dimension": 5, "samples": 36, "fingerprint": "mine"
    }  # fmt: skip
    of = dict(zip(samples["sample_id"], table.values.astype(float), strict=True))
    train, dev = (samples[samples["split"] == split] for split in ("train", "dev"))
    centre = np.mean([of[sample] for sample in train["sample_id"]], axis=0)
    means = {
        label: np.mean([of[one] - centre for one in rows["sample_id"]], axis=0)
        for label, rows in train.groupby("label")
    }
    right = []
    for row in dev.itertuples():
        cosines = {label: (of[row.sample_id] - centre) @ mean / np.linalg.norm(mean) for label, mean in means.items()}
        right.append(max(cosines, key=cosines.get) == row.label)
    assert 0 < np.mean(right) < 1
    assert found["dev_top1"] == pytest.approx(np.mean(right))


@pytest.mark.parametrize("seed", [0, 3])
def test_a_trained_teacher_starts_from_its_seed_and_is_watched_by_its_eer(world, tmp_path, monkeypatch, seed):
    samples, sources = world
    teacher = TeacherConfig(**(TRAINED | {"training": TRAINED["training"] | {"seed": seed}}))
    starts, rows, original = [], [], training.train_stages

    def train(module, *rest):
        starts.append({name: value.clone() for name, value in module.state_dict().items()})
        return original(module, *rest)

    monkeypatch.setattr(training, "train_stages", train)
    monkeypatch.setattr(training, "epoch_logger", lambda name: lambda row, epoch: rows.append((name, epoch, row)))
    bundle = prepare_teacher(samples, TASK, sources, INPUTS, teacher, tmp_path)
    torch.manual_seed(derive_seed("teacher", seed))
    expected = Student(teacher.encoder, INPUTS, 8).state_dict()
    assert all(torch.equal(starts[0][f"student.{name}"], value) for name, value in expected.items())
    assert [(name, epoch) for name, epoch, _ in rows] == [("teacher", 1), ("teacher", 2)]
    assert all(0 <= row["dev_eer"] <= 1 for _, _, row in rows)
    assert bundle.config["dim"] == 8 and bundle.config["classes"] == ["l0", "l1", "l2"]
    table = embed_teacher(samples, TASK, sources, INPUTS, bundle, tmp_path / "cache")
    assert table.dim == 8 and table.fingerprint == embedding_fingerprint(samples, bundle, INPUTS)


def test_a_teacher_without_a_dev_sample_is_refused_with_what_to_do(world, tmp_path):
    samples, sources = world
    fewer = samples[(samples["split"] != "dev") | (samples["modality"] != TASK.teacher)]
    with pytest.raises(
        SamplesError, match="the dev split has no image sample, and the teacher's training keeps the ep"
    ):
        prepare_teacher(fewer, TASK, sources, INPUTS, TeacherConfig(**TRAINED), tmp_path / "checkpoints")


@pytest.mark.parametrize(("labels", "found"), [(["l0"], "are all of one, 'l0'"), ([], "have none")])
def test_a_teacher_with_less_than_two_labels_to_tell_apart_is_refused_with_what_to_do(world, tmp_path, labels, found):
    samples, sources = world
    training_rows = samples["split"] == "train"
    fewer = samples.assign(label=samples["label"].where(~training_rows | samples["label"].isin(labels)))
    with pytest.raises(SamplesError, match=rf"expected two at least, its image samples {found}. Label more, or take a"):
        prepare_teacher(fewer, TASK, sources, INPUTS, TeacherConfig(**TRAINED), tmp_path / "checkpoints")
