"""How images become tensors."""

from typing import Literal

from pydantic import Field

from cross_modal_kd.config import Strict


class ImageInputConfig(Strict):
    """size: side of the square that every image is resized to, in pixels; channels: 1 (grey) or 3 (RGB)."""

    size: int = Field(32, ge=8, le=4096)
    channels: Literal[1, 3] = 3
