"""Images as timm's own data configuration has them, against timm's own transform; and what that changes for others."""

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from pydantic import ValidationError
from timm.data import create_transform, resolve_data_config

from cross_modal_kd.config import EncoderConfig, InputConfig
from cross_modal_kd.modalities import modality_of
from cross_modal_kd.modalities.image.config import ImageInputConfig
from cross_modal_kd.models import create_encoder

NAME = "test_resnet.r160_in1k"


def cfg(name=NAME):
    return resolve_data_config({}, pretrained_cfg=timm.get_pretrained_cfg(name).to_dict(), verbose=False)


@pytest.mark.parametrize("name", [NAME, "resnet50.a1_in1k", "vit_base_patch16_224.augreg_in21k"])
def test_a_model_says_what_is_not_said_beside_it(name):
    found, expected = ImageInputConfig(timm=name), cfg(name)
    assert (found.size, found.interpolation, found.crop_pct) == (
        expected["input_size"][1],
        expected["interpolation"],
        expected["crop_pct"],
    )
    assert tuple(found.mean) == expected["mean"] and tuple(found.std) == expected["std"]
    own = ImageInputConfig(timm=name, size=96, interpolation="area")
    assert (own.size, own.interpolation, own.crop_pct) == (96, "area", expected["crop_pct"])


def test_what_is_kept_are_the_values_and_not_the_name():
    config = InputConfig(image={"timm": NAME, "interpolation": "area"})
    kept = config.model_dump(mode="json")
    assert "timm" not in kept["image"]
    assert InputConfig(**kept).model_dump() == config.model_dump() and InputConfig(**kept).image.interpolation == "area"
    assert InputConfig(image={"size": 32}).model_dump()["image"] == {"size": 32, "channels": 3}  # as it always was


@pytest.mark.parametrize("shape", [(301, 200), (200, 301), (160, 160), (90, 91), (1000, 170)])
@pytest.mark.parametrize("size", [None, 64])
def test_a_picture_becomes_what_timms_own_transform_makes_of_it(shape, size, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (shape[1] // 5 + 1, shape[0] // 5 + 1, 3), dtype=np.uint8)
    picture = Image.fromarray(pixels).resize(shape, Image.Resampling.BICUBIC)
    picture.save(tmp_path / "a.png")
    inputs = InputConfig(image={"timm": NAME, **({} if size is None else {"size": size})})
    taken = modality_of("image").take(tmp_path / "a.png", "a.png", inputs).tensor
    config = cfg() | ({} if size is None else {"input_size": (3, size, size)})
    expected = create_transform(**config, is_training=False)(picture)
    encoder = create_encoder(EncoderConfig(library="timm", name="test_resnet"), inputs)
    scaled = []
    encoder.network.forward = lambda given: scaled.append(given) or torch.zeros(1, encoder.num_features)
    encoder(taken[None])
    torch.testing.assert_close(scaled[0][0], expected)


def test_without_it_the_whole_picture_is_squeezed_by_an_area_filter(tmp_path):
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8))
    picture.save(tmp_path / "a.png")
    taken = modality_of("image").take(tmp_path / "a.png", "a.png", InputConfig(image={"size": 16})).tensor
    assert np.array_equal(taken, np.asarray(picture.resize((16, 16), Image.Resampling.BOX)).transpose(2, 0, 1))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"timm": "resnet5"}, "timm: Did you mean 'resnet"),
        ({"timm": "nothing"}, "timm: .*There are: resnet50"),
        ({"timm": NAME, "channels": 1}, "mean: expected a number for each of 1 channels, found 3"),
        ({"crop_pct": 1.5}, "crop_pct"),
        ({"interpolation": "nearest"}, "interpolation"),
    ],
)
def test_what_cannot_be_is_refused(given, message):
    with pytest.raises(ValidationError, match=message):
        ImageInputConfig(**given)


def test_a_crop_that_is_not_read_here_is_refused_by_its_name():
    border = next(
        name for name in timm.list_pretrained() if timm.get_pretrained_cfg(name).crop_mode == "border" and "." in name
    )
    with pytest.raises(ValidationError, match=f"timm: {border} takes .* cropped by 'border'"):
        ImageInputConfig(timm=border)
