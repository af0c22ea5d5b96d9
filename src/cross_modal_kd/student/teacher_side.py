"""The teacher's modality at the student's side: words (or images, or sounds) as vectors of the common space."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from cross_modal_kd.modalities import modality_of
from cross_modal_kd.models import (
    PRETRAINED,
    ModelBundle,
    build_pretrained,
    build_student,
    library_of,
    project,
    saved_encoder,
    saved_inputs,
)
from cross_modal_kd.samples import first_few
from cross_modal_kd.student.errors import StudentError
from cross_modal_kd.student.space import Space


@dataclass(frozen=True)
class TeacherSide:
    """What is stored of the teacher, for search across modalities and for classes that are named.

    Attributes:
        modality: of the teacher.
        model: the teacher itself; without tensors where its weights stay in their package.
        projection: into the common space, with the prototypes of the training classes.
        space: the projected training items.
        weights: SHA-256 of the weights that stay in their package; empty where none do.
    """

    modality: str
    model: ModelBundle
    projection: ModelBundle
    space: Space
    weights: str = ""
    _known: dict[str, np.ndarray] = field(default_factory=dict, repr=False, compare=False)

    @property
    def dim(self) -> int:
        """d, the dimensions of the student's embedding that are bound to the teacher."""
        return int(self.projection.config["projection"]["dim"])

    @property
    def scale(self) -> float:
        """The logit scale of the prototypes."""
        return float(self.projection.config["projection"]["scale"])

    def encode(self, given: Sequence[Any], names: Sequence[str]) -> np.ndarray:
        """Samples of the teacher's modality in the common space.

        Args:
            given: n words, files or arrays, as the modality takes them.
            names: of the samples, for errors.

        Returns:
            (n, d) float32, rows of length 1.

        Raises:
            StudentError: the teacher's encoder is not installed, is another one than the student was taught by, or
                knows no sign of a text.
            UnreadableSampleError: a sample cannot be read.
        """
        if library_of(saved_encoder(self.model).library).embed is not None:
            return self._words([str(each) for each in given], names)
        inputs = saved_inputs(self.model)
        tensors = [modality_of(self.modality).take(each, name, inputs).tensor
                   for each, name in zip(given, names, strict=True)]  # fmt: skip
        return project(self.projection, self._embed(tensors, inputs))

    def _embed(self, tensors: Sequence[Any], inputs: Any) -> np.ndarray:
        import torch

        network = self._network(inputs)
        with torch.no_grad():
            return np.concatenate([network(tensor[None]).float().numpy() for tensor in tensors])

    def _network(self, inputs: Any) -> Any:
        if self.model.kind != PRETRAINED:
            return build_student(self.model)
        if library_of(saved_encoder(self.model).library).opened is None:
            return build_pretrained(self.model, inputs)
        with self._encoder_at_hand("inputs of the teacher's"):
            return build_pretrained(self.model, inputs)

    def _words(self, given: Sequence[str], names: Sequence[str]) -> np.ndarray:
        modality, inputs = modality_of(self.modality), saved_inputs(self.model)
        texts = [modality.take(each, name, inputs).decoded.value for each, name in zip(given, names, strict=True)]
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, self._encoded(new), strict=True))
        return np.stack([self._known[text] for text in texts])

    def _encoded(self, texts: list[str]) -> np.ndarray:
        encoder = saved_encoder(self.model)
        library, asked = library_of(encoder.library), pd.DataFrame({"text": texts})
        with self._encoder_at_hand("words"):
            if library.embed is None:
                raise ValueError("it embeds no words")
            reading = library.reading(encoder, asked) if library.reading else None
            if reading is not None and reading.unknown.any():
                unknown = first_few(np.array(texts)[reading.unknown])
                raise StudentError(
                    f"the teacher's encoder {encoder.name!r} knows no sign of {unknown}: to it that is the "
                    "same as all else that it does not know. Write it in a script and in words that it knows"
                )
            raw = library.embed(encoder, asked)
        return project(self.projection, np.asarray(raw, dtype=np.float32))

    @contextmanager
    def _encoder_at_hand(self, what: str) -> Iterator[None]:
        """Within it, an encoder whose weights lie elsewhere is used, if they are those that taught the student."""
        encoder = saved_encoder(self.model)
        library = library_of(encoder.library)
        needed = (
            f"The encoder {encoder.name!r} of {encoder.library} is the teacher's: the student needs it to read {what}, "
            "and for nothing else"
        )
        try:
            weights = library.weights(encoder) if library.weights else ""
            if self.weights and weights != self.weights:
                raise StudentError(
                    f"{needed}. The one that is installed has other weights (SHA-256 {weights[:12]}) than that which "
                    f"taught the student ({self.weights[:12]}): install that one"
                )
            yield
        except (MemoryError, StudentError):
            raise
        except (ImportError, OSError, ValueError) as error:
            raise StudentError(f"{needed}. It is not here: {error}") from error
