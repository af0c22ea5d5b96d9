"""How texts become tensors, for an encoder that is trained here."""

from typing import ClassVar

from pydantic import Field

from cross_modal_kd.config import Grown


class TextInputConfig(Grown):
    """length: bytes of a text in UTF-8 that a trained encoder is given; what is longer is cut off.

    Pretrained text encoders take no notice of it: they read as many word pieces as they were trained for.
    """

    later: ClassVar[tuple[str, ...]] = ("length",)

    length: int = Field(96, ge=4, le=4096)
