"""An encoder, named as its library names it."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from cross_modal_kd.config.strict import Strict, without_null


class EncoderConfig(Strict):
    """library: timm or torchvision (image), speechbrain (speech), sentence_transformers (text).

    name and options are that library's. An option that is null is left to the library's default: so an environment
    takes away one that conf/base sets.
    """

    library: Literal["timm", "torchvision", "speechbrain", "sentence_transformers"]
    name: str
    options: Annotated[dict[str, Any], BeforeValidator(without_null)] = Field(default_factory=dict)


class ImageInputConfig(Strict):
    """size: side of the square that every image is resized to, in pixels; channels 1 (grey) or 3 (RGB)."""

    size: int = Field(32, ge=8)
    channels: Literal[1, 3] = 3


class SpeechInputConfig(Strict):
    """sample_rate in Hz; crop_s: seconds of a training crop; eval_s: seconds heard at evaluation, at most."""

    sample_rate: int = Field(16000, ge=4000)
    crop_s: float = Field(2.0, gt=0)
    eval_s: float = Field(6.0, gt=0)
    n_mels: int = Field(40, ge=8)


class InputConfig(Strict):
    """How inputs of each modality are read and turned into tensors."""

    image: ImageInputConfig = ImageInputConfig()
    speech: SpeechInputConfig = SpeechInputConfig()
    cache_mb: int = Field(2048, ge=0, description="decoded inputs kept in memory, at most; beyond it files are re-read")
