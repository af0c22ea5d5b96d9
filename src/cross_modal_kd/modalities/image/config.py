"""How images become tensors."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from cross_modal_kd.config import Grown, Strict, nearest

Interpolation = Literal["area", "bilinear", "bicubic"]
Shares = Annotated[list[Annotated[float, Field(gt=0, lt=1)]], Field(min_length=1, max_length=3)]


class RandAugmentConfig(Strict):
    """RandAugment as torchvision has it (``transforms.v2.RandAugment``): operations at one strength.

    Source: Cubuk et al., "RandAugment: Practical automated data augmentation with a reduced search space", NeurIPS
    2020.

    Attributes:
        operations: that each image goes through, each drawn of torchvision's fourteen. Some change colours: not for
            classes that colours tell apart.
        magnitude: their strength, of 0 to 30.
    """

    operations: int = Field(2, ge=1, le=10)
    magnitude: int = Field(9, ge=0, le=30)


class ImageAugmentation(Strict):
    """What a training does to its images. All is drawn from (seed, epoch, sample), mixup from (seed, epoch, step).

    Attributes:
        moves: whether images are rotated, scaled, shifted and mirrored, as they are without this block.
        rand_augment: before that; null has none.
        mixup: alpha of Beta(alpha, alpha), of which each step draws the share of its images that stays; the rest is
            another image of the batch: Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018 (0.1 to 0.4
            there). null mixes nothing.
    """

    moves: bool = True
    rand_augment: RandAugmentConfig | None = None
    mixup: float | None = Field(None, gt=0, le=10)

    @property
    def on_batches(self) -> bool:
        """Whether the modality's own augmentation of whole batches stays."""
        return self.moves

    def misfits(self, blocks: Mapping[str, Any]) -> Iterator[str]:  # noqa: ARG002
        """Nothing: whatever is in range can be done.

        Args:
            blocks: All blocks by name.

        Yields:
            A sentence for each that cannot.
        """
        yield from ()


class ImageInputConfig(Grown):
    """size: side of the square that every image is resized to, in pixels; channels: 1 (grey) or 3 (RGB).

    mean, std: of each channel, by which a network has its images scaled, (x / 255 - mean) / std; those that pretrained
    weights were made with are in ``timm.get_pretrained_cfg(name)``. null is 0.5 and 0.25.
    interpolation: by which images are resized. crop_pct: share of the shorter side that a crop from the middle keeps,
    as timm evaluates; null resizes all of the image, whatever its shape, to the square.
    timm: a model of timm (``resnet50.a1_in1k``), whose own data configuration says what is not said beside it: size,
    mean, std, interpolation and crop_pct.
    """

    later: ClassVar[tuple[str, ...]] = ("mean", "std", "interpolation", "crop_pct")

    timm: str | None = Field(None, exclude=True)
    size: int = Field(32, ge=8, le=4096)
    channels: Literal[1, 3] = 3
    mean: Shares | None = None
    std: Shares | None = None
    interpolation: Interpolation = "area"
    crop_pct: float | None = Field(None, gt=0, le=1)

    @model_validator(mode="before")
    @classmethod
    def _as_timm_has_it(cls, given: Any) -> Any:
        """What the model of timm was trained with, where nothing else is said."""
        if not isinstance(given, dict) or given.get("timm") is None:
            return given
        return {**_data_of(given["timm"]), **given}

    @model_validator(mode="after")
    def _one_a_channel(self) -> "ImageInputConfig":
        for name in ("mean", "std"):
            if (values := getattr(self, name)) is not None and len(values) != self.channels:
                raise ValueError(f"{name}: expected a number for each of {self.channels} channels, found {len(values)}")
        if (self.mean is None) != (self.std is None):
            raise ValueError("mean and std: expected both or none of them")
        return self


def _data_of(name: str) -> dict[str, Any]:
    """size, mean, std, interpolation and crop_pct of a model of timm. Raises ValueError where they cannot be had."""
    import timm
    from timm.data import resolve_data_config

    if (known := timm.get_pretrained_cfg(name)) is None:
        raise ValueError(
            f"timm: {nearest(name, timm.list_pretrained(f'{name.partition(chr(46))[0]}*') or ['resnet50'])}"
        )
    found = resolve_data_config({}, pretrained_cfg=known.to_dict(), verbose=False)
    _, height, width = found["input_size"]
    squeezed = found["crop_mode"] == "squash" and found["crop_pct"] == 1
    if height != width or not (found["crop_mode"] == "center" or squeezed):
        raise ValueError(
            f"timm: {name} takes {height} x {width} pixels, cropped by {found['crop_mode']!r}; only squares, cropped "
            "from the middle or squeezed, are read here: say size, mean, std and interpolation yourself, without timm"
        )
    return {
        "size": height,
        "mean": list(found["mean"]),
        "std": list(found["std"]),
        "interpolation": found["interpolation"],
        "crop_pct": None if squeezed else found["crop_pct"],
    }
