"""Random changes to a batch of images that leave their class as it is."""

import torch
from torch import Generator, Tensor
from torch.nn import functional as F


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
