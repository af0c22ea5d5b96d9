"""Embeddings of many inputs with a trained network."""

from itertools import chain

import numpy as np
import torch
from torch import nn

from cross_modal_kd.compute import kept_memory
from cross_modal_kd.modalities import Inputs
from cross_modal_kd.training.workers import read_in_order


@torch.no_grad()
def embed_inputs(network: nn.Module, inputs: Inputs, batch_size: int = 512, workers: int | None = None) -> np.ndarray:
    """Embeddings with a student, or with an encoder, on the device where its weights lie.

    Args:
        network: raw inputs (B, ...) to vectors (B, d); in evaluation mode meanwhile.
        inputs: N inputs, read for evaluation.
        batch_size: inputs on the device at a time.
        workers: processes that read, as ``training.workers``.

    Returns:
        (N, d) float32, not normalised, in the order of the inputs.
    """
    was_training = network.training
    network.eval()
    device = next(chain(network.parameters(), network.buffers())).device
    with kept_memory():
        rows = [network(batch.to(device)).float().cpu() for batch in read_in_order(inputs, batch_size, workers)]
    network.train(was_training)
    return torch.cat(rows).numpy()
