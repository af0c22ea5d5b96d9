"""The blocks of docs/sets/recipes.md are configurations that are taken."""

import re
from pathlib import Path

import pytest
import yaml

import cross_modal_kd.modalities  # noqa: F401 (registers the encoders)
from cross_modal_kd.config import InputConfig, StudentConfig, TeacherConfig, TrainingConfig

PAGE = Path(__file__).parents[2] / "docs" / "sets" / "recipes.md"
BLOCKS = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)]
MODELS = {"inputs": InputConfig, "student": StudentConfig, "teacher": TeacherConfig, "training": TrainingConfig}


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_a_recipe_is_a_configuration(number):
    for name, block in BLOCKS[number].items():
        if name in MODELS:
            MODELS[name](**block)


def test_the_three_kinds_of_published_speech_encoders_are_there():
    said = [block["student"] for block in BLOCKS if isinstance(block.get("student", {}).get("pretrained"), str)]
    assert [each["encoder"]["library"] for each in said] == ["speechbrain", "tstp", "transformers"]
    assert all("options" not in each["encoder"] or each["encoder"]["options"].keys() == {"pooling"} for each in said)


def test_the_first_recipe_says_what_wespeaker_does():
    training = TrainingConfig(**BLOCKS[0]["training"])
    assert len(BLOCKS) == 9 and training.augmentation["speech"].speeds == (1.0, 0.9, 1.1)
    second = training.for_large_margin()
    assert (second.epochs, second.lr, second.schedule, second.keep) == (5, 2e-4, "exponential", "last")
