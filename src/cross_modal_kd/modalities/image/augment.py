"""Random changes to a batch of images that leave their class as it is."""

import hashlib
import json

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from cross_modal_kd.modalities.image.config import RandAugmentConfig


def augment_images(inputs: Tensor, generator: Generator) -> Tensor:
    """Rotation by up to 17 degrees, scale 0.8 to 1.2, shift by up to an eighth, and mirror.

    Colours stay: they tell concepts apart. What is moved in from outside is white.

    Args:
        inputs: (B, C, H, W) uint8 in [0, 255].
        generator: the source of what is random, on the device of ``inputs``.

    Returns:
        (B, C, H, W) float32 in [0, 255].
    """
    count, device = len(inputs), inputs.device

    def uniform(*shape: int, low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(shape, generator=generator, device=device)

    angle, scale = uniform(count, low=-0.3, high=0.3), uniform(count, low=0.8, high=1.2)
    shift = uniform(count, 2, low=-0.125, high=0.125)
    mirror = torch.where(uniform(count, low=0, high=1) < 0.5, -1.0, 1.0)
    cosine, sine = scale * angle.cos(), scale * angle.sin()
    rows = torch.stack(
        [torch.stack([cosine * mirror, -sine, shift[:, 0]], 1), torch.stack([sine * mirror, cosine, shift[:, 1]], 1)], 1
    )
    ink = 255 - inputs.float()
    grid = F.affine_grid(rows, list(ink.shape), align_corners=False)
    ink = F.grid_sample(ink, grid, align_corners=False)
    return 255 - ink.clamp(0, 255)


def rand_augmented(pixels: Tensor, draw: tuple[int, int, str] | None, chosen: RandAugmentConfig) -> Tensor:
    """One image after RandAugment; what is moved in from outside is white.

    Args:
        pixels: (C, H, W) uint8.
        draw: seed, epoch and sample, which decide all that is random; None leaves the image as it is.
        chosen: how many operations, and how strong.

    Returns:
        (C, H, W) uint8.
    """
    from torchvision.transforms.v2 import RandAugment  # half a second

    if draw is None:
        return pixels
    digest = hashlib.sha256(json.dumps(["rand_augment", *draw]).encode()).digest()
    with torch.random.fork_rng(devices=[]):  # torchvision draws from torch's own generator
        torch.manual_seed(int.from_bytes(digest[:8], "big") >> 1)
        found: Tensor = RandAugment(chosen.operations, chosen.magnitude, fill=255)(pixels)
    return found
