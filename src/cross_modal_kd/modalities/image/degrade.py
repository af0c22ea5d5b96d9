"""Known damage to an image: uint8 (H, W, C) in and out, of the same shape, seeded by the generator passed in."""

import io
import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PilImage
from scipy import ndimage

from cross_modal_kd.modalities.degradation import Degradation

Image = NDArray[np.uint8]


def _to_uint8(values: NDArray[np.floating]) -> Image:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _to_pil(image: Image) -> PilImage.Image:
    return PilImage.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)


def _from_pil(picture: PilImage.Image, channels: int) -> Image:
    values = np.asarray(picture)
    return values[:, :, None] if channels == 1 else values


def blur(image: Image, level: float, rng: np.random.Generator) -> Image:
    """Gaussian blur; borders are repeated.

    Args:
        image: (H, W, C) uint8.
        level: standard deviation in pixels.
        rng: not used, nothing is random.

    Returns:
        (H, W, C) uint8.
    """
    return _to_uint8(ndimage.gaussian_filter(image.astype(np.float32), (level, level, 0), mode="nearest"))


def noise(image: Image, level: float, rng: np.random.Generator) -> Image:
    """Gaussian noise on every pixel and channel, clipped to [0, 255].

    Args:
        image: (H, W, C) uint8.
        level: standard deviation in grey levels.
        rng: draws the noise.

    Returns:
        (H, W, C) uint8.
    """
    return _to_uint8(image + rng.normal(0.0, level, image.shape))


def jpeg(image: Image, level: float, rng: np.random.Generator) -> Image:
    """Stored as JPEG and read again.

    Args:
        image: (H, W, 1 or 3) uint8.
        level: JPEG quality, 1 to 95, cut to a whole number.
        rng: not used, nothing is random.

    Returns:
        (H, W, C) uint8.
    """
    stored = io.BytesIO()
    _to_pil(image).save(stored, format="JPEG", quality=int(level))
    with PilImage.open(stored) as picture:
        return _from_pil(picture, image.shape[2])


def darkness(image: Image, level: float, rng: np.random.Generator) -> Image:
    """Every value times a gain.

    Args:
        image: (H, W, C) uint8.
        level: the gain, in [0, 1].
        rng: not used, nothing is random.

    Returns:
        (H, W, C) uint8.
    """
    return _to_uint8(image * np.float32(level))


def downscale(image: Image, level: float, rng: np.random.Generator) -> Image:
    """Made smaller (box average) and enlarged to its size again (bicubic).

    Args:
        image: (H, W, 1 or 3) uint8.
        level: the factor, at least 1, by which each side is divided; a side keeps at least one pixel.
        rng: not used, nothing is random.

    Returns:
        (H, W, C) uint8.
    """
    height, width, channels = image.shape
    small = (max(1, round(width / level)), max(1, round(height / level)))
    picture = _to_pil(image).resize(small, PilImage.Resampling.BOX).resize((width, height), PilImage.Resampling.BICUBIC)
    return _from_pil(picture, channels)


DEGRADATIONS: dict[str, Degradation] = {
    "blur": Degradation(blur, (0.5, 1.0, 1.5, 2.0, 3.0), "sigma, pixels", allowed=(0, math.inf)),
    "noise": Degradation(noise, (5.0, 10.0, 20.0, 40.0, 60.0), "sigma, grey levels", allowed=(0, math.inf)),
    "jpeg": Degradation(jpeg, (80.0, 50.0, 30.0, 15.0, 5.0), "JPEG quality", allowed=(1, 95)),
    "darkness": Degradation(darkness, (0.8, 0.6, 0.4, 0.25, 0.1), "gain", allowed=(0, 1)),
    "downscale": Degradation(downscale, (1.5, 2.0, 3.0, 4.0, 6.0), "factor", allowed=(1, math.inf)),
}
