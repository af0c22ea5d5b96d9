"""Embeddings of many inputs with a trained student."""

import numpy as np
import torch

from cross_modal_kd.modalities.inputs import Inputs
from cross_modal_kd.models.student import Student


@torch.no_grad()
def embed(student: Student, inputs: Inputs, batch_size: int = 512) -> np.ndarray:
    """(N, d) float32 embeddings, not normalised, in the order of the inputs, on the student's device."""
    was_training = student.training
    student.eval()
    inputs.at_epoch(0, None)
    device = next(student.parameters()).device
    rows = []
    for start in range(0, len(inputs), batch_size):
        _, batch = inputs.__getitems__(range(start, min(start + batch_size, len(inputs))))
        rows.append(student(batch.to(device)).float().cpu())
    student.train(was_training)
    return torch.cat(rows).numpy()
