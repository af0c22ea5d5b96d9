"""The device and the precision, from the configuration."""

import subprocess
import sys

import pytest
import torch

from cross_modal_kd.compute import device_for, make_fabric, pick_precision
from cross_modal_kd.config.training import TrainingConfig


def test_precision_is_that_of_the_device():
    assert pick_precision(TrainingConfig(compute={"precision": "16-mixed"})) == "16-mixed"
    assert pick_precision(TrainingConfig(compute={"accelerator": "cpu"})) == "32-true"


@pytest.mark.parametrize(
    ("accelerator", "cuda", "mps", "expected"),
    [
        ("cpu", True, True, "cpu"),
        ("auto", True, True, "cuda"),
        ("auto", False, True, "mps"),
        ("auto", False, False, "cpu"),
        ("cuda", False, False, "cuda"),
    ],
)
def test_embeddings_are_made_where_training_is(monkeypatch, accelerator, cuda, mps, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert device_for(accelerator).type == expected


def test_a_fabric_is_of_one_device_and_of_the_configured_precision():
    fabric = make_fabric(TrainingConfig(compute={"accelerator": "cpu", "precision": "bf16-mixed"}))
    assert fabric.device.type == "cpu" == device_for("cpu").type
    assert fabric.world_size == 1
    assert fabric.strategy.precision.precision == "bf16-mixed"


def test_ranks_wait_for_a_dev_split_that_takes_hours():
    """The first measures it alone: by default the others give up after half an hour, of a GPU after ten minutes."""
    asked = (
        "import torch; from cross_modal_kd.compute import make_fabric;"
        "from cross_modal_kd.config import TrainingConfig;"
        "make_fabric(TrainingConfig(compute={'accelerator': 'cpu', 'strategy': 'ddp'})).launch();"
        "group = torch.distributed.group.WORLD._get_backend(torch.device('cpu'));"
        "print(group.options._timeout.total_seconds() / 3600)"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.split()[-1]) >= 12


@pytest.mark.skipif(torch.cuda.is_available(), reason="with a GPU torch looks for it once")
def test_no_step_looks_for_a_gpu_where_there_is_none(monkeypatch):
    make_fabric(TrainingConfig(compute={"accelerator": "cpu"}))
    monkeypatch.setattr(torch.cuda, "_device_count_nvml", lambda: pytest.fail("a step has opened NVML"))
    weight = torch.nn.Parameter(torch.ones(2))
    weight.grad = torch.ones(2)
    torch.optim.AdamW([weight]).step()
