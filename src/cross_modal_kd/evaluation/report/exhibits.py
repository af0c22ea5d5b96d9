"""A sample as it can be put on a page: a picture, a sound to play, or words."""

import base64
import io
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal

import pandas as pd

from cross_modal_kd.config.ingestion import SourcesConfig
from cross_modal_kd.modalities.image.read import read_image
from cross_modal_kd.samples.roots import Roots

SIDE_PX = 96
LARGEST_SOUND = 200_000
SOUNDS = {".ogg": "audio/ogg", ".wav": "audio/wav", ".flac": "audio/flac", ".mp3": "audio/mpeg"}


@dataclass(frozen=True)
class Exhibit:
    """content: a data: address (image, sound) or the words. name: what it is. detail: where it comes from."""

    kind: Literal["image", "sound", "text"]
    content: str
    name: str
    detail: str


class Exhibits:
    """Samples of one table, made ready to be shown."""

    def __init__(self, samples: pd.DataFrame, sources: SourcesConfig) -> None:
        self._rows: dict[str, dict[Hashable, Any]] = {row["sample_id"]: row for row in samples.to_dict("records")}
        self._roots = Roots(sources)
        texts = samples[samples["text"].notna() & samples["group"].notna()]
        shortest = texts.assign(length=texts["text"].str.len()).sort_values(["length", "sample_id"])
        self._words = shortest.drop_duplicates("group").set_index("group")["text"].to_dict()
        self._labels_are_groups = bool((texts["label"] == texts["group"]).all())

    def name_of(self, sample_id: str) -> str:
        """The label, or the shortest text of its group where labels are but codes of groups."""
        row = self._rows[sample_id]
        return self._words.get(row["group"], row["label"]) if self._labels_are_groups else row["label"]

    def show(self, sample_id: str) -> Exhibit:
        """One sample; a sound too long for a page is named and not played."""
        row = self._rows[sample_id]
        name = self.name_of(sample_id)
        known = [row["domain"], None if self._labels_are_groups else self._words.get(row["group"])]
        detail = ", ".join(str(part) for part in known if isinstance(part, str))
        if row["modality"] == "text":
            return Exhibit("text", row["text"], name, "")
        data = self._roots.bytes(row["source"], row["path"])
        if row["modality"] == "image":
            return Exhibit("image", _address("image/png", _thumbnail(data, row["path"])), name, detail)
        mime = SOUNDS.get(PurePosixPath(row["path"]).suffix.lower())
        if mime is None or len(data) > LARGEST_SOUND:
            return Exhibit("text", row["path"], name, detail)
        return Exhibit("sound", _address(mime, data), name, detail)


def _thumbnail(data: bytes, path: str) -> bytes:
    import numpy as np
    from PIL import Image

    image = Image.fromarray(np.squeeze(read_image(data, path)))
    image.thumbnail((SIDE_PX, SIDE_PX))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _address(mime: str, data: bytes) -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"
