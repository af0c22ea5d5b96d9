"""Embeddings of samples with a saved student (imports torch: reached from nodes only)."""

import numpy as np
import pandas as pd
import torch

from cross_modal_kd.config.encoder import InputConfig
from cross_modal_kd.config.ingestion import SourcesConfig
from cross_modal_kd.modalities.inputs import load_inputs
from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.models.student import build_student
from cross_modal_kd.samples.roots import Roots
from cross_modal_kd.training.embed import embed


def embed_with(
    student: ModelBundle,
    rows: pd.DataFrame,
    modality: str,
    sources: SourcesConfig,
    inputs: InputConfig,
    batch_size: int,
) -> np.ndarray:
    """(N, d) float32 embeddings, not normalised, in the rows' order; on a GPU where there is one."""
    network = build_student(student).to("cuda" if torch.cuda.is_available() else "cpu")
    return embed(network, load_inputs(modality, rows, Roots(sources), inputs), batch_size)
