"""Additive angular margin softmax (ArcFace), from pytorch-metric-learning."""

import math

import torch
from pytorch_metric_learning.losses import ArcFaceLoss, SubCenterArcFaceLoss
from pytorch_metric_learning.reducers import DoNothingReducer
from torch import Tensor

from cross_modal_kd.losses.precision import full, unit, unit_weights
from cross_modal_kd.losses.task import Classifier


class _ArcFace(ArcFaceLoss):
    """The library's loss with angles kept off 0 and pi, where the slope of acos is infinite.

    Cosines are of ``unit``: the library's own turn an embedding of zeros into a gradient of 1e13.
    The target's cosine is gathered by its label: the library looks for it with a mask, which waits for a GPU.
    """

    def compute_loss(self, embeddings: Tensor, labels: Tensor, *_: object) -> dict[str, dict[str, Tensor]]:
        self.cast_types(embeddings.dtype, embeddings.device)
        return {"loss": {"losses": self.losses_of(self.get_cosine(embeddings), embeddings, labels)}}

    def losses_of(self, cosine: Tensor, embeddings: Tensor, labels: Tensor) -> Tensor:
        """(B,) losses of the cosines (B, C) of embeddings (B, d)."""
        place = labels[:, None]
        of_target = cosine.gather(1, place)
        moved = self.modify_cosine_of_target_classes(of_target) - of_target
        logits = self.scale_logits(cosine.scatter_add(1, place, moved), embeddings)
        losses: Tensor = self.cross_entropy(logits, labels)
        return losses

    def get_cosine(self, embeddings: Tensor) -> Tensor:
        """(B, C) cosines of the embeddings (B, d) to the prototypes."""
        return unit(embeddings) @ unit_weights(self.W.T).T

    def get_angles(self, cosine_of_target_classes: Tensor) -> Tensor:
        """acos of the cosines (B, 1), clamped by four times the type's precision."""
        edge = 4 * torch.finfo(cosine_of_target_classes.dtype).eps
        return torch.acos(cosine_of_target_classes.clamp(-1 + edge, 1 - edge))


class _SubCenterArcFace(_ArcFace, SubCenterArcFaceLoss):
    """``_ArcFace`` with K prototypes a class, of which the nearest counts; W is (d, C K), class after class."""

    def get_cosine(self, embeddings: Tensor) -> Tensor:
        """(B, C) cosines of the embeddings (B, d) to the nearest prototype of each class."""
        return super().get_cosine(embeddings).unflatten(1, (self.num_classes, self.sub_centers)).amax(dim=2)


def _small_normal(weight: Tensor) -> Tensor:
    """Normal with standard deviation 0.05, in place.

    Only the direction of a prototype counts, and a step turns a short one further: at the library's standard deviation
    of 1 the prototypes learn too slowly for a short training, and the student alone looks weaker than it is.
    """
    return torch.nn.init.normal_(weight, std=0.05)


def _check_margin(margin: float) -> float:
    if not 0 <= margin < math.pi / 2:
        raise ValueError(f"margin: expected radians with 0 <= margin < pi / 2, found {margin}")
    return margin


class AAMSoftmaxClassifier(Classifier):
    """-log softmax of a cos(theta_c + m [c = y]), theta_c the angle between the embedding and prototype W_c.

    Beyond theta_y = pi - m the target's term is cos(theta_y) - m sin(m), so that the loss goes on rising. With K
    prototypes a class, theta_c is the angle to the nearest of them: mislabelled samples gather around one of their own.
    Needs pytorch-metric-learning. References: Deng et al., "ArcFace", CVPR 2019; Deng et al., "Sub-center ArcFace",
    ECCV 2020.

    Args:
        n_classes: C >= 1.
        dim: d, of the embeddings.
        margin: m in radians, 0 <= m < pi / 2; 0 is a plain cosine softmax.
        scale: a > 0, without unit.
        sub_centers: K >= 1 prototypes a class.

    Raises:
        ValueError: If margin, scale or the number of prototypes is out of range.
    """

    def __init__(
        self, n_classes: int, dim: int, margin: float = 0.2, scale: float = 30.0, sub_centers: int = 1
    ) -> None:
        super().__init__()
        _check_margin(margin)
        if not scale > 0:
            raise ValueError(f"scale: expected a number > 0, found {scale}")
        if sub_centers < 1:
            raise ValueError(f"sub_centers: expected a number >= 1, found {sub_centers}")
        self.n_classes = n_classes
        self.scale, self.sub_centers = scale, sub_centers
        options = {
            "num_classes": n_classes,
            "embedding_size": dim,
            "margin": math.degrees(margin),
            "scale": scale,
            "reducer": DoNothingReducer(),
            "weight_init_func": _small_normal,
        }
        one = sub_centers == 1
        self.arcface = _ArcFace(**options) if one else _SubCenterArcFace(**options, sub_centers=sub_centers)

    @property
    def margin(self) -> float:
        """m in radians, as it is now: a schedule may move it during a training."""
        return float(self.arcface.margin)

    @margin.setter
    def margin(self, margin: float) -> None:
        """Move it.

        Args:
            margin: m in radians, 0 <= m < pi / 2.

        Raises:
            ValueError: If it is out of range.
        """
        self.arcface.margin = _check_margin(margin)

    @property
    def weight(self) -> Tensor:
        """(C K, d) prototypes, not normalised, class after class."""
        return self.arcface.W.T

    def first(self, classes: int) -> "AAMSoftmaxClassifier":
        """The prototypes of the first classes. See ``Classifier.first``."""
        if classes == self.n_classes:
            return self
        prototypes = self.arcface.W.detach()[:, : classes * self.sub_centers]
        part = AAMSoftmaxClassifier(classes, len(prototypes), self.margin, self.scale, self.sub_centers)
        part.load_state_dict({"arcface.W": prototypes})
        return part

    def logits(self, embeddings: Tensor) -> Tensor:
        """a cos(theta_c); see ``Classifier.logits``."""
        return self.arcface.get_logits(full(embeddings))

    def loss(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """See ``Classifier.loss``."""
        return self.arcface(embeddings, labels)["loss"]["losses"]

    def both(self, embeddings: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """See ``Classifier.both``: of the same cosines."""
        self.arcface.cast_types(embeddings.dtype, embeddings.device)
        cosine = self.arcface.get_cosine(embeddings)
        return self.arcface.losses_of(cosine, embeddings, labels), self.arcface.scale_logits(cosine, embeddings)
