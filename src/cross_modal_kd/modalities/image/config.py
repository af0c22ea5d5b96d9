"""How images become tensors."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from cross_modal_kd.config import Grown

Shares = Annotated[list[Annotated[float, Field(gt=0, lt=1)]], Field(min_length=1, max_length=3)]


class ImageInputConfig(Grown):
    """size: side of the square that every image is resized to, in pixels; channels: 1 (grey) or 3 (RGB).

    mean, std: of each channel, by which a network has its images scaled, (x / 255 - mean) / std; those that pretrained
    weights were made with are in ``timm.get_pretrained_cfg(name)``. null is 0.5 and 0.25.
    """

    later: ClassVar[tuple[str, ...]] = ("mean", "std")

    size: int = Field(32, ge=8, le=4096)
    channels: Literal[1, 3] = 3
    mean: Shares | None = None
    std: Shares | None = None

    @model_validator(mode="after")
    def _one_a_channel(self) -> "ImageInputConfig":
        for name in ("mean", "std"):
            if (values := getattr(self, name)) is not None and len(values) != self.channels:
                raise ValueError(f"{name}: expected a number for each of {self.channels} channels, found {len(values)}")
        if (self.mean is None) != (self.std is None):
            raise ValueError("mean and std: expected both or none of them")
        return self
