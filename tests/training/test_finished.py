"""A finished training is kept until the whole run is through."""

import numpy as np
import pandas as pd
import pytest

from cross_modal_kd.models import ModelBundle
from cross_modal_kd.training import forget_finished, once

CONFIG = {"encoder": {"library": "timm", "name": "test_resnet"}, "inputs": {}}
HISTORY = pd.DataFrame({"epoch": [1.0, 2.0], "loss": [1 / 3, 0.1], "dev_eer": [np.nan, 2 / 7]})


class Training:
    def __init__(self):
        self.count, self.rows = 0, []

    def __call__(self):
        self.count += 1
        return ModelBundle("pretrained", CONFIG, {"w": np.arange(3, dtype=np.float32)}), HISTORY

    def log(self, row, epoch):
        self.rows.append((epoch, row["loss"]))


def test_what_is_finished_is_taken_to_the_last_digit_with_its_curves_until_it_is_forgotten(tmp_path):
    training, checkpoint = Training(), tmp_path / "none-ab12.safetensors"
    for _ in range(2):
        bundle, history = once(checkpoint, training, training.log)
        assert np.asarray(bundle.tensors["w"]).tolist() == [0, 1, 2] and bundle.config == CONFIG
        pd.testing.assert_frame_equal(history, HISTORY, check_exact=True)
    assert training.count == 1 and training.rows == [(1, 1 / 3), (2, 0.1)]
    once(tmp_path / "none-other.safetensors", training, training.log)
    forget_finished(tmp_path)
    once(checkpoint, training, training.log)
    assert training.count == 3


@pytest.mark.parametrize("name", ["none-ab12/model.safetensors", "none-ab12.history/history.csv"])
def test_what_was_kept_and_is_damaged_is_trained_again(tmp_path, caplog, name):
    training, checkpoint = Training(), tmp_path / "none-ab12.safetensors"
    once(checkpoint, training, training.log)
    file = tmp_path / "finished" / name
    file.write_bytes(file.read_bytes()[:-1] + b"~")
    once(checkpoint, training, training.log)
    assert training.count == 2 and "is trained again" in caplog.text
