"""Additive angular margin softmax (ArcFace), from pytorch-metric-learning. The one file that imports it."""

import math

import torch
from pytorch_metric_learning.losses import ArcFaceLoss
from pytorch_metric_learning.reducers import DoNothingReducer
from torch import Tensor

from cross_modal_kd.losses.precision import full, unit
from cross_modal_kd.losses.task import Classifier


class _ArcFace(ArcFaceLoss):
    """The library's loss with angles kept off 0 and pi, where the slope of acos is infinite.

    Cosines are of ``unit``: the library's own turn an embedding of zeros into a gradient of 1e13.
    The target's cosine is gathered by its label: the library looks for it with a mask, which waits for a GPU.
    """

    def compute_loss(self, embeddings: Tensor, labels: Tensor, *_: object) -> dict[str, dict[str, Tensor]]:
        self.cast_types(embeddings.dtype, embeddings.device)
        cosine, place = self.get_cosine(embeddings), labels[:, None]
        of_target = cosine.gather(1, place)
        moved = self.modify_cosine_of_target_classes(of_target) - of_target
        logits = self.scale_logits(cosine.scatter_add(1, place, moved), embeddings)
        return {"loss": {"losses": self.cross_entropy(logits, labels)}}

    def get_cosine(self, embeddings: Tensor) -> Tensor:
        """(B, C) cosines of the embeddings (B, d) to the prototypes."""
        return unit(embeddings) @ unit(self.W.T).T

    def get_angles(self, cosine_of_target_classes: Tensor) -> Tensor:
        """acos of the cosines (B, 1), clamped by four times the type's precision."""
        edge = 4 * torch.finfo(cosine_of_target_classes.dtype).eps
        return torch.acos(cosine_of_target_classes.clamp(-1 + edge, 1 - edge))


def _small_normal(weight: Tensor) -> Tensor:
    """Normal with standard deviation 0.05, in place.

    Only the direction of a prototype counts, and a step turns a short one further: at the library's standard deviation
    of 1 the prototypes learn too slowly for a short training, and the student alone looks weaker than it is.
    """
    return torch.nn.init.normal_(weight, std=0.05)


class AAMSoftmaxClassifier(Classifier):
    """-log softmax of a cos(theta_c + m [c = y]), theta_c the angle between the embedding and prototype W_c.

    Beyond theta_y = pi - m the target's term is cos(theta_y) - m sin(m), so that the loss goes on rising. Needs
    pytorch-metric-learning. Reference: Deng et al., "ArcFace", CVPR 2019.

    Args:
        n_classes: C >= 1.
        dim: d, of the embeddings.
        margin: m in radians, 0 <= m < pi / 2; 0 is a plain cosine softmax.
        scale: a > 0, without unit.

    Raises:
        ValueError: If margin or scale is out of range.
    """

    def __init__(self, n_classes: int, dim: int, margin: float = 0.2, scale: float = 30.0) -> None:
        super().__init__()
        if not 0 <= margin < math.pi / 2:
            raise ValueError(f"margin: expected radians with 0 <= margin < pi / 2, found {margin}")
        if not scale > 0:
            raise ValueError(f"scale: expected a number > 0, found {scale}")
        self.n_classes = n_classes
        self.scale = scale
        self.margin = margin
        self.arcface = _ArcFace(
            num_classes=n_classes,
            embedding_size=dim,
            margin=math.degrees(margin),
            scale=scale,
            reducer=DoNothingReducer(),
            weight_init_func=_small_normal,
        )

    @property
    def weight(self) -> Tensor:
        """(C, d) prototypes, not normalised."""
        return self.arcface.W.T

    def logits(self, embeddings: Tensor) -> Tensor:
        """a cos(theta_c); see ``Classifier.logits``."""
        return self.arcface.get_logits(full(embeddings))

    def loss(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """See ``Classifier.loss``."""
        return self.arcface(embeddings, labels)["loss"]["losses"]
