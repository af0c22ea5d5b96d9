"""The trainable projection of the teacher, and the prototype classifier learnt with it."""

from typing import ClassVar, Literal

from pydantic import Field

from cross_modal_kd.config.strict import Grown


class ProjectionConfig(Grown):
    """The teacher's projection g and its prototypes, and how they are fitted.

    Attributes:
        kind: ``mlp`` (trainable, the method's) or ``pca`` (fixed: the same dimension without learning, the ablation).
        dim: d, the dimension of t_i and of what of s_i is bound to it.
        hidden: width of the MLP.
        dropout: share of the hidden units that is dropped in training.
        residual: whether an ``mlp`` has a linear term too, from which it starts.
        scale: a, the logit scale of the prototypes.
        epochs: passes over the training split; ``min_steps`` may add to them.
        min_steps: steps, at least: over a small split as many more passes are made as it takes; null adds none.
        batch_size: samples in a step, at most.
        lr: learning rate of AdamW, constant.
        weight_decay: of AdamW, for every parameter.
        seed: of the first weights and of the order of the samples.
        unlabelled: whether the principal directions (all of ``pca``, and where ``mlp`` starts) are those of every
            training sample of the teacher, with a label or not; else of those alone whose label is known. Prototypes,
            and what an ``mlp`` learns, come from labelled ones.
        words: how many labelled texts the words of a class count as, beside those that are labelled, where a
            classification has a teacher that reads words; they are left out again where the teacher's dev samples are
            told no better with them. 0 does not ask for them. Where no label is known they stand alone, whatever this
            says.
    """

    later: ClassVar[tuple[str, ...]] = ("unlabelled", "words")

    kind: Literal["mlp", "pca"] = "mlp"
    dim: int = Field(128, ge=2, le=65_536)
    hidden: int = Field(256, ge=2, le=65_536)
    dropout: float = Field(0.2, ge=0, lt=1)
    residual: bool = Field(True, description="add a PCA-initialised linear path, so that it starts from the teacher")
    scale: float = Field(16.0, gt=0)
    epochs: int = Field(30, ge=1)
    min_steps: int | None = Field(None, ge=1)
    batch_size: int = Field(256, ge=2)
    lr: float = Field(1e-3, gt=0)
    weight_decay: float = Field(1e-2, ge=0)
    seed: int = Field(0, ge=0)
    unlabelled: bool = False
    words: int = Field(0, ge=0, le=1000)
