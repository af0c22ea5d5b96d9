"""Encoders by name from the libraries that keep them: timm and torchvision for images, speechbrain for speech.

Every encoder built here takes a batch of raw inputs as the modality reads them (uint8 images, float waveforms), owns
its own feature extraction, returns one vector per input and has an attribute ``num_features``.
"""

from difflib import get_close_matches
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from cross_modal_kd.config.encoder import EncoderConfig, InputConfig

if TYPE_CHECKING:
    from collections.abc import Callable


class Encoder(nn.Module):
    """Raw inputs (B, ...) to features (B, num_features)."""

    num_features: int


class ImageEncoder(Encoder):
    """A network over uint8 images (B, C, H, W), scaled to (x / 255 - 0.5) / 0.25.

    Weights and images lie in memory channels last, which convolutions on a CPU want (and tensor cores too).
    """

    def __init__(self, network: nn.Module, num_features: int) -> None:
        super().__init__()
        self.network = network.to(memory_format=torch.channels_last)
        self.num_features = num_features

    def forward(self, images: Tensor) -> Tensor:
        scaled = (images.float() / 255 - 0.5) / 0.25
        return self.network(scaled.contiguous(memory_format=torch.channels_last))


def _timm(name: str, channels: int, options: dict) -> ImageEncoder:
    import timm

    if name not in timm.list_models():
        close = get_close_matches(name, timm.list_models(), n=8)
        raise ValueError(f"encoder.name {name!r} is not a timm model; near it: {', '.join(close) or 'nothing'}")
    network = timm.create_model(name, num_classes=0, in_chans=channels, **options)
    return ImageEncoder(network, int(network.num_features))  # type: ignore[arg-type]


def _torchvision(name: str, in_channels: int, options: dict) -> ImageEncoder:
    """VGG's convolutions (Simonyan & Zisserman, 2015) with batch norm, and the mean over what is left of the image.

    Options: ``channels``, of each stage, after which the image is halved; ``convs``, convolutions a stage (1). Small
    images want it: a residual network of timm's leaves a quarter of their side before its first block.
    """
    from torchvision.models.vgg import make_layers

    if name != "vgg":
        raise ValueError(f"encoder.name {name!r} is not known for torchvision; expected one of: ['vgg']")
    unknown = sorted(set(options) - {"channels", "convs"})
    stages = options.get("channels", [])
    if unknown or not stages or not all(isinstance(size, int) and size > 0 for size in stages):
        raise ValueError(
            "encoder.options of torchvision's vgg: expected channels, a list of sizes (one a stage), and convs, the "
            f"convolutions of a stage; found {options}"
        )
    layers = [layer for size in stages for layer in [size] * int(options.get("convs", 1)) + ["M"]]
    convolutions = make_layers(layers, batch_norm=True)
    if in_channels != 3:
        first = convolutions[0]
        convolutions[0] = nn.Conv2d(in_channels, first.out_channels, 3, padding=1)
    return ImageEncoder(nn.Sequential(convolutions, nn.AdaptiveAvgPool2d(1), nn.Flatten()), stages[-1])


class LogMel(nn.Module):
    """Waveforms (B, T) to log-mel features (B, frames, n_mels): 25 ms windows every 10 ms, minus the mean over time."""

    def __init__(self, sample_rate: int, n_mels: int) -> None:
        super().__init__()
        from torchaudio.transforms import MelSpectrogram

        window = int(0.025 * sample_rate)
        n_fft = 1 << (window - 1).bit_length()
        self.mel = MelSpectrogram(
            sample_rate, n_fft=n_fft, win_length=window, hop_length=int(0.010 * sample_rate), n_mels=n_mels
        )

    def forward(self, waveforms: Tensor) -> Tensor:
        with torch.autocast(waveforms.device.type, enabled=False):  # bf16 would round the energies before their log
            features = (self.mel(waveforms.float()) + 1e-6).log().transpose(1, 2)
            return features - features.mean(dim=1, keepdim=True)


class SpeechEncoder(Encoder):
    """A speechbrain speaker network over log-mel features of waveforms (B, T)."""

    def __init__(self, name: str, sample_rate: int, n_mels: int, options: dict) -> None:
        super().__init__()
        self.features = LogMel(sample_rate, n_mels)
        builders: dict[str, Callable[..., nn.Module]] = _speech_builders()
        if name not in builders:
            raise ValueError(f"encoder.name {name!r} is not known for speechbrain; expected one of: {sorted(builders)}")
        self.num_features = int(options.get("lin_neurons", 192))
        self.network = builders[name](input_size=n_mels, **{"lin_neurons": self.num_features, **options})

    def forward(self, waveforms: Tensor) -> Tensor:
        return self.network(self.features(waveforms)).flatten(1)


def _speech_builders() -> "dict[str, Callable[..., nn.Module]]":
    from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN
    from speechbrain.lobes.models.ResNet import ResNet

    return {"ECAPA_TDNN": ECAPA_TDNN, "ResNet": ResNet}


def create_encoder(config: EncoderConfig, inputs: InputConfig) -> Encoder:
    """The trainable encoder that ``config`` names.

    Raises:
        ValueError: the library trains no encoder here, or has none of that name.
    """
    if config.library == "timm":
        return _timm(config.name, inputs.image.channels, dict(config.options))
    if config.library == "torchvision":
        return _torchvision(config.name, inputs.image.channels, dict(config.options))
    if config.library == "speechbrain":
        speech = inputs.speech
        return SpeechEncoder(config.name, speech.sample_rate, speech.n_mels, dict(config.options))
    raise ValueError(
        f"encoder.library {config.library!r} is used pretrained and frozen only; "
        "a trained encoder needs timm, torchvision or speechbrain"
    )
