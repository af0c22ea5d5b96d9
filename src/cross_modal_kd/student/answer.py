"""Class logits of a student, whichever classifier it has."""

import numpy as np
import torch
from torch import Tensor

from cross_modal_kd.losses import unit
from cross_modal_kd.models import ModelBundle, classifier_logits
from cross_modal_kd.student.errors import StudentError

PROTOTYPES = "head.arcface.W"


def class_logits(model: ModelBundle, embeddings: Tensor, scale: float | None) -> Tensor:
    """Logits of the classes: of a linear one its own; else scale times the cosine to a class's nearest prototype.

    Args:
        model: of ``student_bundle``.
        embeddings: (n, D), not normalised.
        scale: of the cosines; not read by a linear classifier.

    Returns:
        (n, C); C is 0 of a student that was trained without labels.

    Raises:
        StudentError: its classifier is of neither kind.
        ModelError: the tensors do not fit its classes.
    """
    if "head.weight" in model.tensors:
        return classifier_logits(model, embeddings)
    weights = model.tensors.get(PROTOTYPES)
    if not (classes := len(model.config["classes"])):
        return embeddings.new_zeros(len(embeddings), 0)
    if weights is None or weights.shape[0] != embeddings.shape[1] or weights.shape[1] % classes:
        raise StudentError(f"{model.where}: the student has no classifier that names classes")
    cosines = unit(embeddings.float()) @ unit(torch.as_tensor(weights).T).T
    return (scale or 1.0) * cosines.unflatten(1, (classes, -1)).amax(dim=2)


def probabilities(logits: Tensor, temperature: float | None) -> np.ndarray:
    """softmax(logits / T).

    Args:
        logits: (n, C).
        temperature: T; None is 1.

    Returns:
        (n, C) float64, rows of sum 1.
    """
    return torch.softmax(logits.double() / (temperature or 1.0), dim=1).numpy()
