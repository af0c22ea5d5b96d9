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


def environment(name: str) -> dict:
    return yaml.safe_load((PAGE.parents[2] / "conf" / name / "parameters.yml").read_text("utf-8"))


def test_the_environment_of_voxceleb_is_wespeakers_recipe_and_avcleanses_of_the_teacher():
    found, page = environment("voxceleb"), BLOCKS[0]
    assert {name: found[name] for name in ("student", "training")} == {
        name: page[name] for name in ("student", "training")
    }
    assert found["inputs"]["speech"] == page["inputs"]["speech"] and found["projection"]["dim"] == 256
    speech, training, second = found["inputs"]["speech"], found["training"], found["training"]["large_margin"]
    assert (speech["n_mels"], 100 * speech["crop_s"], 100 * second["crop_s"]) == (80, 200, 600)  # frames of 10 ms
    batch, world = training["batch_size"] // 2, 2  # on each of two GPUs
    assert (batch, second["batch_size"] // 2) == (128, 64)
    scale = world * batch / 64
    assert (training["lr"], training["final_lr"]) == pytest.approx((0.1 * scale, 5e-5 * scale))
    scale = world * 64 / 64
    assert (second["lr"], second["final_lr"]) == pytest.approx((1e-4 * scale, 2.5e-5 * scale))
    wanted = {"epochs": 150, "average_epochs": 10, "momentum": 0.9, "weight_decay": 1e-4, "warmup_epochs": 6}
    assert {name: training[name] for name in wanted} == wanted and training["optimizer"] == "sgd"
    assert {name: second[name] for name in ("epochs", "margin", "warmup_epochs")} == {
        "epochs": 5, "margin": 0.5, "warmup_epochs": 1
    }  # fmt: skip
    margins = training["margin_schedule"]
    assert (margins["start_epoch"], margins["end_epoch"], margins["initial"]) == (20, 40, 0.0)
    assert (found["student"]["margin"], found["student"]["scale"]) == (0.2, 32.0)
    noise = training["augmentation"]["speech"]
    assert (noise["probability"], noise["rooms"], len(noise["speeds"]) * 5994) == (0.6, 0.5, 17_982)
    assert (noise["noise"], noise["babble"], noise["music"]) == ([0, 15], [10, 30], [5, 15])
    assert noise["dither"] == 1.0 and found["student"]["encoder"]["options"] == {"features": "kaldi"}
    teacher = found["teacher"]
    assert (teacher["margin"], teacher["scale"], found["inputs"]["image"]["size"]) == (0.4, 64.0, 112)
    assert found["sources"]["voxceleb_faces"]["options"]["frames"] == 5


def test_the_environment_of_ecapa_is_speechbrains_recipe_and_the_rest_is_voxcelebs():
    found, other, page = environment("voxceleb_ecapa"), environment("voxceleb"), BLOCKS[2]
    assert all(found[name] == page[name] for name in ("student", "training"))
    assert found["inputs"]["speech"] == page["inputs"]["speech"] and found["projection"]["dim"] == 192
    assert {name for name in found.keys() | other.keys() if found.get(name) != other.get(name)} == {
        *("task", "inputs", "projection", "student", "training")
    }
    assert {name for name in found["task"] if found["task"][name] != other["task"].get(name)} == {"title"}
    assert {name for name in found["inputs"] if found["inputs"][name] != other["inputs"].get(name)} == {"speech"}
    text = (PAGE.parents[2] / "conf/voxceleb_ecapa/parameters.yml").read_text("utf-8")
    said = " ".join(line.lstrip("# ") for line in text.splitlines())
    assert all(figure in said for figure in ("1.30 / 1.98 / 3.62 %", "0.90 %", "0.856 / 1.072 / 2.059 %"))


def test_the_other_recipes_have_the_values_of_their_sources():
    ecapa, speechbrain = BLOCKS[1]["student"], BLOCKS[2]
    assert ecapa["encoder"]["options"]["channels"][0] == 1024 and BLOCKS[1]["projection"]["dim"] == 192
    training, student = speechbrain["training"], speechbrain["student"]
    copies = 5  # of every sound, its own among them
    assert (training["epochs"], training["batch_size"]) == (10 * copies, 32 * copies)
    assert (training["lr"], training["final_lr"], training["weight_decay"]) == (1e-3, 1e-8, 2e-6)
    assert (training["optimizer"], training["schedule"], training["step_size"]) == ("adam", "cyclic", 65_000)
    options = student["encoder"]["options"]
    assert options["features"] == "speechbrain" and options["lin_neurons"] == speechbrain["projection"]["dim"] == 192
    assert (options["channels"], options["attention_channels"]) == ([1024, 1024, 1024, 1024, 3072], 128)
    noise = training["augmentation"]["speech"]
    of_a_kind = (noise["probability"] * (1 - noise["rooms"]), noise["probability"] * noise["rooms"])
    assert of_a_kind == pytest.approx((1 / copies, 1 / copies)) and noise["noise"] == [0, 15]
    assert noise["spec_augment"]["probability"] == pytest.approx(2 / copies)
    assert (student["margin"], student["scale"], speechbrain["inputs"]["speech"]["crop_s"]) == (0.2, 30.0, 3.0)
    (cub,) = (block["training"] for block in BLOCKS if block.get("training", {}).get("weight_decay") == 5e-4)
    assert (cub["optimizer"], cub["lr"], cub["batch_size"], cub["epochs"], cub["warmup_epochs"]) == (
        "sgd",
        0.01,
        64,
        100,
        5,
    )
    cnceleb = environment("cnceleb")
    assert cnceleb["ingestion"]["join_s"] == 5.0 and cnceleb["student"]["margin"] == 0.2
    assert cnceleb["student"]["encoder"]["options"]["channels"][0] == 512


def test_the_first_recipe_says_what_wespeaker_does():
    training = TrainingConfig(**BLOCKS[0]["training"])
    assert len(BLOCKS) == 9 and training.augmentation["speech"].speeds == (1.0, 0.9, 1.1)
    second = training.for_large_margin()
    assert (second.epochs, second.lr, second.schedule, second.keep) == (5, 2e-4, "exponential", "last")
