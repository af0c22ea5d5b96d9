"""ECAPA-TDNN as a GPU wants it: the same weights and the same function, channels last, without copies of no use.

speechbrain pads every convolution by reflection, those of one point too: on a GPU that copies each activation once
forward, and backward adds its gradient number by number in an order that changes from run to run. It also lays the
mean and the deviation of the whole utterance beside every frame (three times the channels, in float32) where they take
part in one product. Here time is the height of a picture of width 1, whose channels lie next to each other in memory,
as tensor cores and cuDNN's norms want it. A CPU runs speechbrain's own code, but for the padding of convolutions of
one point.
"""

from typing import Any

import torch
from speechbrain.lobes.models.ECAPA_TDNN import (
    ECAPA_TDNN,
    AttentiveStatisticsPooling,
    Res2NetBlock,
    SEBlock,
    SERes2NetBlock,
    TDNNBlock,
)
from speechbrain.nnet.CNN import Conv1d
from torch import Tensor, nn
from torch.nn import functional as F

from cross_modal_kd.modalities.speech.pooling import WholePooling


class Ecapa(ECAPA_TDNN):
    """speechbrain's network, with names and shapes of its weights; ``laid_out`` on a GPU, without dropout.

    WeSpeaker's of the same paper is another in four things: convolutions are padded with zeros; no norm follows the
    last of them; the attention has neither rectifier nor norm; and its context's deviation of L frames is that over
    L - 1. Variances are at least 1e-7 (our reading; an older state of it has 1e-10): channels silent all along see it.

    Args:
        *given: as speechbrain has them.
        form: ``wespeaker`` for that one, which is ``laid_out`` nowhere; None for speechbrain's.
        **options: as speechbrain has them.
    """

    asp: Any

    def __init__(self, *given: Any, form: str | None = None, **options: Any) -> None:
        super().__init__(*given, **options)
        if form == "wespeaker":
            for layer in self.modules():
                if isinstance(layer, Conv1d):
                    layer.padding_mode = "constant"
            self.mfa.norm, self.asp.tdnn.activation, self.asp.tdnn.norm = (nn.Identity() for _ in range(3))
            self.asp.eps = 1e-7
            self.asp = WholePooling(self.asp, unbiased=True)
        for layer in self.modules():
            if isinstance(layer, Conv1d) and layer.kernel_size == 1:
                layer.padding = "valid"  # "same" pads by nothing, and copies its input to do so
        self._drops = any(isinstance(layer, nn.Dropout1d) and layer.p > 0 for layer in self.modules())

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Features to embeddings.

        Args:
            x: (B, T, F) features.
            lengths: share of each row that counts; None counts all of all.

        Returns:
            (B, 1, lin_neurons).
        """
        whole = lengths is None and isinstance(self.asp, AttentiveStatisticsPooling)  # an export puts another there
        if x.is_cuda and whole and not self._drops:
            return laid_out(self, x)
        return super().forward(x, lengths)


def laid_out(network: ECAPA_TDNN, x: Tensor) -> Tensor:
    """What the network gives, but for rounding.

    Args:
        network: without dropout.
        x: (B, T, F) features, all of which count.

    Returns:
        (B, 1, lin_neurons).
    """
    x = x.transpose(1, 2)[..., None].contiguous(memory_format=torch.channels_last)
    layers = []
    for layer in network.blocks:
        x = _tdnn(layer, x) if isinstance(layer, TDNNBlock) else _block(layer, x)
        layers.append(x)
    x = _tdnn(network.mfa, torch.cat(layers[1:], dim=1))
    pooled = _norm(network.asp_bn.norm, _pool(network.asp, x))
    return _convolve(network.fc.conv, pooled)[..., 0].transpose(1, 2)


def _block(block: SERes2NetBlock, x: Tensor) -> Tensor:
    residual = x if block.shortcut is None else _convolve(block.shortcut.conv, x)
    x = _tdnn(block.tdnn2, _res2net(block.res2net_block, _tdnn(block.tdnn1, x)))
    return torch.addcmul(residual, _gate(block.se_block, x), x)


def _res2net(block: Res2NetBlock, x: Tensor) -> Tensor:
    first, *others = x.chunk(block.scale, dim=1)
    done: list[Tensor] = []
    for tdnn, part in zip(block.blocks, others, strict=True):
        done.append(_tdnn(tdnn, part + done[-1] if done else part))
    return torch.cat([first, *done], dim=1)


def _gate(block: SEBlock, x: Tensor) -> Tensor:
    squeezed = torch.relu(_convolve(block.conv1.conv, x.mean(dim=2, keepdim=True)))
    return torch.sigmoid(_convolve(block.conv2.conv, squeezed))


def _pool(asp: Any, x: Tensor) -> Tensor:
    """(B, 2 C, 1, 1): mean and deviation over time, weighed by attention."""
    conv, norm = asp.tdnn.conv.conv, asp.tdnn.norm.norm
    if asp.global_context:
        weight, channels = conv.weight[..., None], x.shape[1]
        context = F.conv2d(torch.cat(_statistics(x, 1 / x.shape[2], asp.eps), 1), weight[:, channels:], conv.bias)
        hidden = F.conv2d(x, weight[:, :channels]) + context
    else:
        hidden = _convolve(conv, x)
    attention = _convolve(asp.conv.conv, asp.tanh(_norm(norm, asp.tdnn.activation(hidden)))).softmax(dim=2)
    return torch.cat(_statistics(x, attention, asp.eps), 1)


def _statistics(x: Tensor, weights: Tensor | float, eps: float) -> tuple[Tensor, Tensor]:
    """(B, C, 1, 1) mean and deviation over time, in float32 at least."""
    x = x if x.dtype == torch.float64 else x.float()
    mean = (x * weights).sum(2, keepdim=True)
    return mean, ((x - mean).square() * weights).sum(2, keepdim=True).clamp(eps).sqrt()


def _tdnn(block: TDNNBlock, x: Tensor) -> Tensor:
    return _norm(block.norm.norm, block.activation(_convolve(block.conv.conv, x)))


def _convolve(conv: nn.Conv1d, x: Tensor) -> Tensor:
    (kernel,), (dilation,) = conv.kernel_size, conv.dilation
    if pad := dilation * (kernel - 1) // 2:
        x = _reflected(x, pad) if torch.compiler.is_compiling() else _Reflected.apply(x, pad)
    return F.conv2d(x, conv.weight[..., None], conv.bias, dilation=(dilation, 1), groups=conv.groups)


def _norm(norm: nn.BatchNorm1d, x: Tensor) -> Tensor:
    """The norm, which itself would have its input with the channels apart."""
    if norm.training and norm.num_batches_tracked is not None:
        norm.num_batches_tracked.add_(1)
    return F.batch_norm(
        x, norm.running_mean, norm.running_var, norm.weight, norm.bias, norm.training, norm.momentum or 0.0, norm.eps
    )


def _reflected(x: Tensor, pad: int) -> Tensor:
    """(B, C, T + 2 pad, 1)."""
    return torch.cat([x[:, :, 1 : pad + 1].flip(2), x, x[:, :, -pad - 1 : -1].flip(2)], dim=2)


class _Reflected(torch.autograd.Function):
    """``_reflected`` with a gradient that comes out the same each time, in as few kernels as it takes."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, pad: int) -> Tensor:
        ctx.pad = pad
        return _reflected(x, pad).contiguous(memory_format=torch.channels_last)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (gradient,), pad = gradients, ctx.pad
        inner = gradient[:, :, pad:-pad].clone(memory_format=torch.channels_last)
        inner[:, :, 1 : pad + 1] += gradient[:, :, :pad].flip(2)
        inner[:, :, -pad - 1 : -1] += gradient[:, :, -pad:].flip(2)
        return inner, None
