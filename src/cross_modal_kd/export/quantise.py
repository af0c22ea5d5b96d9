"""A network with 8-bit weights, and 8-bit activations where its heavy layers compute."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np

LAYERS = ("Conv", "Gemm", "MatMul")


def quantise(file: Path, to: Path, method: Literal["dynamic", "static"], samples: Sequence[np.ndarray]) -> None:
    """Write the network with convolutions and linear layers in 8 bits; the features before the first of them stay.

    Args:
        file: the ONNX file in float32.
        to: the file to write.
        method: ``dynamic`` scales activations as it runs, ``static`` by ``samples``.
        samples: (1, ...) inputs of the training split.
    """
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with TemporaryDirectory() as folder:
        ready = Path(folder) / "ready.onnx"
        quant_pre_process(str(file), str(ready), skip_symbolic_shape=True)
        left_alone = _features(ready)
        if method == "dynamic":
            quantization.quantize_dynamic(
                *(str(ready), str(to)), op_types_to_quantize=list(LAYERS), nodes_to_exclude=left_alone, per_channel=True
            )
            return
        quantization.quantize_static(
            *(str(ready), str(to), _reader(ready, samples)),
            op_types_to_quantize=list(LAYERS),
            nodes_to_exclude=left_alone,
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
        )


def _features(file: Path) -> list[str]:
    """The linear layers before the first convolution: the filters of log-mel features, which 8 bits cannot hold."""
    import onnx

    nodes = [node for node in onnx.load(file).graph.node if node.op_type in LAYERS]
    first = next((place for place, node in enumerate(nodes) if node.op_type == "Conv"), 0)
    return [node.name for node in nodes[:first]]


def _reader(file: Path, samples: Sequence[np.ndarray]) -> Any:
    """The samples, as calibration asks for them."""
    import onnx
    from onnxruntime.quantization import CalibrationDataReader

    name = onnx.load(file, load_external_data=False).graph.input[0].name

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self._left = iter(samples)

        def get_next(self) -> dict[str, np.ndarray] | None:
            sample = next(self._left, None)
            return None if sample is None else {name: sample}

    return Reader()
