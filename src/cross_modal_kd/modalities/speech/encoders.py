"""Encoders of speech: speechbrain's speaker networks over log-mel features."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from cross_modal_kd.modalities.speech.config import WINDOW_S, fourier_points
from cross_modal_kd.models import Encoder


class LogMel(nn.Module):
    """Waveforms (B, T) to log-mel features (B, frames, n_mels): 25 ms windows every 10 ms, minus the mean over time.

    Args:
        sample_rate: of the waveforms, in Hz.
        n_mels: bands.
    """

    def __init__(self, sample_rate: int, n_mels: int) -> None:
        super().__init__()
        from torchaudio.transforms import MelSpectrogram

        hop = int(0.010 * sample_rate)
        with torch.device("cpu"):  # it looks at its own filters, which a network that is only outlined has not
            self.mel = MelSpectrogram(
                sample_rate,
                n_fft=fourier_points(sample_rate),
                win_length=int(WINDOW_S * sample_rate),
                hop_length=hop,
                n_mels=n_mels,
            )

    def forward(self, waveforms: Tensor) -> Tensor:
        """Waveforms to features, in float32 under autocast too.

        Args:
            waveforms: (B, T) float in [-1, 1].

        Returns:
            (B, frames, n_mels) float32, with 1 + T // (samples in 10 ms) frames.
        """
        with torch.autocast(waveforms.device.type, enabled=False):  # bf16 would round the energies before their log
            features = (self.mel(waveforms.float()) + 1e-6).log().transpose(1, 2)
            return features - features.mean(dim=1, keepdim=True)


class SpeechEncoder(Encoder):
    """A speechbrain speaker network over log-mel features of waveforms (B, T).

    Args:
        name: ``ECAPA_TDNN`` or ``ResNet``.
        sample_rate: of the waveforms, in Hz.
        n_mels: bands of the features.
        options: further arguments of the network; ``lin_neurons`` (192) is the length of a feature vector.

    Raises:
        ValueError: another name; the message lists those that there are.
    """

    def __init__(self, name: str, sample_rate: int, n_mels: int, options: dict) -> None:
        super().__init__()
        self.features = LogMel(sample_rate, n_mels)
        self.num_features = int(options.get("lin_neurons", 192))
        self.network = _builders()[name](input_size=n_mels, **{"lin_neurons": self.num_features, **options})

    def forward(self, waveforms: Tensor) -> Tensor:
        """Waveforms to features.

        Args:
            waveforms: (B, T) float in [-1, 1], at the encoder's rate.

        Returns:
            (B, num_features).
        """
        return self.network(self.features(waveforms)).flatten(1)

    def make_portable(self) -> None:
        """ECAPA_TDNN's pooling takes sounds whole. See ``Encoder.make_portable``."""
        from speechbrain.lobes.models.ECAPA_TDNN import AttentiveStatisticsPooling

        pooling = getattr(self.network, "asp", None)
        if isinstance(pooling, AttentiveStatisticsPooling):
            self.network.asp = WholePooling(pooling)


class WholePooling(nn.Module):
    """speechbrain's attentive statistics over sounds that are heard whole: without its mask of lengths.

    An exported graph would keep the mask's size of one batch.

    Args:
        pooling: an ``AttentiveStatisticsPooling``, whose layers are used.
    """

    def __init__(self, pooling: nn.Module) -> None:
        super().__init__()
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
            flat = self._statistics(frames, torch.ones_like(frames[:, :1]) / frames.shape[2])
            attended = torch.cat([frames, *(each.unsqueeze(2).expand_as(frames) for each in flat)], dim=1)
        weights = self.attention(attended).softmax(dim=2)
        return torch.cat(self._statistics(frames, weights), dim=1).unsqueeze(2)

    def _statistics(self, frames: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        mean = (weights * frames).sum(dim=2)
        squares = (weights * (frames - mean.unsqueeze(2)).square()).sum(dim=2)
        return mean, squares.clamp(self.eps).sqrt()


def _builders() -> dict[str, Callable[..., nn.Module]]:
    from speechbrain.lobes.models.ResNet import ResNet

    from cross_modal_kd.modalities.speech.ecapa import Ecapa

    return {"ECAPA_TDNN": Ecapa, "ResNet": ResNet}
