"""The teacher: its encoder, its embeddings (computed once), and how good they are on the dev split."""

import hashlib
import json
import logging
from pathlib import Path

import numpy as np
import pandas as pd

from cross_modal_kd.config.encoder import InputConfig
from cross_modal_kd.config.ingestion import SourcesConfig
from cross_modal_kd.config.task import TaskConfig
from cross_modal_kd.config.teacher import TeacherConfig
from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.pipelines.common.dev import chosen_by, class_numbers, pairwise_eer, split_rows, train_classes
from cross_modal_kd.samples.embeddings import EmbeddingTable

logger = logging.getLogger(__name__)


def prepare_teacher(
    samples: pd.DataFrame,
    task: TaskConfig,
    sources: SourcesConfig,
    inputs: InputConfig,
    teacher: TeacherConfig,
    checkpoints: Path,
) -> ModelBundle:
    """A pretrained encoder as it is, or one trained with AAM-softmax on the teacher's training samples."""
    from cross_modal_kd.pipelines.common.teacher import pretrained_teacher, train_teacher

    if teacher.pretrained:
        return pretrained_teacher(teacher, inputs)
    return train_teacher(samples, task, sources, inputs, teacher, checkpoints)


def embed_teacher(
    samples: pd.DataFrame,
    task: TaskConfig,
    sources: SourcesConfig,
    inputs: InputConfig,
    teacher_model: ModelBundle,
    embedding_cache: Path,
) -> EmbeddingTable:
    """Embeddings of every sample of the teacher's modality, taken from the cache where nothing has changed.

    The key is a fingerprint of the encoder's weights, the transform and the samples' contents.
    """
    from cross_modal_kd.datasets.embedding_table import EmbeddingTableDataset

    chosen = samples[samples["modality"] == task.teacher]
    fingerprint = embedding_fingerprint(chosen, teacher_model, inputs)
    cached = EmbeddingTableDataset(filepath=(embedding_cache / fingerprint).as_posix())
    if cached.exists():
        logger.info("teacher embeddings %s: unchanged, taken from the cache", fingerprint[:12])
        return cached.load()
    from cross_modal_kd.pipelines.common.teacher import teacher_embeddings

    values = teacher_embeddings(chosen, task, sources, inputs, teacher_model)
    table = EmbeddingTable(chosen["sample_id"].tolist(), values, fingerprint)
    cached.save(table)
    return table


def embedding_fingerprint(chosen: pd.DataFrame, teacher_model: ModelBundle, inputs: InputConfig) -> str:
    """SHA-256 over the model (its encoder and tensors, or the package's weight files), the transform of the samples'
    modality, and the samples."""
    transform = {name: getattr(inputs, name, None) for name in sorted(chosen["modality"].unique())}
    parts = [teacher_model.kind, {k: v for k, v in teacher_model.config.items() if k != "inputs"}]
    parts.append({name: block.model_dump() for name, block in transform.items() if block is not None})
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode())
    for name in sorted(teacher_model.tensors):
        digest.update(name.encode() + np.ascontiguousarray(np.asarray(teacher_model.tensors[name])).tobytes())
    encoder = teacher_model.config["encoder"]
    if encoder["library"] == "sentence_transformers":
        from cross_modal_kd.modalities.text.encoder import model_folder, weights_fingerprint

        digest.update(weights_fingerprint(model_folder(encoder["name"])).encode())
    content = chosen["text"].where(chosen["text"].notna(), chosen["sha256"]).astype(str)
    for sample_id, what in zip(chosen["sample_id"], content, strict=True):
        digest.update(f"{sample_id}\0{what}\0".encode())
    return digest.hexdigest()


def measure_teacher(samples: pd.DataFrame, task: TaskConfig, teacher_embeddings: EmbeddingTable) -> dict:
    """How good the teacher's raw embeddings are on the dev split.

    Verification: EER over all pairs of dev samples of the teacher's modality. Classification: accuracy of the nearest
    class mean of the training split. A dev split in which no class has two teacher samples has no EER: null.
    """
    dev = split_rows(samples, task.teacher, "dev")
    train = split_rows(samples, task.teacher, "train")
    centre = teacher_embeddings.at(train["sample_id"]).mean(axis=0)
    values = teacher_embeddings.at(dev["sample_id"]) - centre
    if task.kind == "verification":
        measured = pairwise_eer(values, dev["label"].to_numpy())
    else:
        classes = train_classes(samples, task)
        numbers = class_numbers(train["label"], classes)
        known = numbers >= 0
        means = np.zeros((len(classes), teacher_embeddings.dim))
        np.add.at(means, numbers[known], teacher_embeddings.at(train["sample_id"])[known] - centre)
        means /= np.linalg.norm(means, axis=1, keepdims=True).clip(1e-12)
        measured = float(((values @ means.T).argmax(axis=1) == class_numbers(dev["label"], classes)).mean())
    return {
        "dimension": teacher_embeddings.dim,
        "samples": len(teacher_embeddings),
        "fingerprint": teacher_embeddings.fingerprint,
        f"dev_{chosen_by(task)}": None if np.isnan(measured) else measured,
    }
