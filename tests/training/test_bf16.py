"""bf16 on a CPU: what torch would compute from memory that nobody has written is refused."""

from functools import partial

import pytest
import torch
from torch import nn

from cross_modal_kd.training.bf16 import refused_on_cpu
from training_toys import CONFIG, DIM, FEATURES, module, train

CPU = torch.device("cpu")
NARROW = {
    "a point that is halved": (nn.Conv2d(1, 1, 3, stride=2, padding=1), (2, 1, 1, 1)),
    "a column that is halved": (nn.Conv2d(1, 1, (1, 3), stride=2, padding=(0, 1)), (2, 1, 4, 1)),
    "frames": (nn.Conv1d(1, 1, 3, stride=4, padding=1), (2, 1, 3)),
}
WIDE = {
    "two points": (partial(nn.Conv2d, 1, 1, 3, stride=2, padding=1), (2, 1, 1, 2)),
    "a kernel of one point": (partial(nn.Conv2d, 1, 1, 1, stride=2), (2, 1, 1, 1)),
    "no stride": (partial(nn.Conv1d, 1, 1, 3, padding=1), (2, 1, 1)),
}


@pytest.mark.parametrize("name", NARROW)
def test_a_stride_beyond_the_input_is_refused_in_training_alone(name):
    network, shape = nn.Sequential(NARROW[name][0]), NARROW[name][1]
    with refused_on_cpu(network, CPU, "bf16-mixed"):
        with pytest.raises(
            ValueError, match=r"precision bf16-mixed: .*convolution 0 \(stride \d, input \d wide\).*32-"
        ):
            network.train()(torch.zeros(shape))
        network.eval()(torch.zeros(shape))
    for device, precision in ((CPU, "32-true"), (torch.device("cuda"), "bf16-mixed")):
        with refused_on_cpu(network.train(), device, precision):
            network(torch.zeros(shape))
    network(torch.zeros(shape))  # nothing of it is left


@pytest.mark.parametrize("name", WIDE)
def test_what_is_refused_is_all_that_differs_from_float32(name):
    build, shape = WIDE[name]
    torch.manual_seed(0)
    network, inputs, found = build(), torch.randn(shape), []
    for half in (False, True):
        network.weight.grad = None
        with refused_on_cpu(network, CPU, "bf16-mixed"), torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
            network(inputs).float().square().sum().backward()
        found.append(network.weight.grad.clone())
    assert torch.allclose(*found, rtol=0.05, atol=0.05 * float(found[0].abs().max()))


def test_a_training_ends_with_it():
    made = module()
    made.student = nn.Sequential(
        nn.Unflatten(1, (FEATURES, 1, 1)), nn.Conv2d(FEATURES, DIM, 3, stride=2, padding=1), nn.Flatten()
    )
    compute = CONFIG.compute.model_copy(update={"precision": "bf16-mixed"})
    with pytest.raises(ValueError, match="torch has no right gradient for the convolution student.1 "):
        train(made, config=CONFIG.model_copy(update={"compute": compute}))
