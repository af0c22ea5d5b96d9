"""A frozen network of images in an ONNX file on disk: insightface's, or what another toolkit has exported."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cross_modal_kd.modalities.image.encoders import Scaling
from cross_modal_kd.models import Encoder

NAME = "teacher.encoder.name"
INSTALL = "it takes onnx and onnxruntime: pip install cross_modal_kd[export]"


class OnnxEncoder(Encoder):
    """The first output of a graph over images, on the CPU or, where onnxruntime is built for it, a GPU.

    Images are scaled as ``ImageEncoder`` has it: insightface's (x - 127.5) / 127.5 is a mean and deviation of 0.5. What
    more than one number an image the output has is one vector. Nothing of the file is kept in a saved model.

    Args:
        file: of the graph, whose only input is (B, channels, size, size) float32.
        shape: channels and side of the images that it is to take.
        scaling: mean and deviation of each channel, in shares of 255; None takes 0.5 and 0.25.

    Raises:
        ValueError: the file is no such graph.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, file: Path, shape: tuple[int, int], scaling: Scaling = None) -> None:
        super().__init__()
        mean, std = scaling or ([0.5], [0.25])
        for name, values in (("mean", mean), ("std", std)):
            self.register_buffer(name, torch.tensor(values, dtype=torch.float32)[:, None, None], persistent=False)
        self._session = _session(file)
        inputs = self._session.get_inputs()
        expected = [shape[0], shape[1], shape[1]]
        found = list(inputs[0].shape)
        fits = len(inputs) == 1 and len(found) == 4 and inputs[0].type == "tensor(float)"
        if not fits or any(isinstance(size, int) and size != expected[at] for at, size in enumerate(found[1:])):
            raise ValueError(
                f"{NAME}: {file} takes {[(each.name, each.shape, each.type) for each in inputs]}, expected one input "
                f"of float32 images, {expected} each, as inputs.image says; set its size and channels, or export it so"
            )
        self._input, self._at_a_time = inputs[0].name, found[0] if isinstance(found[0], int) else None
        self.num_features = int(np.prod(self._run(np.zeros((1, *expected), dtype=np.float32)).shape[1:]))

    def forward(self, images: Tensor) -> Tensor:
        """Images to features.

        Args:
            images: (B, C, H, W) in [0, 255], uint8.

        Returns:
            (B, num_features) float32.
        """
        scaled = ((images.float() / 255 - self.mean) / self.std).cpu().numpy()
        return torch.from_numpy(self._run(scaled).reshape(len(images), -1)).to(images.device)

    def _run(self, images: np.ndarray) -> np.ndarray:
        """The first output; of a graph for a fixed number of images, so many at a time."""
        size = self._at_a_time or len(images)
        parts = []
        for start in range(0, len(images), size):
            part = images[start : start + size]
            filled = np.concatenate([part, np.zeros((size - len(part), *part.shape[1:]), dtype=np.float32)])
            parts.append(self._session.run(None, {self._input: filled})[0][: len(part)])
        return np.concatenate(parts).astype(np.float32)


def graph_of(file: Path) -> bytes:
    """The content of a file of one graph, with all its weights.

    Args:
        file: on this machine.

    Returns:
        Its bytes.

    Raises:
        ValueError: it is none, or its weights lie in another file.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ValueError(f"{NAME}: there is no file {file} ({type(error).__name__}); give the path of one") from error
    try:
        import onnx
        from onnx.external_data_helper import uses_external_data
    except ImportError as error:
        raise ValueError(f"{NAME}: {file}: {INSTALL}") from error
    try:
        graph = onnx.load_model_from_string(content).graph
    except Exception as error:  # protobuf's own error derives from Exception alone
        raise ValueError(f"{NAME}: {file} is no ONNX file ({error}); give the path of one") from error
    if any(uses_external_data(tensor) for tensor in graph.initializer):
        raise ValueError(f"{NAME}: the weights of {file} lie in another file: save it as one (onnx.save_model)")
    return content


def _session(file: Path) -> Any:
    content = graph_of(file)
    try:
        import onnxruntime
    except ImportError as error:
        raise ValueError(f"{NAME}: {file}: {INSTALL}") from error
    wanted = ("CUDAExecutionProvider", "CPUExecutionProvider")
    providers = [name for name in wanted if name in onnxruntime.get_available_providers()]
    try:
        return onnxruntime.InferenceSession(content, providers=providers)
    except Exception as error:  # onnxruntime's own errors derive from Exception alone
        raise ValueError(f"{NAME}: {file} cannot be run ({error}); export it again") from error
