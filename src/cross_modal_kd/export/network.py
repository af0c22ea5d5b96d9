"""What is exported: a student with its answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from cross_modal_kd.losses import unit
from cross_modal_kd.models import ModelBundle, build_student, classifier_logits


@dataclass(frozen=True)
class Operating:
    """How embeddings become decisions and logits probabilities, found on dev.

    Attributes:
        temperature: T of softmax(logits / T).
        thresholds: by name, the cosine from which two samples are taken for the same.
        undecided: by name, why there is no such threshold.
    """

    temperature: float = 1.0
    thresholds: Mapping[str, float] = field(default_factory=dict)
    undecided: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def found(cls, record: Mapping[str, Any]) -> "Operating":
        """What the deployment stage has found, and why it could not find the rest.

        Args:
            record: ``operating.json``: ``temperature`` and ``thresholds``, each with a value or with a reason.

        Returns:
            Temperature 1 where none was fitted, the thresholds that have a value, and the reasons of the others.
        """
        found = {each["name"]: each["value"] for each in record["thresholds"] if each["value"] is not None}
        reasons = {each["name"]: each["reason"] for each in record["thresholds"] if each["value"] is None}
        return cls(record["temperature"]["value"] or 1.0, found, reasons)


class Answering(nn.Module):
    """Raw inputs (B, ...) to unit embeddings and, of a student that names classes, logits and probabilities.

    Args:
        bundle: of ``student_bundle``; a linear classifier is one that names classes.
        operating: its temperature.
        portable: whether what no graph can hold is replaced (``Encoder.make_portable``).
    """

    def __init__(self, bundle: ModelBundle, operating: Operating, portable: bool = False) -> None:
        super().__init__()
        self.student = build_student(bundle)
        if portable:
            self.student.encoder.make_portable()
        self.bundle, self.temperature = bundle, operating.temperature
        self.outputs = ["embedding"]
        if "head.bias" in bundle.tensors:
            self.outputs += ["logits", "probability"]
        self.eval()

    def forward(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """What the student makes of inputs.

        Args:
            inputs: (B, ...) raw, as the modality reads them.

        Returns:
            (B, d) of length 1, then (B, C) logits and (B, C) probabilities where there are any.
        """
        embeddings = self.student(inputs)
        if len(self.outputs) == 1:
            return (unit(embeddings),)
        logits = classifier_logits(self.bundle, embeddings)
        return unit(embeddings), logits, (logits / self.temperature).softmax(dim=1)
