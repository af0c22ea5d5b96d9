"""The identity of a training: one key for what it is trained on, how, and by which version of the code."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel

from cross_modal_kd.config import DECIDES, InputConfig, TaskConfig
from cross_modal_kd.models import ModelBundle, building, library_of, saved_encoder, saved_inputs
from cross_modal_kd.samples import EmbeddingTable, SamplesError, file_contents
from cross_modal_kd.tracking import row_hashes

Stage = Literal["data", "teacher", "projection", "student", "search"]

# Which code decides a result. Raise a number where a change lets the same data and configuration come out as another
# result, so that nothing is taken from a store or gone on from that older code has left: "data" for what is read
# (decoding, crops, pairs, weights), the others for how it is trained (losses, models, the loop). They are numbers, not
# hashes of the sources: a docstring, a new name or a moved file retrains nothing.
RESULT_VERSIONS: dict[Stage, int] = {"data": 1, "teacher": 1, "projection": 1, "student": 1, "search": 1}

# The same of single constraints, from 2 on: students of other arms stay what they are. rkd 2: angles by distances;
# 3: their sums by products of matrices, in double precision.
CONSTRAINT_VERSIONS: dict[str, int] = {"rkd": 4}


def run_key(stage: Stage, **decides: Any) -> str:
    """The name under which a training is kept, gone on from and found again.

    Args:
        stage: what is trained; its version in ``RESULT_VERSIONS`` counts.
        **decides: by name, all that the result depends on: configuration, tables, models, embeddings, arrays and plain
            values, or dicts and lists of them. Of an ``arm`` the versions of its constraints count too.

    Returns:
        16 hexadecimal digits of SHA-256; the same on every machine.

    Raises:
        TypeError: something of which there is no key.
    """
    plain = _plain(decides)
    content = [stage, RESULT_VERSIONS[stage], plain, *_constraint_versions(plain.get("arm"))]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _constraint_versions(arm: Any) -> list[dict[str, int]]:
    """The versions of an arm's constraints, where one is not the first; nothing else, so that older keys stay."""
    terms = arm.get("constraints", {}) if isinstance(arm, dict) else {}
    versions = {term["kind"]: CONSTRAINT_VERSIONS.get(term["kind"], 1) for term in terms.values()}
    return [versions] if set(versions.values()) - {1} else []


def _plain(value: Any) -> Any:
    """JSON that tells ``value`` from every other; what is large is told by its SHA-256."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", context=DECIDES)
    if isinstance(value, EmbeddingTable):
        return value.fingerprint
    if isinstance(value, np.ndarray | np.generic):
        array = np.ascontiguousarray(value)
        return [str(array.dtype), list(array.shape), hashlib.sha256(array.tobytes()).hexdigest()]
    return _plain_inside(value)


def _plain_inside(value: Any) -> Any:
    """``_plain`` of what holds other values."""
    if isinstance(value, ModelBundle):
        with building(value):
            tensors = {name: np.asarray(tensor) for name, tensor in value.tensors.items()}
        return _plain([value.kind, value.config, tensors])
    if isinstance(value, pd.DataFrame):
        return _plain([list(value.columns), row_hashes(value)])
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    raise TypeError(
        f"run_key: there is no key of a {type(value).__name__}; expected configuration, a table or plain values"
    )


def key_columns(samples: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """What of samples stands in a run key.

    Args:
        samples: rows of the samples table.
        columns: of it, that count.

    Returns:
        These as texts, and ``sha256``: ``file_contents``, so that a part of a picture is not taken for another part.
    """
    return samples[columns].assign(sha256=file_contents(samples)).astype(str)


def data_fingerprint(
    samples: pd.DataFrame,
    task: TaskConfig,
    inputs: InputConfig,
    teacher_embeddings: EmbeddingTable,
    projections: dict[str, ModelBundle],
    sample_weights: pd.DataFrame,
) -> str:
    """The key of what students are trained on: the columns and blocks that decide it.

    Args:
        samples: the samples table.
        task: its pairing and its modalities count; its title does not.
        inputs: the transform of each modality; how much is kept in memory does not count.
        teacher_embeddings: by their own fingerprint.
        projections: of the teacher, by any name.
        sample_weights: quality of both sides of each training pair.

    Returns:
        16 hexadecimal digits.
    """
    return run_key(
        "data",
        task=task.model_dump(include={"name", "kind", "student", "teacher", "pairing"}),
        inputs=inputs.model_dump(exclude={"cache_mb"}),
        samples=key_columns(samples, ["sample_id", "modality", "split", "label", "group"]),
        teacher=teacher_embeddings,
        projections=projections,
        weights=sample_weights,
    )


def embedding_fingerprint(chosen: pd.DataFrame, teacher_model: ModelBundle, inputs: InputConfig) -> str:
    """SHA-256 of what decides embeddings: the model, the transform of the samples' modality, and the samples.

    Args:
        chosen: rows of the samples table; their ids and contents count (``text``, else ``file_contents``), in their
            order.
        teacher_model: counts by its encoder and tensors, or by the weight files of the package that brings it.
        inputs: of which the blocks of the rows' modalities count.

    Returns:
        64 hexadecimal digits.
    """
    transform = {name: getattr(inputs, name, None) for name in sorted(chosen["modality"].unique())}
    parts = [teacher_model.kind, {k: v for k, v in teacher_model.config.items() if k != "inputs"}]
    said = {name: block.model_dump() for name, block in transform.items() if block is not None}
    parts.append({name: block for name, block in said.items() if block})
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode())
    encoder = saved_encoder(teacher_model)
    with building(teacher_model):
        for name in sorted(teacher_model.tensors):
            digest.update(name.encode() + np.ascontiguousarray(np.asarray(teacher_model.tensors[name])).tobytes())
        if (weights := library_of(encoder.library).weights) is not None:
            digest.update(weights(encoder).encode())
    content = chosen["text"].where(chosen["text"].notna(), file_contents(chosen)).astype(str)
    for sample_id, what in zip(chosen["sample_id"], content, strict=True):
        digest.update(f"{sample_id}\0{what}\0".encode())
    return digest.hexdigest()


def require_embeddings_of(samples: pd.DataFrame, student: ModelBundle, embeddings: EmbeddingTable) -> None:
    """Make sure that embeddings are a student's own, of the samples that are in the table now.

    Args:
        samples: the table.
        student: a bundle of ``student_bundle``.
        embeddings: of some of the samples.

    Raises:
        SamplesError: they are of another student, or of samples that have changed since.
    """
    known = samples.set_index("sample_id", drop=False)
    if set(embeddings.sample_ids) <= set(known.index):
        rows = known.loc[embeddings.sample_ids]
        if embedding_fingerprint(rows, student, saved_inputs(student)) == embeddings.fingerprint:
            return
    raise SamplesError(
        f"the {len(embeddings)} embeddings at hand are not of the student that is there now and of its samples: one of "
        "them was made again since. `kedro run --pipelines=evaluation` (with the same --env and "
        "--params) embeds and measures again"
    )
