"""Texts."""

import hashlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from cross_modal_kd.config.encoder import EncoderConfig, InputConfig
from cross_modal_kd.config.ingestion import IngestionConfig
from cross_modal_kd.modalities.modality import Decoded, Modality, Preview, Row
from cross_modal_kd.models.libraries import EncoderLibrary
from cross_modal_kd.samples.roots import Roots

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from cross_modal_kd.modalities.degradation import Degradation

LONGEST = 300


def _embed(config: EncoderConfig, samples: "pd.DataFrame") -> "np.ndarray":
    from cross_modal_kd.modalities.text.encoder import embed_texts

    return embed_texts(config.name, samples["text"].tolist())


def _weights(config: EncoderConfig) -> str:
    from cross_modal_kd.modalities.text.encoder import model_folder, weights_fingerprint

    return weights_fingerprint(model_folder(config.name))


def _check(config: EncoderConfig) -> None:
    from cross_modal_kd.modalities.text.encoder import model_folder

    if config.options:
        raise ValueError(f"encoder.options: sentence_transformers takes none, found {config.options}")
    model_folder(config.name)


LIBRARIES = {"sentence_transformers": EncoderLibrary(embed=_embed, weights=_weights, check=_check)}
MINILM = {"library": "sentence_transformers", "name": "all-MiniLM-L6-v2"}


class Text(Modality):
    """Words, which stand in the samples table itself (column ``text``). Its encoders are pretrained and frozen."""

    name = "text"
    plural = "texts"
    libraries = LIBRARIES
    teacher = {"pretrained": True, "encoder": MINILM}

    def content(self, row: Row, roots: Roots) -> str:
        return row["text"]

    def decode(self, content: str, name: str, inputs: InputConfig | None = None) -> Decoded:
        return Decoded(content)

    def inspect(self, row: Row, roots: Roots, ingestion: IngestionConfig) -> dict[str, Any]:
        """The cleaned text, and its digest."""
        from cross_modal_kd.modalities.text.read import read_text

        text = read_text(row["text"], row["sample_id"])
        return {"text": text, "sha256": hashlib.sha256(text.encode()).hexdigest()}

    @property
    def measures(self) -> Mapping[str, Callable[..., float]]:
        from cross_modal_kd.modalities.text.quality import MEASURES

        return MEASURES

    def context(self, samples: "pd.DataFrame") -> tuple[Any, ...]:
        """The vocabulary of the training texts."""
        from cross_modal_kd.modalities.text.quality import fit

        return (fit(samples.loc[samples["split"] == "train", "text"]),)

    @property
    def degradations(self) -> "Mapping[str, Degradation]":
        from cross_modal_kd.modalities.text.degrade import DEGRADATIONS

        return DEGRADATIONS

    def preview(self, row: Row, roots: Roots, large: bool = False) -> Preview:
        """The words; large: no more than a page has room for."""
        return Preview("text", row["text"][:LONGEST] if large else row["text"])
