"""The trainable projection of the teacher, and the prototype classifier learnt with it."""

from typing import Literal

from pydantic import Field

from cross_modal_kd.config.strict import Strict


class ProjectionConfig(Strict):
    """kind: ``mlp`` (trainable, the method's) or ``pca`` (fixed: the same dimension without learning, the ablation).

    dim is the dimension d of t_i and s_i; scale is the logit scale a.
    """

    kind: Literal["mlp", "pca"] = "mlp"
    dim: int = Field(128, ge=2)
    hidden: int = Field(256, ge=2)
    dropout: float = Field(0.2, ge=0, lt=1)
    residual: bool = Field(True, description="add a PCA-initialised linear path, so that it starts from the teacher")
    scale: float = Field(16.0, gt=0)
    epochs: int = Field(30, ge=1)
    batch_size: int = Field(256, ge=2)
    lr: float = Field(1e-3, gt=0)
    weight_decay: float = Field(1e-2, ge=0)
    seed: int = Field(0, ge=0)
