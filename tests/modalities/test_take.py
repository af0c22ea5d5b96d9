"""A sample from outside is read as one of the samples table is."""

import io

import numpy as np
import pandas as pd
import pytest
import soundfile

from cross_modal_kd.config import InputConfig, SourceConfig
from cross_modal_kd.modalities import Item, ModalityError, load_inputs, modality_of
from cross_modal_kd.samples import Roots, UnreadableSampleError

INPUTS = InputConfig(**{"speech": {"sample_rate": 8000, "eval_s": 1.5}, "image": {"size": 16, "channels": 1}})


def wave(seconds, rate, seed=0):
    t = np.arange(int(seconds * rate)) / rate
    rng = np.random.default_rng(seed)
    return (0.4 * np.sin(2 * np.pi * 220 * t) + 0.05 * rng.standard_normal(len(t))).astype(np.float32)


@pytest.mark.parametrize(
    ("seconds", "rate"),
    [(0.3, 8000), (1.5, 8000), (4.0, 8000), (2.2, 44100), (1.0, 22050), (63.0, 8000), (61.0, 16000)],
)
def test_a_sound_is_heard_as_in_evaluation(tmp_path, seconds, rate):
    sound = wave(seconds, rate)
    soundfile.write(tmp_path / "a.wav", sound, rate, subtype="PCM_16")
    row = {"sample_id": "a", "modality": "speech", "source": "s", "path": "a.wav", "duration_s": seconds}
    roots = Roots({"s": SourceConfig(layout="folder", root=str(tmp_path))})
    _, expected = load_inputs("speech", pd.DataFrame([row]), roots, INPUTS).__getitems__([Item(0)])
    file, stored = tmp_path / "a.wav", soundfile.read(tmp_path / "a.wav", dtype="float32")
    for given in (file, file.read_bytes(), stored, (np.stack([stored[0]] * 2, 1), rate)):
        taken = modality_of("speech").take(given, "a", INPUTS)
        np.testing.assert_allclose(taken.tensor.numpy(), expected[0].numpy(), atol=1.01 / 32767)
        assert taken.tensor.shape == (12000,)
        assert taken.decoded.about == {"sample_rate": rate}
        np.testing.assert_allclose(taken.decoded.value, modality_of("speech").decode(file, "a.wav").value, atol=1e-6)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ((np.zeros(8000, np.float32), 8000), "silent: all its samples are the same"),
        ((np.full(8000, 0.3, np.float32), 8000), "silent: all its samples are the same"),
        ((np.full(12000, -0.3, np.float32), 12000), "silent: all its samples are the same"),
        ((np.full((700_000, 2), 9000, np.int16), 11025), "silent: all its samples are the same"),
        ((np.full(8000, np.nan), 8000), "NaN"),
        ((np.full(8000, 3000.0), 8000), "full scale"),
        ((np.zeros(0, np.float32), 8000), "empty"),
        ((np.ones(100, np.float32), 10), "rate"),
        (np.ones(8000, np.float32), "rate in Hz"),
        ((np.ones(8000, np.int64), 8000), "int16"),
        (b"no sound", "not a readable sound"),
    ],
)
def test_what_is_no_sound_is_told(given, why):
    with pytest.raises(UnreadableSampleError, match=why):
        modality_of("speech").take(given, "a", INPUTS)


def test_sixteen_bits_are_as_floats():
    sound = (wave(1, 8000) * 32767).astype(np.int16)
    taken = [modality_of("speech").take((each, 8000), "a", INPUTS).tensor for each in (sound, sound / 32768)]
    np.testing.assert_array_equal(*[each.numpy() for each in taken])


def test_images_of_any_size_become_one_size_grey_or_not():
    image = modality_of("image")
    pixels = np.random.default_rng(0).integers(0, 255, (30, 50, 3)).astype(np.uint8)
    assert image.take(pixels, "a", INPUTS).tensor.shape == (1, 16, 16)
    grey = image.take(pixels[:, :, 0], "a", InputConfig())
    assert grey.tensor.shape == (3, 32, 32) and (grey.tensor[0] == grey.tensor[1]).all()
    stored = io.BytesIO()
    from PIL import Image

    Image.fromarray(pixels).save(stored, "PNG")
    np.testing.assert_array_equal(
        image.take(stored.getvalue(), "a", INPUTS).tensor, image.take(pixels, "a", INPUTS).tensor
    )
    picture = np.zeros((3000, 3000, 3), np.uint8)
    picture[:1500] = 255
    large = image.take(picture, "a", INPUTS)
    assert large.decoded.value.shape[0] * large.decoded.value.shape[1] <= 2**22
    for wrong in (pixels[:5], pixels.astype(float), np.zeros((20, 20, 4), np.uint8)):
        with pytest.raises(UnreadableSampleError):
            image.take(wrong, "a", INPUTS)
    for level in (0, 90, 255):
        with pytest.raises(UnreadableSampleError, match="a: the picture is blank: its first frame"):
            image.take(np.full((20, 20, 3), level, np.uint8), "a", INPUTS)


def test_words_are_cleaned_and_a_modality_without_take_says_so():
    assert modality_of("text").take(" a  cat\n", "q", INPUTS).decoded.value == "a cat"
    with pytest.raises(UnreadableSampleError, match="blank"):
        modality_of("text").take("  ", "q", INPUTS)

    class Odd(type(modality_of("text"))):
        name = "odd"
        take = type(modality_of("text")).__mro__[1].take

    with pytest.raises(ModalityError, match="no `take`"):
        Odd().take("x", "q", INPUTS)
