"""The teacher: a pretrained encoder used as it is, or one trained on the teacher's modality."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from cross_modal_kd.config.encoder import EncoderConfig
from cross_modal_kd.config.registered import library_traits
from cross_modal_kd.config.strict import Grown, Margin
from cross_modal_kd.config.training import TrainingConfig


class TeacherConfig(Grown):
    """The teacher's encoder, and its training where it is trained here.

    timm downloads its weights, or takes those of a safetensors file: encoder.options.pretrained_cfg_overlay =
    {file: ...}.

    Attributes:
        encoder: library, name and options of the encoder.
        pretrained: use the encoder's own weights, frozen, or those of a folder or file, whose path it is (as the
            student's); else train it with AAM-softmax on the training split.
        embedding_dim: of a trained teacher; a pretrained one brings its own.
        margin: of the AAM-softmax of a trained teacher, in radians, below pi / 2.
        scale: logit scale of that AAM-softmax.
        sub_centers: K, prototypes a class of that AAM-softmax: the nearest of them counts.
        views: where an instance has several (frames of an utterance, captions of a picture), whether one is ``drawn``
            each time, or all are ``averaged`` by their quality (``quality.average_views``).
        training: of a trained teacher.
    """

    later: ClassVar[tuple[str, ...]] = ("sub_centers", "views")

    encoder: EncoderConfig
    pretrained: bool | Annotated[str, Field(min_length=1)] = True
    embedding_dim: int = Field(128, ge=2, description="of a trained teacher; a pretrained one brings its own")
    margin: Margin = 0.2
    scale: float = Field(16.0, gt=0)
    sub_centers: int = Field(1, ge=1, le=64)
    views: Literal["drawn", "averaged"] = "drawn"
    training: TrainingConfig = TrainingConfig()

    @model_validator(mode="after")
    def _has_weights(self) -> "TeacherConfig":
        library = self.encoder.library
        self.encoder.require_weights(self.pretrained, "teacher")
        if not self.pretrained and not library_traits(library).trainable:
            raise ValueError(f"a {library} encoder is used as it is: teacher.pretrained must be true")
        if not self.pretrained:
            self.encoder.require_fresh("with teacher.pretrained: false it is trained from fresh weights")
        return self
