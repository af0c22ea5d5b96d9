"""Encoders of images: timm's networks, and a small VGG of torchvision's layers."""

import inspect
from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path

import torch
from torch import Tensor, nn

from cross_modal_kd.models import Encoder
from cross_modal_kd.storage import require_readable

Scaling = tuple[Sequence[float], Sequence[float]] | None


class ImageEncoder(Encoder):
    """A network over images (B, C, H, W), scaled to (x / 255 - 0.5) / 0.25, or by each channel's mean and deviation.

    Weights and images lie in memory channels last, which convolutions on a CPU want (and tensor cores too).

    Args:
        network: scaled images (B, C, H, W) to features (B, num_features).
        num_features: the length of one feature vector.
        scaling: mean and deviation of each channel, in shares of 255; None takes 0.5 and 0.25.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, num_features: int, scaling: Scaling = None) -> None:
        super().__init__()
        self._scaled = scaling is not None
        for name, values in zip(("mean", "std"), scaling or (), strict=False):
            self.register_buffer(name, torch.tensor(values)[:, None, None], persistent=False)
        self.network = network.to(memory_format=torch.channels_last)
        self.num_features = num_features

    def forward(self, images: Tensor) -> Tensor:
        """Images to features.

        Args:
            images: (B, C, H, W) in [0, 255], uint8 or (augmented) float, with the network's number of channels.

        Returns:
            (B, num_features).
        """
        shares = images.float() / 255
        scaled = (shares - self.mean) / self.std if self._scaled else (shares - 0.5) / 0.25
        return self.network(scaled.contiguous(memory_format=torch.channels_last))

    def layer_names(self) -> list[list[str]]:
        """Of timm's networks as timm has them for layer-wise rates. See ``Encoder.layer_names``."""
        matcher = getattr(self.network, "group_matcher", None)
        if matcher is None:
            return super().layer_names()
        from timm.models import group_parameters

        found = group_parameters(self.network, matcher(coarse=False))
        return [[f"network.{name}" for name in found[number]] for number in sorted(found)]


def timm_encoder(name: str, channels: int, options: dict, scaling: Scaling = None) -> ImageEncoder:
    """The network of that name in timm, without its classifier.

    Args:
        name: one of ``timm.list_models()``.
        channels: of the images, 1 or 3.
        options: further arguments of ``timm.create_model``, of ``TimmOptions`` and ``pretrained``.
        scaling: as of ``ImageEncoder``.

    Returns:
        The encoder; the network decides its ``num_features``.

    Raises:
        ValueError: timm has no model of that name (the message lists those near it), or the file of weights is none.
    """
    import timm

    if name not in timm.list_models():
        close = get_close_matches(name, timm.list_models(), n=8)
        raise ValueError(f"encoder.name {name!r} is not a timm model; near it: {', '.join(close) or 'nothing'}")
    if weights := options.get("pretrained_cfg_overlay"):
        _require_safetensors(Path(weights["file"]))
    network = timm.create_model(name, num_classes=0, in_chans=channels, **options)
    return ImageEncoder(network, int(network.num_features), scaling)  # type: ignore[arg-type]


def timm_takes(name: str, options: Iterable[str]) -> list[str]:
    """Which options a network of timm has.

    Args:
        name: one of ``timm.list_models()``.
        options: among which it is looked.

    Returns:
        Those that its class, or the configuration that the class takes, has; sorted.
    """
    import timm

    with torch.device("meta"):
        network = timm.create_model(name, num_classes=0)
    parameters = inspect.signature(type(network)).parameters
    kinds = [each.annotation for each in parameters.values() if is_dataclass(each.annotation)]
    known = {*parameters, *(field.name for kind in kinds for field in fields(kind))}
    return sorted(known.intersection(options))


def _require_safetensors(file: Path) -> None:
    """ValueError naming the file where it is none: an address, no file on this machine, or a damaged one."""
    from safetensors import safe_open

    try:
        require_readable(file)
        with safe_open(file, framework="pt") as opened:
            names = list(opened.keys())
    except Exception as error:  # safetensors' own error derives from Exception alone
        raise ValueError(
            f"encoder.options.pretrained_cfg_overlay.file: {file} is no safetensors file on this machine ({error}); "
            "give the path of one"
        ) from error
    if not names:
        raise ValueError(f"encoder.options.pretrained_cfg_overlay.file: {file} holds no tensors; give another file")


def vgg_encoder(in_channels: int, options: dict, scaling: Scaling = None) -> ImageEncoder:
    """VGG's convolutions (Simonyan & Zisserman, 2015) with batch norm, and the mean over what is left of the image.

    Small images want it: a residual network of timm's leaves a quarter of their side before its first block.

    Args:
        in_channels: of the images, 1 or 3.
        options: ``channels``, of each stage, after which the image is halved; ``convs``, convolutions a stage (1).
        scaling: as of ``ImageEncoder``.

    Returns:
        The encoder; ``num_features`` is the channels of its last stage.
    """
    from torchvision.models.vgg import make_layers

    stages = options["channels"]
    layers = [layer for size in stages for layer in [size] * int(options.get("convs", 1)) + ["M"]]
    convolutions = make_layers(layers, batch_norm=True)
    if in_channels != 3:
        first = convolutions[0]
        convolutions[0] = nn.Conv2d(in_channels, first.out_channels, 3, padding=1)
    return ImageEncoder(nn.Sequential(convolutions, nn.AdaptiveAvgPool2d(1), nn.Flatten()), stages[-1], scaling)
