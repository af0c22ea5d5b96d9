"""How a student is exported."""

from typing import Literal

from pydantic import Field

from cross_modal_kd.config.strict import Strict


class ExportConfig(Strict):
    """ONNX and torch.export programs of a student, held against PyTorch.

    Attributes:
        tolerance: of unit embeddings and probabilities: an absolute difference above it is an error.
        samples: real ones of the dev split that the programs are held against PyTorch on, at every length.
        runs: of which the latency is the median.
        int8: whether a program with 8-bit weights is written too, and how its activations are scaled: ``dynamic`` as
            it runs, ``static`` by training samples; what it costs in the task's metric is measured.
        calibration: training samples for ``static``.
        seed: of the draw of samples.
    """

    tolerance: float = Field(1e-4, gt=0, le=0.1)
    samples: int = Field(16, ge=1)
    runs: int = Field(30, ge=1)
    int8: Literal["none", "dynamic", "static"] = "none"
    calibration: int = Field(64, ge=1)
    seed: int = Field(0, ge=0)
