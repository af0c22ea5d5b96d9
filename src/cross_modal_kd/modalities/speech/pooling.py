"""Attentive statistics over time."""

import torch
from torch import Tensor, nn


class WholePooling(nn.Module):
    """speechbrain's attentive statistics over sounds that are heard whole: without its mask of lengths.

    An exported graph would keep the mask's size of one batch.

    Args:
        pooling: an ``AttentiveStatisticsPooling``, whose layers are used.
        unbiased: whether the deviation of L frames that the attention sees is that over L - 1, as WeSpeaker has it.
    """

    def __init__(self, pooling: nn.Module, unbiased: bool = False) -> None:
        super().__init__()
        self._unbiased = unbiased
        self.attention = nn.Sequential(*(getattr(pooling, name) for name in ("tdnn", "tanh", "conv")))
        self.global_context, self.eps = bool(pooling.global_context), float(pooling.eps)  # type: ignore[arg-type]

    def forward(self, frames: Tensor, lengths: None = None) -> Tensor:
        """Mean and deviation of each channel, weighted by attention.

        Args:
            frames: (B, C, L).
            lengths: of padded sounds, which there are none of.

        Returns:
            (B, 2 C, 1).
        """
        attended = frames
        if self.global_context:
            mean, spread = self._statistics(frames, torch.ones_like(frames[:, :1]) / frames.shape[2])
            if self._unbiased:
                spread = (frames.var(dim=2) + self.eps).sqrt()
            flat = (each.unsqueeze(2).expand_as(frames) for each in (mean, spread))
            attended = torch.cat([frames, *flat], dim=1)
        weights = self.attention(attended).softmax(dim=2)
        return torch.cat(self._statistics(frames, weights), dim=1).unsqueeze(2)

    def _statistics(self, frames: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        mean = (weights * frames).sum(dim=2)
        squares = (weights * (frames - mean.unsqueeze(2)).square()).sum(dim=2)
        return mean, squares.clamp(self.eps).sqrt()
