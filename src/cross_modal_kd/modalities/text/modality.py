"""Texts."""

import hashlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from cross_modal_kd.config import EncoderConfig, IngestionConfig, InputConfig
from cross_modal_kd.modalities.modality import Decoded, Modality, Preview, Row, Taken
from cross_modal_kd.models import EncoderLibrary, MissingModelError
from cross_modal_kd.samples import Roots, UnreadableSampleError

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
    from cross_modal_kd.modalities.text.folder import require_model

    try:
        require_model(model_folder(config.name))
    except MissingModelError as error:
        raise ValueError(f"teacher.encoder.name {config.name!r}: {error}") from error


LIBRARIES = {"sentence_transformers": EncoderLibrary(embed=_embed, weights=_weights, check=_check)}
MINILM = {"library": "sentence_transformers", "name": "all-MiniLM-L6-v2"}


class Text(Modality):
    """Words, which stand in the samples table itself (column ``text``). Its encoders are pretrained and frozen."""

    name = "text"
    plural = "texts"
    hub = "text"
    concerns = (
        "Texts may hold personal data and the stereotypes of who wrote them; what a text teacher has learnt from them "
        "may be found in the student.",
    )
    libraries = LIBRARIES
    teacher = {"pretrained": True, "encoder": MINILM}

    def content(self, row: Row, roots: Roots) -> str:
        """The words of the row's column ``text``; no file is read. See ``Modality.content``."""
        return row["text"]

    def decode(self, content: str, name: str, inputs: InputConfig | None = None) -> Decoded:
        """The words as they are, with nothing beside them. See ``Modality.decode``."""
        return Decoded(content)

    def inspect(self, row: Row, roots: Roots, ingestion: IngestionConfig) -> dict[str, Any]:
        """The cleaned text, and the digest of that in UTF-8. See ``Modality.inspect``."""
        from cross_modal_kd.modalities.text.read import read_text

        text = read_text(row["text"], row["sample_id"])
        return {"text": text, "sha256": hashlib.sha256(text.encode()).hexdigest()}

    def take(self, given: Any, name: str, inputs: InputConfig) -> Taken:
        """Words, cleaned as ``inspect`` cleans them; texts have no tensor. See ``Modality.take``."""
        from cross_modal_kd.modalities.text.read import read_text

        if not isinstance(given, str):
            raise UnreadableSampleError(name, f"a text must be words, found {type(given).__name__}")
        return Taken(Decoded(read_text(given, name)))

    @property
    def measures(self) -> Mapping[str, Callable[..., float]]:
        """Each takes the words and the vocabulary that ``context`` fits. See ``Modality.measures``."""
        from cross_modal_kd.modalities.text.quality import MEASURES

        return MEASURES

    def context(self, samples: "pd.DataFrame") -> tuple[Any, ...]:
        """The vocabulary of the training texts, the only entry. See ``Modality.context``."""
        from cross_modal_kd.modalities.text.quality import fit

        return (fit(samples.loc[samples["split"] == "train", "text"]),)

    @property
    def degradations(self) -> "Mapping[str, Degradation]":
        """Words left out or misspelt. See ``Modality.degradations``."""
        from cross_modal_kd.modalities.text.degrade import DEGRADATIONS

        return DEGRADATIONS

    def preview(self, row: Row, roots: Roots, large: bool = False) -> Preview:
        """The words; large: no more than a page has room for (300 characters). See ``Modality.preview``."""
        return Preview("text", row["text"][:LONGEST] if large else row["text"])
