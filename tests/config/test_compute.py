"""Where trainings run is said once, in the block ``compute``."""

import pytest
from pydantic import ValidationError

from cross_modal_kd.config import ComputeConfig, ConfigError, TeacherConfig, TrainingConfig, with_compute

BLOCKS = {"training": {"epochs": 3}, "teacher": {"training": {"epochs": 4, "compute": {"devices": 1}}}, "x": {"y": 1}}


def test_every_training_runs_where_the_block_says_unless_it_says_it_itself():
    found = with_compute(BLOCKS | {"compute": {"devices": 4, "precision": "32-true"}})
    assert found["x"] == BLOCKS["x"]
    assert TrainingConfig(**found["training"]).compute == ComputeConfig(devices=4, precision="32-true")
    teacher = TeacherConfig(encoder={"library": "timm", "name": "x"}, **found["teacher"]).training
    assert teacher.epochs == 4
    assert teacher.compute == ComputeConfig(devices=1, precision="32-true")


def test_without_the_block_nothing_is_changed():
    assert with_compute(BLOCKS) == BLOCKS


def test_a_trainings_own_block_that_is_none_is_left_for_its_check():
    """It was passed over without a word."""
    found = with_compute({"training": {"epochs": 3, "compute": 3}, "compute": {"devices": 2}})
    with pytest.raises(ValidationError, match="compute"):
        TrainingConfig(**found["training"])


@pytest.mark.parametrize("block", [{"device": 2}, {"devices": -1}, ["cpu"]])
def test_what_is_wrong_is_said_of_the_block(block):
    with pytest.raises(ConfigError, match="^compute: "):
        with_compute(BLOCKS | {"compute": block})
