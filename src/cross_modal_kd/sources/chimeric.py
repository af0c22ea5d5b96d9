"""Chimeric identities: faces and voices that never belonged together, assigned to each other one to one."""

import numpy as np
import pandas as pd

from cross_modal_kd.samples.errors import SamplesError
from cross_modal_kd.sources.listing import Listing, listing


def assign_chimeric(faces: pd.DataFrame, voices: pd.DataFrame, seed: int) -> Listing:
    """Give every label of ``voices`` one identity of ``faces``, drawn with ``seed``.

    The rows of ``faces`` come back with the voice's label and no group; identities left over are listed as rejected.
    Raises SamplesError where there are fewer identities than voices. Nothing in such a face predicts its voice.
    """
    identities, speakers = sorted(faces["label"].unique()), sorted(voices["label"].unique())
    if len(identities) < len(speakers):
        raise SamplesError(
            f"chimeric pairing needs one face identity for each voice: {len(identities)} identities, {len(speakers)} "
            "voices. Set ingestion.max_labels to the smaller number, or bring more faces"
        )
    drawn = np.random.default_rng(seed).permutation(np.array(identities, dtype=object))
    speaker_of = dict(zip(drawn.tolist(), speakers, strict=False))
    assigned = faces["label"].map(speaker_of)
    left_over = faces[assigned.isna()]
    reasons = [
        f"face identity {label} is assigned to no voice: {len(identities)} identities for {len(speakers)} voices"
        for label in left_over["label"]
    ]
    kept = faces.assign(label=assigned, group=None)[assigned.notna()]
    return listing(kept, left_over[["source", "path"]].assign(reason=reasons))
