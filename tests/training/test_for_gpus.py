"""What is done for GPUs alone: it leaves no setting behind, no name and no value changes, a CPU does as before."""

import logging

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from cross_modal_kd.compute import repeatable
from cross_modal_kd.config import TrainingConfig
from cross_modal_kd.losses import full_products
from cross_modal_kd.losses.precision import no_autocast
from cross_modal_kd.training.gpu import compiled, eager, laid_out, like_parameters
from training_toys import CONFIG, TinyStudent, module, same, train, weights_of

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.fixture
def allowed():
    """TF32 allowed, as NVIDIA's images have it."""
    torch.set_float32_matmul_precision("high")
    yield
    torch.set_float32_matmul_precision("highest")


def test_losses_of_a_gpu_multiply_in_float32_whatever_is_allowed(allowed):
    products = torch.backends.cuda.matmul
    with full_products(CPU):
        assert products.fp32_precision == "tf32"
    with pytest.raises(ZeroDivisionError), full_products(CUDA):
        assert products.fp32_precision == "ieee"
        raise ZeroDivisionError
    assert torch.get_float32_matmul_precision() == "high"
    with FakeTensorMode():
        on_gpu = torch.empty(1, device="cuda")
    with no_autocast(on_gpu):
        assert products.fp32_precision == "ieee"
    products.allow_tf32 = False
    products.fp32_precision = "tf32"  # the setting's newer name, which the older ones do not know of
    with full_products(CUDA):
        assert products.fp32_precision == "ieee"
    assert products.fp32_precision == "tf32"


def test_the_setting_is_left_as_it_was_found_and_torch_can_still_read_it():
    """Lightning reads it under its oldest name, and torch refuses where the names disagree."""
    products = torch.backends.cuda.matmul
    for allowed in (True, False, True, False):
        products.allow_tf32 = allowed
        with full_products(CUDA):
            assert products.fp32_precision == "ieee"
        assert products.allow_tf32 is allowed
        assert torch.get_float32_matmul_precision() == ("high" if allowed else "highest")


def test_algorithms_of_a_gpu_are_deterministic_in_a_training_alone():
    filled = torch.utils.deterministic.fill_uninitialized_memory
    for device, wanted, expected in [(CUDA, True, True), (CUDA, False, False), (CPU, True, False)]:
        with repeatable(device, wanted):
            assert torch.are_deterministic_algorithms_enabled() is expected
        assert not torch.are_deterministic_algorithms_enabled()
        assert torch.utils.deterministic.fill_uninitialized_memory is filled
    torch.use_deterministic_algorithms(True)
    try:
        with repeatable(CUDA, True):
            assert not torch.is_deterministic_algorithms_warn_only_enabled()
        assert torch.are_deterministic_algorithms_enabled()
    finally:
        torch.use_deterministic_algorithms(False)


def test_run_keys_and_checkpoints_know_of_a_gpus_settings_only_where_they_are_not_the_defaults():
    plain = TrainingConfig().model_dump()
    assert not {"deterministic", "compile"} & plain.keys()
    assert TrainingConfig(**plain) == TrainingConfig()
    said = TrainingConfig(deterministic=False, compile=True).model_dump(mode="json")
    assert said == {**plain, "deterministic": False, "compile": True}


def test_nothing_is_compiled_on_a_cpu_which_is_said(caplog):
    one, other = module(), module()
    plain = train(one)
    with caplog.at_level(logging.INFO):
        assert train(other, config=CONFIG.model_copy(update={"compile": True})) == plain
    assert same(weights_of(one), weights_of(other))
    assert "on cpu nothing is compiled" in caplog.text


def test_a_compiled_network_keeps_the_names_of_its_weights():
    student = torch.nn.Module()
    student.encoder = torch.nn.Sequential(torch.nn.Linear(3, 2))
    names = list(student.state_dict())
    assert compiled(student, CUDA, "training")
    assert list(student.state_dict()) == names
    with eager(True):
        assert student.encoder(torch.zeros(4, 3)).shape == (4, 2)


def test_weights_lie_channels_last_with_the_same_values_and_so_does_an_optimisers_state():
    network = torch.nn.Sequential(torch.nn.Conv2d(4, 6, 3), torch.nn.Flatten(), TinyStudent())
    before = weights_of(network)
    laid_out(network, CPU)
    assert network[0].weight.is_contiguous()
    laid_out(network, CUDA)
    assert same(before, weights_of(network))
    assert network[0].weight.is_contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters())
    for parameter in network.parameters():
        parameter.grad = torch.rand_like(parameter)
    optimizer.step()
    state = optimizer.state_dict()
    contiguous = {
        number: {name: value.contiguous() for name, value in values.items()}
        for number, values in state["state"].items()
    }
    found = like_parameters({**state, "state": contiguous}, optimizer, CUDA)["state"]
    assert found[0]["exp_avg"].stride() == network[0].weight.stride() != contiguous[0]["exp_avg"].stride()
    assert all(same(found[number], contiguous[number]) for number in contiguous)
    assert like_parameters(state, optimizer, CPU) is state
