"""ModelDataset: round trips, and errors that say what to do."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from kedro.io import DatasetError

from cross_modal_kd.datasets import ModelDataset
from cross_modal_kd.models.bundle import ModelBundle


def bundle(tensors=None, **options) -> ModelBundle:
    """A teacher's, whose tensors nobody looks at before it is built."""
    encoder = {"library": "timm", "name": "test_resnet", "options": options}
    return ModelBundle("pretrained", {"encoder": encoder, "inputs": {}}, tensors or {})


@pytest.fixture
def dataset(tmp_path: Path) -> ModelDataset:
    return ModelDataset(filepath=str(tmp_path / "models" / "student"), made_by="distillation")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.int64, torch.bool])
def test_a_bundle_comes_back_as_it_was(dataset, tmp_path, dtype):
    tensors = {"weight": torch.arange(6).reshape(2, 3).to(dtype), "step": torch.tensor(3)}
    saved = bundle(tensors, channels=[1, None], x="é")
    dataset.save(saved)

    loaded = dataset.load()
    assert (loaded.kind, loaded.config) == (saved.kind, saved.config)
    assert loaded.folder == tmp_path / "models" / "student"
    assert loaded.tensors.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert loaded.tensors[name].dtype == tensor.dtype
        assert torch.equal(loaded.tensors[name], tensor)


def test_tied_strided_and_numpy_tensors_are_stored_as_they_look(dataset):
    base = torch.randn(4, 3, requires_grad=True)
    dataset.save(bundle({"a": base, "tied": base, "turned": base.T, "array": np.ones(2)}))

    loaded = dataset.load().tensors
    assert torch.equal(loaded["tied"], base)
    assert torch.equal(loaded["turned"], base.T)
    assert loaded["array"].tolist() == [1.0, 1.0]
    assert not loaded["a"].requires_grad


def test_a_model_without_tensors_is_a_model(dataset):
    dataset.save(bundle())
    assert dataset.load() == bundle()
    assert json.loads(dataset.preview())["kind"] == "pretrained"


def test_saving_replaces_the_whole_model_and_leaves_nothing_beside_it(dataset, tmp_path):
    dataset.save(bundle({"old": torch.ones(1)}, a=1))
    dataset.save(bundle({"new": torch.ones(1)}, a=2))

    assert set(dataset.load().tensors) == {"new"}
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["student"]


def test_a_failed_save_leaves_the_old_model(dataset, tmp_path, monkeypatch):
    dataset.save(bundle({"w": torch.ones(1)}, a=1))

    def full_disk(*args):
        raise OSError("no space left on device")

    monkeypatch.setattr("safetensors.torch.save_file", full_disk)
    with pytest.raises(DatasetError, match="no space left"):
        dataset.save(bundle({"w": torch.zeros(1)}, a=2))
    monkeypatch.undo()
    assert dataset.load().config["encoder"]["options"] == {"a": 1}
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["student"]


def test_a_missing_model_is_named_with_the_pipeline_that_makes_it(dataset):
    assert not dataset.exists()
    with pytest.raises(DatasetError, match=r"student/config\.json is missing; `kedro run --pipelines=distillation`"):
        dataset.load()


def test_half_a_model_is_refused(dataset, tmp_path):
    dataset.save(bundle({"w": torch.ones(1)}))
    folder = tmp_path / "models" / "student"
    (folder / "model.safetensors").write_bytes(b"not tensors at all")
    with pytest.raises(DatasetError, match=r"model\.safetensors is not a safetensors file"):
        dataset.load()
    (folder / "model.safetensors").unlink()
    with pytest.raises(DatasetError, match=r"model\.safetensors is missing"):
        dataset.load()
    (folder / "config.json").write_text("{")
    with pytest.raises(DatasetError, match=r"config\.json is not JSON"):
        dataset.load()
    (folder / "config.json").write_text("[]")
    with pytest.raises(DatasetError, match=r"must be an object with the keys \['config', 'kind'\]"):
        dataset.load()


def test_what_is_not_a_bundle_or_not_plain_is_refused(dataset):
    with pytest.raises(DatasetError, match="takes a ModelBundle, found dict"):
        dataset.save({"w": 1})
    with pytest.raises(DatasetError, match="must be plain JSON values"):
        dataset.save(ModelBundle("student", {"path": Path("x")}))
    with pytest.raises(DatasetError, match="must be plain JSON values"):
        dataset.save(ModelBundle("student", {"loss": float("nan")}))
    assert not dataset.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("",), "kind must name what the model is"),
        (("student", {}, {1: torch.ones(1)}), "must have names for keys, found \\[1\\]"),
        (("student", {}, {"lr": 0.1}), r"tensors\['lr'\] must be a tensor or an array, found float"),
    ],
)
def test_a_bundle_checks_itself(arguments, message):
    with pytest.raises(ValueError, match=message):
        ModelBundle(*arguments, **({} if len(arguments) > 1 else {"config": {}}))
