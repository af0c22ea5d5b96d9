"""An exported student at work in onnxruntime."""

from pathlib import Path

import numpy as np


class OnnxStudent:
    """An ONNX file as a function of a batch.

    Args:
        file: of an exported student.
        threads: of one operation; 0 leaves it to onnxruntime.

    Attributes:
        input: name of the input.
        outputs: names of the outputs.
        any_batch: whether it takes several samples at a time.
    """

    def __init__(self, file: Path, threads: int = 0) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1 if threads else 0
        options.log_severity_level = 3  # errors
        self._session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        (given,) = self._session.get_inputs()
        self.input = given.name
        self.outputs = [each.name for each in self._session.get_outputs()]
        self.any_batch = not isinstance(given.shape[0], int)

    def __call__(self, inputs: np.ndarray) -> dict[str, np.ndarray]:
        """What the student makes of a batch.

        Args:
            inputs: (B, ...) of the network's type; one at a time where the network takes one.

        Returns:
            By output, (B, ...) float32.
        """
        batches = [inputs] if self.any_batch else [inputs[row : row + 1] for row in range(len(inputs))]
        found = [self._session.run(self.outputs, {self.input: batch}) for batch in batches]
        return {name: np.concatenate([each[place] for each in found]) for place, name in enumerate(self.outputs)}
