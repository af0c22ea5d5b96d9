"""Texts."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cross_modal_kd.config import EncoderConfig, IngestionConfig, InputConfig
from cross_modal_kd.modalities.modality import Corrupt, Decoded, Modality, Preview, Row, Standalone, Taken
from cross_modal_kd.modalities.text.config import TextInputConfig
from cross_modal_kd.modalities.text.options import BagOptions, BertOptions
from cross_modal_kd.models import EncoderLibrary, MissingModelError, Reading
from cross_modal_kd.samples import Roots, UnreadableSampleError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from torch import Tensor

    from cross_modal_kd.modalities.degradation import Degradation
    from cross_modal_kd.modalities.inputs import Inputs
    from cross_modal_kd.models import Encoder

LONGEST = 300


def _embed(config: EncoderConfig, samples: "pd.DataFrame") -> "np.ndarray":
    from cross_modal_kd.modalities.text.encoder import embed_texts

    return embed_texts(config.name, samples["text"].tolist())


def _reading(config: EncoderConfig, samples: "pd.DataFrame") -> Reading:
    from cross_modal_kd.modalities.text.encoder import read_pieces

    return read_pieces(config.name, samples["text"].tolist())


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


def _of_bytes(config: EncoderConfig, inputs: InputConfig) -> "Encoder":
    from cross_modal_kd.modalities.text.byte_encoders import ByteBert, NgramBag

    if config.name == "fasttext":
        return NgramBag(BagOptions(**config.options))
    return ByteBert(BertOptions(**config.options), inputs.of(TextInputConfig).length)


LIBRARIES = {
    "sentence_transformers": EncoderLibrary(embed=_embed, reading=_reading, weights=_weights, check=_check),
    "utf8": EncoderLibrary(_of_bytes, options={"fasttext": BagOptions, "bert": BertOptions}),
}
MINILM = {"library": "sentence_transformers", "name": "all-MiniLM-L6-v2"}
FASTTEXT = {"library": "utf8", "name": "fasttext"}


class Text(Modality):
    """Words, which stand in the samples table itself (column ``text``).

    Encoders are pretrained and frozen, or trained here from the bytes of the words.
    """

    name = "text"
    version = 2
    plural = "texts"
    hub = "text"
    concerns = (
        "Texts may hold personal data and the stereotypes of who wrote them; what a text teacher has learnt from them "
        "may be found in the student.",
    )
    words = True
    inputs = TextInputConfig
    columns = {"text": "string"}
    libraries = LIBRARIES
    student = {"encoder": FASTTEXT}
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

    def load(
        self, samples: "pd.DataFrame", roots: Roots, inputs: InputConfig, corrupt: Corrupt | None = None
    ) -> "Inputs":
        """uint8 tensors (length,) of the words' bytes. See ``Modality.load``."""
        from cross_modal_kd.modalities.text.inputs import TextInputs

        return TextInputs(samples, inputs, corrupt)

    def reading(self, samples: "pd.DataFrame", inputs: InputConfig) -> Reading:
        """The bytes of each text, and how many of them are read. See ``Modality.reading``."""
        import numpy as np

        sizes = (len(text.encode("utf-8", "replace")) for text in samples["text"])
        lengths = np.fromiter(sizes, np.int64, len(samples))
        return Reading("bytes", lengths, inputs.of(TextInputConfig).length, np.zeros(len(samples), dtype=bool))

    def take(self, given: Any, name: str, inputs: InputConfig) -> Taken:
        """Words, or a file of them in UTF-8, cleaned as ``inspect`` cleans them. See ``Modality.take``."""
        import torch

        from cross_modal_kd.modalities.text.read import read_text
        from cross_modal_kd.modalities.text.read_input import as_bytes, decoded

        if isinstance(given, Path | bytes):
            try:
                given = decoded(given.read_bytes() if isinstance(given, Path) else given)
            except ValueError as error:
                raise UnreadableSampleError(name, str(error)) from error
        if not isinstance(given, str):
            raise UnreadableSampleError(name, f"a text must be words, found {type(given).__name__}")
        text = read_text(given, name)
        length, most = len(text.encode("utf-8", "replace")), inputs.of(TextInputConfig).length
        unread = f"{length - most:,} of its {length:,} bytes" if length > most else ""
        return Taken(Decoded(text), torch.from_numpy(as_bytes(text, most)), unread)

    def of_columns(self, values: Sequence[Any]) -> str:
        """Words. See ``Modality.of_columns``.

        Raises:
            UnreadableSampleError: the value is none.
        """
        (text,) = values
        if not isinstance(text, str):
            raise UnreadableSampleError("text", f"text must be words, found {type(text).__name__}")
        return text

    def examples(self, inputs: InputConfig) -> "Sequence[Tensor]":
        """One shape: every text has its bytes, and zeros behind them.

        Args:
            inputs: of which the block ``text`` counts.

        Returns:
            (2, length) uint8.
        """
        import torch

        return [torch.full((2, inputs.of(TextInputConfig).length), ord("a"), dtype=torch.uint8)]

    def standalone(self, inputs: InputConfig) -> Standalone:
        """The bytes of a text. See ``Modality.standalone``."""
        facts = {"length": inputs.of(TextInputConfig).length}
        return Standalone("text", {}, facts, Path(__file__).with_name("read_input.py"), ())

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
