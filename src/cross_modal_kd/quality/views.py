"""Views of one instance as one: the mean of their embeddings, weighted by their quality."""

import hashlib

import numpy as np
import pandas as pd

from cross_modal_kd.samples import EmbeddingTable

BLOCK = 2**14
"""Embeddings that are looked at together."""


def average_views(embeddings: EmbeddingTable, samples: pd.DataFrame, scores: pd.DataFrame) -> EmbeddingTable:
    """e' = sum q_j e_j / sum q_j over the samples j that share an instance: one vector for all of them.

    An instance is a group (the frames of an utterance, the captions of a picture), else what has one label and one
    domain (a video of a speaker), else the sample itself. Where all qualities are 0 all count alike. Our reading: the
    source weighs samples by quality, and AVCleanse averages five frames at its test, without weights.

    Args:
        embeddings: (N, D), of the teacher's samples.
        samples: the table: group, label and domain of these.
        scores: sample_id and quality in [0, 1], of these at least.

    Returns:
        (N, D) by the same ids. Memory: O(N D).

    Raises:
        ValueError: a sample has no quality.
    """
    ids = pd.Index(embeddings.sample_ids, dtype="str")
    rows = samples.set_index("sample_id").reindex(ids)
    quality = scores.set_index("sample_id")["quality"].reindex(ids).to_numpy(dtype=np.float64)
    if (unknown := np.flatnonzero(np.isnan(quality))).size:
        raise ValueError(
            f"teacher.views: no quality of {unknown.size} samples of the teacher, the first is {ids[unknown[0]]!r}; "
            "run quality again (kedro run --pipeline=quality)"
        )
    session = rows["modality"] + "\x1f" + rows["label"] + "\x1f" + rows["domain"]
    instance = ("group\x1f" + rows["modality"] + "\x1f" + rows["group"]).fillna(session).fillna(pd.Series(ids, ids))
    codes = pd.factorize(instance)[0]
    totals = np.bincount(codes, quality)
    weights = np.where(totals[codes] > 0, quality, 1.0)
    weights /= np.bincount(codes, weights)[codes]
    sums = np.zeros((len(totals), embeddings.dim), dtype=np.float64)
    for start in range(0, len(ids), BLOCK):
        part = slice(start, start + BLOCK)
        np.add.at(sums, codes[part], weights[part, None] * embeddings.values[part])
    digest = hashlib.sha256(f"{embeddings.fingerprint} averaged".encode())
    digest.update(codes.astype(np.int64).tobytes() + weights.tobytes())
    return EmbeddingTable(embeddings.sample_ids, sums.astype(np.float32)[codes], digest.hexdigest())
