"""ECAPA-TDNN as a GPU runs it is speechbrain's, in value, in gradient and in what its norms remember."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

TINY = {
    "channels": [24, 16, 16, 16, 48],
    "kernel_sizes": [5, 3, 3, 3, 1],
    "dilations": [1, 2, 3, 4, 1],
    "attention_channels": 8,
    "res2net_scale": 4,
    "se_channels": 8,
    "lin_neurons": 12,
}


def networks(**options):
    # not at the top: hypothesis looks at every module that is there when tests are collected, and some of
    # SpeechBrain's import what is not installed when they are looked at
    from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN

    from cross_modal_kd.modalities.speech.ecapa import Ecapa

    torch.manual_seed(0)
    theirs = ECAPA_TDNN(10, **TINY, **options).double()
    ours = Ecapa(10, **TINY, **options).double()
    ours.load_state_dict(theirs.state_dict())
    return theirs, ours


@pytest.mark.parametrize("options", [{}, {"global_context": False}, {"groups": [2, 1, 1, 1, 1]}])
def test_a_gpu_computes_the_same_function(options):
    from cross_modal_kd.modalities.speech.ecapa import laid_out

    theirs, ours = networks(**options)
    features = torch.randn(6, 23, 10, dtype=torch.float64)
    weights = torch.randn(6, 1, 12, dtype=torch.float64)
    expected, found = theirs(features), laid_out(ours, features)
    torch.testing.assert_close(found, expected)
    (expected * weights).sum().backward()
    (found * weights).sum().backward()
    for (name, one), other in zip(theirs.named_parameters(), ours.parameters(), strict=True):
        torch.testing.assert_close(other.grad, one.grad, msg=name)
    for name, value in theirs.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[name], value, msg=name)
    theirs.eval(), ours.eval()
    torch.testing.assert_close(laid_out(ours, features), theirs(features))


def test_a_cpu_runs_the_code_of_speechbrain():
    theirs, ours = networks()
    features = torch.randn(6, 23, 10, dtype=torch.float64)
    assert torch.equal(theirs(features), ours(features))


def test_a_cpu_pads_no_convolution_by_nothing_and_every_gradient_is_the_same_to_the_bit():
    theirs, ours = networks()
    padded = []
    for network in (theirs, ours):
        with Pads() as pads:
            network(torch.linspace(-1, 1, 6 * 23 * 10, dtype=torch.float64).view(6, 23, 10)).square().sum().backward()
        padded.append(pads.wider)
    assert all(padded[1]) and sum(padded[0]) == len(padded[1]) < len(padded[0])
    pairs = zip(theirs.named_parameters(), ours.parameters(), strict=True)
    assert [name for (name, one), other in pairs if not torch.equal(one.grad, other.grad)] == []


class Pads(TorchDispatchMode):
    """Whether each padding makes its input longer."""

    def __init__(self):
        super().__init__()
        self.wider = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        given = function(*args, **(kwargs or {}))
        if function.overloadpacket.__name__ == "reflection_pad1d":
            self.wider.append(given.shape[-1] > args[0].shape[-1])
        return given


def test_padding_is_that_of_torch_and_its_gradient_too():
    from cross_modal_kd.modalities.speech.ecapa import _Reflected

    x = torch.randn(2, 3, 9, 1, dtype=torch.float64, requires_grad=True)
    expected = torch.nn.functional.pad(x[..., 0], (4, 4), mode="reflect")[..., None]
    assert torch.equal(_Reflected.apply(x, 4), expected)
    assert torch.autograd.gradcheck(lambda given: _Reflected.apply(given, 4), x)
