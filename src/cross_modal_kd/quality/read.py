"""From a row of the samples table to what the measures of its modality take."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from cross_modal_kd.samples.roots import Roots


def records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows, each as a mapping from column to value."""
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


def read_input(row: Mapping[str, Any], roots: Roots) -> tuple[Any, ...]:
    """(image,) as uint8 (H, W, 3); (wave, sample_rate) as float32 (T,) at the file's own rate; (text,).

    Raises:
        UnreadableSampleError: the file cannot be decoded.
    """
    modality = row["modality"]
    if modality == "text":
        return (row["text"],)
    data = roots.bytes(row["source"], row["path"])
    if modality == "image":
        from cross_modal_kd.modalities.image.read import read_image

        return (read_image(data, row["path"]),)
    from cross_modal_kd.modalities.speech.read import decode_speech

    return decode_speech(data, row["path"])
