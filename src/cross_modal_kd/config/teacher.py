"""The teacher: a pretrained encoder used as it is, or one trained on the teacher's modality."""

from pydantic import Field

from cross_modal_kd.config.encoder import EncoderConfig
from cross_modal_kd.config.strict import Strict
from cross_modal_kd.config.training import TrainingConfig


class TeacherConfig(Strict):
    """pretrained: use the encoder's own weights, frozen; else train it with AAM-softmax on the training split."""

    encoder: EncoderConfig
    pretrained: bool = True
    embedding_dim: int = Field(128, ge=2, description="of a trained teacher; a pretrained one brings its own")
    margin: float = Field(0.2, ge=0)
    scale: float = Field(16.0, gt=0)
    training: TrainingConfig = TrainingConfig()
