"""The student: encoder, embedding, and the classifier of its task."""

from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from cross_modal_kd.config.encoder import EncoderConfig
from cross_modal_kd.config.strict import Grown, Margin


class StudentConfig(Grown):
    """The student's embedding has projection.dim + free_dim dimensions.

    The constraints bind the first projection.dim of them to the teacher; the free ones serve the task alone, so that
    the student keeps what its own modality shows and the teacher's does not (ours, beyond the source). Only hinton_kd,
    which reads the logits of the student's own classifier, reaches them all.

    Attributes:
        encoder: library, name and options of the encoder.
        pretrained: start from weights that the library has for the encoder, or from those of a folder or file, whose
            path it is: speechbrain's, tstp's (WeSpeaker's) and transformers'. timm downloads its own, unless
            encoder.options.pretrained_cfg_overlay = {file: ...} names a safetensors file.
        free_dim: dimensions of the embedding beyond projection.dim.
        margin: of the AAM-softmax of a verification task, in radians, below pi / 2.
        scale: logit scale of that AAM-softmax.
        sub_centers: K, prototypes a class of that AAM-softmax: the nearest of them counts.
        label_smoothing: of the cross-entropy of a classification task.
        dropout: share of the encoder's features that is dropped in training.
    """

    later: ClassVar[tuple[str, ...]] = ("sub_centers", "pretrained")

    encoder: EncoderConfig
    pretrained: bool | Annotated[str, Field(min_length=1)] = False
    free_dim: int = Field(0, ge=0)
    margin: Margin = 0.2
    scale: float = Field(16.0, gt=0)
    sub_centers: int = Field(1, ge=1, le=64)
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    dropout: float = Field(0.0, ge=0, lt=1)

    @model_validator(mode="after")
    def _starts_afresh(self) -> "StudentConfig":
        if not self.pretrained:
            self.encoder.require_fresh("a student is trained from fresh weights, unless student.pretrained is true")
        else:
            self.encoder.require_weights(self.pretrained, "student")
        return self
