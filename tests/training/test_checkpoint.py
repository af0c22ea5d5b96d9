"""State on disk: what goes in comes out, and what is no state is refused."""

import pytest
import torch
from safetensors.torch import save_file

from cross_modal_kd.config import DECIDES
from cross_modal_kd.training.checkpoint import Checkpoint, load_state, save_state, to_device
from training_toys import CONFIG, train


def test_nested_state_comes_back_as_it_was(tmp_path):
    state = {
        "tensors": {"a": torch.randn(2, 3), 1: [torch.tensor(4.5), torch.arange(3)]},
        "plain": {"text": "é", "none": None, "yes": True, "third": 1 / 3, "nan": float("inf")},
        "empty": [{}, []],
    }
    save_state(tmp_path / "new" / "state.safetensors", state)
    loaded = load_state(tmp_path / "new" / "state.safetensors")
    assert torch.equal(loaded["tensors"]["a"], state["tensors"]["a"])
    assert loaded["tensors"][1][0].shape == () and loaded["tensors"][1][0] == 4.5
    assert loaded["tensors"][1][1].dtype == torch.int64
    assert loaded["plain"] == state["plain"]
    assert loaded["empty"] == state["empty"]


def test_views_of_one_memory_are_kept_apart(tmp_path):
    base = torch.arange(6.0)
    save_state(tmp_path / "s", {"a": base[:3], "b": base.view(2, 3).T})
    assert torch.equal(load_state(tmp_path / "s")["b"], base.view(2, 3).T)


def test_an_optimizer_goes_on_from_its_state(tmp_path):
    weight = torch.nn.Parameter(torch.ones(3))
    optimizer = torch.optim.AdamW([weight])
    weight.grad = torch.ones(3)
    optimizer.step()
    save_state(tmp_path / "s", optimizer.state_dict())
    again = torch.optim.AdamW([weight], lr=5.0)
    again.load_state_dict(to_device(load_state(tmp_path / "s"), torch.device("cpu")))
    assert again.param_groups[0]["lr"] == optimizer.param_groups[0]["lr"]
    assert torch.equal(again.state[weight]["exp_avg"], optimizer.state[weight]["exp_avg"])


@pytest.mark.parametrize("content", [b"", b"not a state", b"\x80\x04}\x94."])
def test_a_file_that_is_no_state_is_refused(tmp_path, content):
    file = tmp_path / "state.safetensors"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"state.safetensors is (damaged|not a checkpoint).*delete it to start afresh"):
        load_state(file)


def test_somebody_elses_safetensors_are_refused(tmp_path):
    save_file({"weight": torch.zeros(2)}, tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match="is not a checkpoint of this project"):
        load_state(tmp_path / "model.safetensors")


@pytest.mark.parametrize(
    "tree", ['{"a": 1}', '{"__dict__": 3}', '{"__tensor__": "9"}', '{"__dict__": [1]}', "[" * 100_000]
)
def test_a_state_whose_tree_is_none_is_refused(tmp_path, tree):
    save_file({"0": torch.zeros(2)}, tmp_path / "s.safetensors", metadata={"tree": tree})
    with pytest.raises(ValueError, match=r"s\.safetensors is not a checkpoint of this project"):
        load_state(tmp_path / "s.safetensors")


def test_a_write_that_fails_leaves_the_older_file(tmp_path, monkeypatch):
    file = tmp_path / "state.safetensors"
    save_state(file, {"epoch": 1})

    def fail(*_, **__):
        raise OSError("disk full")

    monkeypatch.setattr("cross_modal_kd.training.checkpoint.save_file", fail)
    with pytest.raises(OSError, match="disk full"):
        save_state(file, {"epoch": 2})
    assert load_state(file) == {"epoch": 1}


@pytest.mark.parametrize("best", [1, 2])
def test_a_checkpoint_that_is_removed_leaves_nothing(tmp_path, best):
    checkpoint = Checkpoint(tmp_path / "[c].safetensors")
    checkpoint.save({"epoch": best}, {"weight": torch.ones(2)}, best)
    assert len(list(tmp_path.iterdir())) == 2
    checkpoint.remove()
    assert not list(tmp_path.iterdir())
    checkpoint.remove()  # once more is no error


def test_only_the_best_weights_of_the_state_are_kept(tmp_path):
    checkpoint = Checkpoint(tmp_path / "c.safetensors")
    for epoch, best in ((1, 1), (2, 2), (3, 2)):
        checkpoint.save({"epoch": epoch}, {"weight": torch.full((2,), float(best))}, best)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["c.best-2.safetensors", "c.safetensors"]
    again = Checkpoint(tmp_path / "c.safetensors")
    assert again.load() == {"epoch": 3} and again.load_best(2)["weight"].tolist() == [2.0, 2.0]
    assert again.load_best(0) is None


def test_a_training_that_was_interrupted_with_other_devices_is_named_with_what_differs(tmp_path, caplog):
    """Else who adds a device after a night would see the training begin again, and not why."""

    def path(key):
        return tmp_path / f"arm-{key * 16}.safetensors"

    two = CONFIG.model_copy(update={"compute": CONFIG.compute.model_copy(update={"devices": 2}), "lr": 0.02})
    save_state(path("c"), {"training": two.model_dump(mode="json", context=DECIDES), "progress": {"epoch": 7}})
    save_state(path("d"), {"training": CONFIG.model_dump(mode="json", context=DECIDES), "progress": {"epoch": 2}})
    for other in ("arm-two-" + "e" * 16, "arm-eee", f"{path('c').stem}.best-3"):
        save_state(tmp_path / f"{other}.safetensors", load_state(path("c")))
    path("f").write_bytes(b"damaged")
    with caplog.at_level("WARNING"):
        train(checkpoint=path("a"))
    assert len(caplog.messages) == 2
    assert "epoch 7, and belongs to another training (training.lr, compute.devices differ)" in caplog.messages[0]
    assert str(path("c")) in caplog.messages[0]
    assert "epoch 2, and belongs to another training (the data, the model or the arm differ)" in caplog.messages[1]
