"""What a training depends on beside its own configuration, as one number."""

import hashlib

import numpy as np
import pandas as pd

from cross_modal_kd.config.encoder import InputConfig
from cross_modal_kd.config.task import TaskConfig
from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.samples.embeddings import EmbeddingTable


def data_fingerprint(
    samples: pd.DataFrame,
    task: TaskConfig,
    inputs: InputConfig,
    teacher_embeddings: EmbeddingTable,
    projections: dict[str, ModelBundle],
    sample_weights: pd.DataFrame,
) -> str:
    """SHA-256 over the task, the inputs' transform, the samples, the teacher, its projections and the weights."""
    decides = {"task": {"name", "kind", "student", "teacher", "pairing"}, "inputs": {"image", "speech"}}
    digest = hashlib.sha256(task.model_dump_json(include=decides["task"]).encode())
    digest.update(inputs.model_dump_json(include=decides["inputs"]).encode())
    digest.update(teacher_embeddings.fingerprint.encode())
    content = samples[["sample_id", "modality", "split", "label", "group", "sha256"]]
    for table in (content.astype(str), sample_weights):
        digest.update(pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes())
    for name, bundle in sorted(projections.items()):
        for key in sorted(bundle.tensors):
            digest.update(f"{name}.{key}".encode() + np.asarray(bundle.tensors[key]).tobytes())
    return digest.hexdigest()
