"""What a training depends on beside its own configuration, as one number."""

import hashlib
import json

import numpy as np
import pandas as pd
from pydantic import BaseModel

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


def training_key(data: str, projection: ModelBundle, *configs: BaseModel) -> str:
    """16 hexadecimal digits of what decides one training: its data, the projection and the configurations."""
    digest = hashlib.sha256(data.encode())
    for name in sorted(projection.tensors):
        digest.update(name.encode() + np.asarray(projection.tensors[name]).tobytes())
    for config in configs:
        digest.update(config.model_dump_json().encode())
    return digest.hexdigest()[:16]
