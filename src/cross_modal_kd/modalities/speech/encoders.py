"""Encoders of speech: speaker networks of speechbrain, and of torchvision's blocks, over mel features."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from cross_modal_kd.modalities.speech.config import SpecAugment, SpeechAugmentation, undithered
from cross_modal_kd.modalities.speech.features import FEATURES, KaldiFbank
from cross_modal_kd.modalities.speech.pooling import WholePooling
from cross_modal_kd.models import Encoder


class _OnFeatures(Encoder):
    """An encoder of mel features, which have dither and masks in training where ``augment_features`` says so."""

    def __init__(self, sample_rate: int, n_mels: int, features: str) -> None:
        super().__init__()
        self.features, self._heard = FEATURES[features](sample_rate, n_mels), features
        self._masks: SpecAugment | None = None

    def augment_features(self, augmentation: SpeechAugmentation) -> None:
        """As ``spec_augment`` and ``dither`` say. See ``Encoder.augment_features``.

        Raises:
            ValueError: there is to be dither, and it hears no filter bank of Kaldi's.
        """
        if isinstance(self.features, KaldiFbank):
            self.features.dither = augmentation.dither
        elif augmentation.dither:
            raise ValueError(undithered(augmentation.dither, self._heard))
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

    def layer_names(self) -> list[list[str]]:
        """A layer for each block of a list of blocks, and for each other part. See ``Encoder.layer_names``."""
        found: dict[tuple[str, ...], list[str]] = {}
        for name, _ in self.named_parameters():
            *parts, _ = name.removeprefix("network.").split(".")
            found.setdefault(tuple(parts[: 2 if parts[0] in ("blocks", "stages") else 1]), []).append(name)
        return list(found.values())


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


class SpeechEncoder(_OnFeatures):
    """A speechbrain speaker network over mel features of waveforms (B, T).

    Args:
        name: ``ECAPA_TDNN`` or ``ResNet``.
        sample_rate: of the waveforms, in Hz.
        n_mels: bands of the features.
        options: further arguments of the network; ``lin_neurons`` (192) is the length of a feature vector. Beside them
            ``features``, which of ``FEATURES`` it hears (``log_mel``).

    Raises:
        ValueError: another name; the message lists those that there are.
    """

    def __init__(self, name: str, sample_rate: int, n_mels: int, options: dict) -> None:
        super().__init__(sample_rate, n_mels, options.get("features", "log_mel"))
        own = {each: value for each, value in options.items() if each != "features"}
        self.num_features = int(own.get("lin_neurons", 192))
        self.network = _builders()[name](input_size=n_mels, **{"lin_neurons": self.num_features, **own})

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


class StatisticsEncoder(_OnFeatures):
    """A residual network over mel features as a picture, then mean and deviation over time (TSTP).

    Of each channel and band at the end: with F bands and c channels at first, 2 (8 c) (F / 8) numbers.
    3 x 3 convolutions from the first layer on, no pooling before the end, strides 1, 2, 2, 2: the ResNet of speaker
    recognition (Zeinali et al., "BUT system description to VoxCeleb speaker recognition challenge 2019"; WeSpeaker's
    ResNet34 with TSTP). The blocks are torchvision's.

    Args:
        name: ``ResNet18`` or ``ResNet34``.
        sample_rate: of the waveforms, in Hz.
        n_mels: F, bands of the features.
        channels: c, of the first stage; every further one doubles them.
        lin_neurons: length of a linear layer on the statistics, then the feature vector; None leaves the statistics.
        unbiased: whether the deviation of L frames is that over L - 1, as torch and WeSpeaker have it.
        features: which of ``FEATURES`` it hears.
    """

    def __init__(
        self,
        name: str,
        sample_rate: int,
        n_mels: int,
        channels: int = 32,
        lin_neurons: int | None = None,
        unbiased: bool = False,
        features: str = "log_mel",
    ) -> None:
        super().__init__(sample_rate, n_mels, features)
        self.stem = nn.Sequential(
            nn.Conv2d(1, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.ReLU(inplace=True)
        )
        stages, before, bands = [], channels, n_mels
        for place, count in enumerate(DEPTHS[name]):
            stride = 1 if place == 0 else 2
            stages.append(_stage(before, channels << place, count, stride))
            before, bands = channels << place, -(-bands // stride)
        self.stages = nn.Sequential(*stages)
        self.num_features = lin_neurons or 2 * before * bands
        self.linear = nn.Linear(2 * before * bands, lin_neurons) if lin_neurons else nn.Identity()
        self._unbiased = unbiased

    def forward(self, waveforms: Tensor) -> Tensor:
        """Waveforms to statistics: means, then deviations; or what the linear layer makes of them.

        Args:
            waveforms: (B, T) float in [-1, 1], at the encoder's rate.

        Returns:
            (B, num_features).
        """
        pictures = self.heard(waveforms).transpose(1, 2).unsqueeze(1)
        frames = self.stages(self.stem(pictures)).flatten(1, 2).float()
        mean = frames.mean(dim=2)
        spread = (frames - mean.unsqueeze(2)).square().mean(dim=2)
        if self._unbiased:
            spread = spread * (frames.shape[2] / max(frames.shape[2] - 1, 1))
        return self.linear(torch.cat([mean, (spread + 1e-7).sqrt()], dim=1))


DEPTHS = {"ResNet18": (2, 2, 2, 2), "ResNet34": (3, 4, 6, 3)}


def _stage(before: int, channels: int, count: int, stride: int) -> nn.Sequential:
    from torchvision.models.resnet import BasicBlock

    shortcut = None
    if stride != 1 or before != channels:
        shortcut = nn.Sequential(nn.Conv2d(before, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))
    others = [BasicBlock(channels, channels) for _ in range(count - 1)]
    return nn.Sequential(BasicBlock(before, channels, stride, shortcut), *others)


def _builders() -> dict[str, Callable[..., nn.Module]]:
    with torch.device("cpu"):  # what the package makes as it is imported stays, where a network is only outlined too
        from speechbrain.lobes.models.ResNet import ResNet

        from cross_modal_kd.modalities.speech.ecapa import Ecapa

    return {"ECAPA_TDNN": Ecapa, "ResNet": ResNet}
