"""Divergence between two classifications, per sample."""

import torch
from torch import Tensor

from cross_modal_kd.losses.precision import unit


def prototype_logits(embeddings: Tensor, prototypes: Tensor, scale: float) -> Tensor:
    """a * cos(x_i, W_c), shape (B, C)."""
    return scale * unit(embeddings) @ unit(prototypes).T


def kl_divergence(target: Tensor, log_q: Tensor) -> Tensor:
    """KL(p_i || q_i) = sum over c of p_ic (log p_ic - log q_ic), shape (B,); 0 log 0 is 0.

    target: (B, C) probabilities; log_q: (B, C) log-probabilities.
    """
    return (torch.xlogy(target, target) - target * log_q).sum(-1)


def softened_kl(teacher_logits: Tensor, student_logits: Tensor, temperature: float) -> Tensor:
    """temperature^2 KL(softmax(teacher / temperature) || softmax(student / temperature)), shape (B,).

    The square keeps the gradient's size about the same at every temperature (Hinton et al., 2015).
    """
    log_p = (teacher_logits / temperature).log_softmax(-1)
    log_q = (student_logits / temperature).log_softmax(-1)
    return temperature**2 * (log_p.exp() * (log_p - log_q)).sum(-1)
