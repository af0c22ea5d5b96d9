"""What an environment and --params take from the parameters below them, and what they do not."""

import pytest

from cross_modal_kd.config.errors import ConfigError
from cross_modal_kd.config.overlay import compose, overlay
from cross_modal_kd.config.registered import default_of

VGG = {"library": "torchvision", "name": "vgg", "options": {"channels": [16, 32]}}
MINILM = {"library": "sentence_transformers", "name": "all-MiniLM-L6-v2"}
BASE = {
    "task": {"title": "Emoji", "kind": "verification", "student": "image", "teacher": "text", "note": "Emoji."},
    "sources": {"emoji": {"layout": "emoji", "root": "data/emoji", "options": {"label": "concept"}}},
    "student": {"encoder": VGG, "scale": 16.0},
    "teacher": {"pretrained": True, "encoder": MINILM, "margin": 0.1},
    "arms": {"soft": {"constraints": {"f": {"kind": "cosine", "weight": 4.0, "margin": 0.6}}}},
    "training": {"epochs": 12},
    "ingestion": {"split": {"seed": 0, "frozen": "conf/base/split.csv"}, "workers": 2},
}
MINE = {"sounds": {"layout": "folder", "root": "data/sounds"}, "faces": {"layout": "folder", "root": "data/faces"}}
TASK = {"kind": "verification", "student": "speech", "teacher": "image", "pairing": "label", "chimeric": True}
CONSTRAINT = ("arms", "soft", "constraints", "f")


def at(values, path):
    for key in path:
        values = values[key]
    return values


def nested(path, value):
    for key in reversed(path):
        value = {key: value}
    return value


@pytest.mark.parametrize(
    ("path", "change", "left"),
    [
        (("student", "encoder"), {"name": "resnet18"}, {"library": "torchvision", "name": "resnet18"}),
        (("student", "encoder"), {"library": "timm"}, {"library": "timm", "name": "vgg"}),
        (
            ("student", "encoder"),
            {"library": "timm", "name": "resnet18", "options": {"stem_width": 8}},
            {"library": "timm", "name": "resnet18", "options": {"stem_width": 8}},
        ),
        (("sources", "emoji"), {"layout": "folder"}, {"layout": "folder", "root": "data/emoji"}),
        (CONSTRAINT, {"kind": "l2"}, {"kind": "l2"}),
        # the choice stays: single keys change
        (("student", "encoder"), {"options": {"convs": 2}}, VGG | {"options": {"channels": [16, 32], "convs": 2}}),
        (("student", "encoder"), {"name": "vgg", "options": {"channels": [8]}}, VGG | {"options": {"channels": [8]}}),
        (("sources", "emoji"), {"root": "/disk"}, BASE["sources"]["emoji"] | {"root": "/disk"}),
        (CONSTRAINT, {"weight": 1.0}, {"kind": "cosine", "weight": 1.0, "margin": 0.6}),
    ],
)
@pytest.mark.parametrize("layer", ["environment", "runtime"])
def test_what_belongs_to_a_choice_goes_with_it(path, change, left, layer):
    change = nested(path, change)
    if layer == "environment" and path[0] == "sources":
        assert at(overlay(BASE, change), path) == left  # an environment's sources stand for themselves anyway
        return
    layers = {"environment": {}, "runtime": {}} | {layer: change}
    composed = compose(BASE, layers["environment"], layers["runtime"], "conf/mine")
    assert at(composed, path) == left
    assert composed["student"]["scale"] == 16.0


def test_the_teachers_encoder_is_a_choice_too():
    composed = compose(BASE, {"teacher": {"encoder": {"library": "timm", "name": "resnet10t"}}}, {}, "")
    assert composed["teacher"]["encoder"] == {"library": "timm", "name": "resnet10t"}


def test_another_task_takes_nothing_of_what_the_default_task_is_about():
    composed = compose(BASE, {"task": TASK, "sources": MINE}, {}, "")
    assert composed["task"] == TASK  # neither title nor note
    assert composed["sources"] == MINE
    assert composed["student"] == {"encoder": default_of("student", "speech")["encoder"], "scale": 16.0}
    assert composed["teacher"] == {"margin": 0.1, **default_of("teacher", "image")}
    assert composed["teacher"]["pretrained"] is False
    assert composed["training"] == {"epochs": 12} and composed["arms"] == BASE["arms"]
    assert composed["ingestion"] == {"split": {"seed": 0}, "workers": 2}


def test_the_encoder_of_another_task_is_changed_over_its_modalitys_own():
    smaller = {"student": {"encoder": {"options": {"lin_neurons": 16}}}}
    options = compose(BASE, {"task": TASK, "sources": MINE}, smaller, "")["student"]["encoder"]["options"]
    assert options == default_of("student", "speech")["encoder"]["options"] | {"lin_neurons": 16}
    own = {"student": {"encoder": {"library": "speechbrain", "name": "ResNet"}}}
    composed = compose(BASE, {"task": TASK, "sources": MINE, **own}, {}, "")
    assert composed["student"]["encoder"] == own["student"]["encoder"]


def test_other_data_alone_keep_the_question_and_leave_the_words_about_the_data():
    composed = compose(BASE, {"sources": MINE}, {}, "")
    assert composed["sources"] == MINE
    assert composed["task"] == {"kind": "verification", "student": "image", "teacher": "text"}
    assert composed["student"]["encoder"] == VGG
    assert composed["ingestion"] == {"split": {"seed": 0}, "workers": 2}


def test_a_frozen_split_of_ones_own_is_kept():
    own = {"ingestion": {"split": {"frozen": "conf/mine/split.csv"}}}
    for environment in ({"task": TASK, "sources": MINE, **own}, {"sources": MINE, **own}):
        assert compose(BASE, environment, {}, "")["ingestion"]["split"] == {"seed": 0, "frozen": "conf/mine/split.csv"}


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"task": {"title": "Mine"}, "sources": MINE}, r"conf/mine.*task.kind \(verif.*task.student.*task.teacher"),
        ({"task": {**TASK, "student": "sppech"}, "sources": MINE}, "conf/mine.*unknown modality 'sppech'; expected"),
        (
            {"task": "mine", "sources": MINE},
            r"conf/mine.*task is a block \(kind, student, teacher and more\), found 'mine'",
        ),
        ({"task": TASK}, r"conf/mine.*Lacking: sources \(a name"),
        ({"task": TASK, "sources": {}}, "Lacking: sources"),
    ],
)
def test_what_another_task_lacks_is_named(environment, message):
    with pytest.raises(ConfigError, match=message):
        compose(BASE, environment, {}, "conf/mine/parameters*.yml")


@pytest.mark.parametrize("block", [{"student": {"encoder": "resnet18"}}, {"teacher": "text"}, {"student": None}])
def test_a_block_that_is_none_is_left_for_its_model_to_refuse(block):
    composed = compose(BASE, {"task": TASK, "sources": MINE, **block}, {}, "")
    assert all(composed[name] == value or composed[name].items() >= value.items() for name, value in block.items())


def test_layers_are_left_as_they_were():
    before = repr(BASE)
    compose(BASE, {"task": TASK, "sources": MINE}, {"student": {"encoder": {"name": "x"}}}, "")["task"]["kind"] = "y"
    assert repr(BASE) == before
    assert default_of("student", "speech")["encoder"]["name"] == "ECAPA_TDNN"
