"""Quality measures of one image: uint8 (H, W, C) in, one float out, higher is better, no reference needed.

Measures see the image as it is read (as stored up to 4 million pixels, shrunk to that above) and work on luminance Y in
[0, 255] (ITU-R BT.601 weights; a grey image is its own luminance). They are comparable only through their ranks: the
unit of each is said in its docstring. The smallest image is 8 x 8 pixels.
"""

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cross_modal_kd.modalities.image.read import SMALLEST

_BLOCK = 8
_TEXTURE = 3.0
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)

Image = NDArray[np.uint8]
Plane = NDArray[np.float32]


def luminance(image: Image) -> Plane:
    """Y (H, W) of an image.

    Args:
        image: (H, W, 1 or 3) uint8, at least 8 x 8 pixels.

    Returns:
        (H, W) float32 in [0, 255].

    Raises:
        ValueError: not uint8, not (H, W, 1 or 3), or a side under 8 pixels.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in (1, 3):
        raise ValueError(f"an image must be uint8 (H, W, 1 or 3), found {image.dtype} {image.shape}")
    if min(image.shape[:2]) < SMALLEST:
        raise ValueError(f"an image must be at least {SMALLEST} x {SMALLEST} pixels, found {image.shape[:2]}")
    if image.shape[2] == 1:
        return image[:, :, 0].astype(np.float32)
    return image.astype(np.float32) @ _LUMA


def _laplacian(y: Plane) -> Plane:
    return y[:-2, 1:-1] + y[2:, 1:-1] + y[1:-1, :-2] + y[1:-1, 2:] - 4 * y[1:-1, 1:-1]


def _sobel_energy(y: Plane) -> Plane:
    """Gx^2 + Gy^2 of the two Sobel kernels, (H - 2, W - 2)."""
    across = y[:, 2:] - y[:, :-2]
    down = y[2:, :] - y[:-2, :]
    gx = across[:-2] + 2 * across[1:-1] + across[2:]
    gy = down[:, :-2] + 2 * down[:, 1:-1] + down[:, 2:]
    return gx * gx + gy * gy


def _noise_sigma(y: Plane, gradient: Plane) -> float:
    """Immerkaer's estimate in grey levels over pixels of less than average gradient: edges would count as noise.

    The mean of a million equal numbers may round to less than they are; such pixels are all average.
    """
    diagonal = y[:-2, :-2] + y[:-2, 2:] + y[2:, :-2] + y[2:, 2:]
    straight = y[:-2, 1:-1] + y[2:, 1:-1] + y[1:-1, :-2] + y[1:-1, 2:]
    residual = np.abs(diagonal - 2 * straight + 4 * y[1:-1, 1:-1])
    most = max(gradient.mean(), gradient.min())
    return float(np.sqrt(np.pi / 2) / 6 * residual[gradient <= most].mean())


class Seen:
    """An image, and what several measures ask of it, which is worked out once.

    Args:
        image: (H, W, 1 or 3) uint8, at least 8 x 8 pixels; not to be written to from here on.
    """

    def __init__(self, image: Image) -> None:
        self._image = image

    @classmethod
    def of(cls, image: "Image | Seen") -> "Seen":
        """An image seen for the first time, or one that has been.

        Args:
            image: either.

        Returns:
            What is given, where it has been seen.
        """
        return image if isinstance(image, Seen) else cls(image)

    @cached_property
    def luminance(self) -> Plane:
        """See the function of that name."""
        return luminance(self._image)

    @cached_property
    def gradient(self) -> Plane:
        """Sobel energy of the luminance."""
        return _sobel_energy(self.luminance)

    @cached_property
    def sigma(self) -> float:
        """Of the noise, in grey levels."""
        return _noise_sigma(self.luminance, self.gradient)


def sharpness(image: Image | Seen) -> float:
    """log(1 + Var[Laplacian(Y)] - 20 sigma^2): falls with blur.

    20 sigma^2 is what white noise of standard deviation sigma (as `noise` estimates it) adds to the variance: without
    this correction a noisy image passes for a sharp one.

    Args:
        image: as `luminance` takes it, or as it was seen before.

    Returns:
        At least 0.
    """
    seen = Seen.of(image)
    return float(np.log1p(max(0.0, float(_laplacian(seen.luminance).var()) - 20 * seen.sigma**2)))


def tenengrad(image: Image | Seen) -> float:
    """log(1 + mean(Gx^2 + Gy^2) - 24 sigma^2), Sobel, corrected for noise as `sharpness` is: falls with blur.

    Args:
        image: as `luminance` takes it, or as it was seen before.

    Returns:
        At least 0.
    """
    seen = Seen.of(image)
    return float(np.log1p(max(0.0, float(seen.gradient.mean()) - 24 * seen.sigma**2)))


def contrast(image: Image | Seen) -> float:
    """RMS contrast: the standard deviation of Y / 255.

    Args:
        image: as `luminance` takes it, or as it was seen before.

    Returns:
        In [0, 0.5].
    """
    return float(Seen.of(image).luminance.std() / 255)


def exposure(image: Image | Seen) -> float:
    """The white point: the 95th percentile of Y / 255; falls in proportion as light is lost.

    The distance of the mean from mid-grey would call a darkened drawing on white paper *better* exposed. Too much light
    cannot be told from white paper here; it shows in `contrast`.

    Args:
        image: as `luminance` takes it, or as it was seen before.

    Returns:
        In [0, 1].
    """
    return float(np.percentile(Seen.of(image).luminance, 95) / 255)


def noise(image: Image | Seen) -> float:
    """-sigma of the noise, in grey levels (Immerkaer, "Fast noise variance estimation", 1996), at most -3.

    sigma = sqrt(pi / 2) / 6 * mean |Y * N|, where N is the difference of two Laplacians, blind to constant and linear
    shading. Below 3 levels noise cannot be told from fine texture, and a blurred image would pass for a better one
    than a sharp one: all such images are equal here.

    Args:
        image: as `luminance` takes it, or as it was seen before.

    Returns:
        Grey levels, negated: -3 for the cleanest images, less for noisy ones.
    """
    return -max(Seen.of(image).sigma, _TEXTURE)


def effective_resolution(image: Image | Seen) -> float:
    """Share of the gradient's spectral energy above half the Nyquist frequency, noise taken off.

    The spectrum of finite differences is flat for a picture of edges, so that the share falls once an image was
    blurred, or enlarged from fewer pixels. What white noise of the estimated sigma (rounding at least: 1/12) adds at
    frequency w, that is 2 sigma^2 (1 - cos w) a difference, is subtracted first.

    Args:
        image: as `luminance` takes it, or as it was seen before.

    Returns:
        In [0, 1]; 0 for an image with nothing left.
    """
    seen = Seen.of(image)
    y, variance = seen.luminance, max(seen.sigma**2, 1 / 12)
    total = high = 0.0
    for steps in (np.diff(y, axis=0), np.diff(y, axis=1).T):
        power = (np.abs(np.fft.rfft(steps, axis=0)) ** 2).mean(axis=1)
        w = np.linspace(0, np.pi, len(power))
        power = np.maximum(power - 2 * variance * (1 - np.cos(w)) * len(steps), 0)
        total += float(power.sum())
        high += float(power[len(power) // 2 :].sum())
    return high / total if total > 0 else 0.0


def jpeg_blockiness(image: Image | Seen) -> float:
    """-(B + 1) / (A + 1): B the mean |step of Y| across the borders of 8 x 8 blocks, A inside, over both directions.

    About -1 without blocks; falls as a JPEG's quality falls. It sees only a grid that starts at the upper left corner:
    an image that was cropped or resized after its compression escapes it.

    Args:
        image: as `luminance` takes it, or as it was seen before.

    Returns:
        Below 0, without a unit; -1 for an image of 8 x 8 pixels, which has no border inside.
    """
    y = Seen.of(image).luminance
    border = inside = 0.0
    for steps in (np.abs(np.diff(y, axis=0)).mean(axis=1), np.abs(np.diff(y, axis=1)).mean(axis=0)):
        at_border = np.arange(1, len(steps) + 1) % _BLOCK == 0
        if at_border.any():
            border += float(steps[at_border].mean()) / 2
            inside += float(steps[~at_border].mean()) / 2
    return -(border + 1) / (inside + 1)


MEASURES: dict[str, Callable[[Image | Seen], float]] = {
    "sharpness": sharpness,
    "tenengrad": tenengrad,
    "contrast": contrast,
    "exposure": exposure,
    "noise": noise,
    "effective_resolution": effective_resolution,
    "jpeg_blockiness": jpeg_blockiness,
}
