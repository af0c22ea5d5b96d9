"""Embeddings of samples with a saved student (imports torch: reached from nodes only)."""

import numpy as np
import pandas as pd

from cross_modal_kd.compute import device_for
from cross_modal_kd.config import EvaluationConfig, InputConfig, SourcesConfig, TaskConfig
from cross_modal_kd.modalities import load_inputs
from cross_modal_kd.models import ModelBundle, build_student, saved_inputs
from cross_modal_kd.samples import EmbeddingTable, Roots, split_rows
from cross_modal_kd.training import embed_inputs


def embed_with(
    student: ModelBundle,
    rows: pd.DataFrame,
    modality: str,
    sources: SourcesConfig,
    inputs: InputConfig,
    batch_size: int,
    accelerator: str = "auto",
) -> np.ndarray:
    """Embeddings of samples, not normalised.

    Args:
        student: a bundle of ``student_bundle``.
        rows: N rows of the samples table, of one modality.
        modality: theirs.
        sources: where their files lie.
        inputs: how they are read: as in the student's training.
        batch_size: inputs on the device at a time.
        accelerator: the device: auto, cpu, cuda or mps.

    Returns:
        (N, D) float32, in the rows' order.
    """
    network = build_student(student).to(device_for(accelerator))
    return embed_inputs(network, load_inputs(modality, rows, Roots(sources), inputs), batch_size)


def embed_samples(
    samples: pd.DataFrame,
    task: TaskConfig,
    sources: SourcesConfig,
    student: ModelBundle,
    evaluation: EvaluationConfig,
    accelerator: str = "auto",
) -> EmbeddingTable:
    """The student's embedding of its dev and test samples, and of a seeded subset of the training split.

    Args:
        samples: the table, with its splits.
        task: names the student's modality, and what a cluster is.
        sources: where the files lie.
        student: a bundle of ``student_bundle``, which says how its inputs are read.
        evaluation: ``train_subset``, ``seed`` and ``batch_size``.
        accelerator: the device: auto, cpu, cuda or mps.

    Returns:
        (N, D), not normalised, by sample id: training samples, then dev, then test.
    """
    from cross_modal_kd.evaluation.subset import train_subset
    from cross_modal_kd.training import embedding_fingerprint

    train, dev, test = (split_rows(samples, task.student, split) for split in ("train", "dev", "test"))
    chosen = pd.concat([train_subset(train, task, evaluation), dev, test])
    inputs = saved_inputs(student)
    values = embed_with(student, chosen, task.student, sources, inputs, evaluation.batch_size, accelerator)
    return EmbeddingTable(chosen["sample_id"].tolist(), values, embedding_fingerprint(chosen, student, inputs))
