"""Encoders of speech: speaker networks of speechbrain, and of torchvision's blocks, over log-mel features."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from cross_modal_kd.modalities.speech.config import WINDOW_S, SpecAugment, SpeechAugmentation, fourier_points
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


class _OnLogMel(Encoder):
    """An encoder of log-mel features, which are masked in training where ``mask_features`` was called."""

    def __init__(self, sample_rate: int, n_mels: int) -> None:
        super().__init__()
        self.features = LogMel(sample_rate, n_mels)
        self._masks: SpecAugment | None = None

    def mask_features(self, augmentation: SpeechAugmentation) -> None:
        """As ``spec_augment`` says. See ``Encoder.mask_features``."""
        self._masks = augmentation.spec_augment

    def heard(self, waveforms: Tensor) -> Tensor:
        """Waveforms to features.

        Args:
            waveforms: (B, T) float in [-1, 1].

        Returns:
            (B, frames, n_mels).
        """
        features = self.features(waveforms)
        return masked(features, self._masks) if self.training and self._masks is not None else features


def masked(features: Tensor, masks: SpecAugment) -> Tensor:
    """Features with a mask over bands and one over frames, drawn for each sound by torch's own generator.

    Args:
        features: (B, frames, bands), of mean 0 over time.
        masks: how wide, and how often.

    Returns:
        (B, frames, bands), with 0 where a mask lies.
    """
    from torchaudio.functional import mask_along_axis_iid

    pictures = features[:, None]
    for axis, widest in ((3, masks.bands), (2, masks.frames)):
        pictures = mask_along_axis_iid(pictures, widest + 1, 0.0, axis)
    chosen = torch.rand(len(features), 1, 1, device=features.device) < masks.probability
    return torch.where(chosen, pictures[:, 0], features)


class SpeechEncoder(_OnLogMel):
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
        super().__init__(sample_rate, n_mels)
        self.num_features = int(options.get("lin_neurons", 192))
        self.network = _builders()[name](input_size=n_mels, **{"lin_neurons": self.num_features, **options})

    def forward(self, waveforms: Tensor) -> Tensor:
        """Waveforms to features.

        Args:
            waveforms: (B, T) float in [-1, 1], at the encoder's rate.

        Returns:
            (B, num_features).
        """
        return self.network(self.heard(waveforms)).flatten(1)

    def make_portable(self) -> None:
        """ECAPA_TDNN's pooling takes sounds whole. See ``Encoder.make_portable``."""
        from speechbrain.lobes.models.ECAPA_TDNN import AttentiveStatisticsPooling

        pooling = getattr(self.network, "asp", None)
        if isinstance(pooling, AttentiveStatisticsPooling):
            self.network.asp = WholePooling(pooling)


class StatisticsEncoder(_OnLogMel):
    """A residual network over log-mel features as a picture, then mean and deviation over time (TSTP).

    Of each channel and band at the end: with F bands and c channels at first, 2 (8 c) (F / 8) numbers.
    3 x 3 convolutions from the first layer on, no pooling before the end, strides 1, 2, 2, 2: the ResNet of speaker
    recognition (Zeinali et al., "BUT system description to VoxCeleb speaker recognition challenge 2019"; WeSpeaker's
    ResNet34 with TSTP). The blocks are torchvision's.

    Args:
        name: ``ResNet18`` or ``ResNet34``.
        sample_rate: of the waveforms, in Hz.
        n_mels: F, bands of the features.
        channels: c, of the first stage; every further one doubles them.
    """

    def __init__(self, name: str, sample_rate: int, n_mels: int, channels: int = 32) -> None:
        super().__init__(sample_rate, n_mels)
        self.stem = nn.Sequential(
            nn.Conv2d(1, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.ReLU(inplace=True)
        )
        stages, before, bands = [], channels, n_mels
        for place, count in enumerate(DEPTHS[name]):
            stride = 1 if place == 0 else 2
            stages.append(_stage(before, channels << place, count, stride))
            before, bands = channels << place, -(-bands // stride)
        self.stages = nn.Sequential(*stages)
        self.num_features = 2 * before * bands

    def forward(self, waveforms: Tensor) -> Tensor:
        """Waveforms to statistics.

        Args:
            waveforms: (B, T) float in [-1, 1], at the encoder's rate.

        Returns:
            (B, num_features): means, then deviations.
        """
        pictures = self.heard(waveforms).transpose(1, 2).unsqueeze(1)
        frames = self.stages(self.stem(pictures)).flatten(1, 2).float()
        mean = frames.mean(dim=2)
        spread = (frames - mean.unsqueeze(2)).square().mean(dim=2)
        return torch.cat([mean, (spread + 1e-7).sqrt()], dim=1)


DEPTHS = {"ResNet18": (2, 2, 2, 2), "ResNet34": (3, 4, 6, 3)}


def _stage(before: int, channels: int, count: int, stride: int) -> nn.Sequential:
    from torchvision.models.resnet import BasicBlock

    shortcut = None
    if stride != 1 or before != channels:
        shortcut = nn.Sequential(nn.Conv2d(before, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))
    others = [BasicBlock(channels, channels) for _ in range(count - 1)]
    return nn.Sequential(BasicBlock(before, channels, stride, shortcut), *others)


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
