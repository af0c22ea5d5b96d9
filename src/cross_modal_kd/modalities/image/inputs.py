"""Images as uint8 tensors of one size."""

import copy
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch import Tensor

from cross_modal_kd.config import InputConfig
from cross_modal_kd.modalities.image.augment import rand_augmented
from cross_modal_kd.modalities.image.config import ImageAugmentation, ImageInputConfig, RandAugmentConfig
from cross_modal_kd.modalities.image.read import as_picture, read_image
from cross_modal_kd.modalities.inputs import Inputs, Item, fits, read_all, text_column
from cross_modal_kd.modalities.modality import Corrupt
from cross_modal_kd.samples import Roots

FILTERS = {
    "area": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}


def resized(pixels: np.ndarray, image: ImageInputConfig) -> np.ndarray:
    """Pixels as a network takes them.

    With a ``crop_pct`` the shorter side becomes floor(size / crop_pct) pixels, and the square in the middle is taken:
    timm's transform for evaluation. Else the whole becomes the square.

    Args:
        pixels: (H, W, 1 or 3) uint8.
        image: size of the square in pixels, filter and crop.

    Returns:
        (1 or 3, size, size) uint8.
    """
    picture, size, by = as_picture(pixels), image.size, FILTERS[image.interpolation]
    if image.crop_pct is None:
        small = np.asarray(picture.resize((size, size), by))
    else:
        shorter = int(size / image.crop_pct)
        sides = [int(shorter * side / min(picture.size)) for side in picture.size]
        left, top = (round((side - size) / 2) for side in sides)
        small = np.asarray(picture.resize((sides[0], sides[1]), by).crop((left, top, left + size, top + size)))
    return small[None] if small.ndim == 2 else small.transpose(2, 0, 1)


class ImageInputs(Inputs):
    """uint8 images (C, size, size), resized as the block says; kept in memory where they fit ``cache_mb``.

    Args:
        samples: rows of the samples table, with ``sample_id``, ``source`` and ``path``.
        roots: where the files lie.
        config: size, channels, filter and crop in its block ``image``, and ``cache_mb``; images that fit are all read
            at once.
        corrupt: damage done to each image (H, W, C) before it is resized.
    """

    def __init__(
        self, samples: pd.DataFrame, roots: Roots, config: InputConfig, corrupt: Corrupt | None = None
    ) -> None:
        self.sample_ids = text_column(samples["sample_id"])
        self._sources, self._paths = text_column(samples["source"]), text_column(samples["path"])
        self._roots, self._corrupt = roots, corrupt
        self._rand_augment: RandAugmentConfig | None = None
        image = config.of(ImageInputConfig)
        self._image, self._size, self._channels = image, image.size, image.channels
        self.size_bytes = len(self) * self._size**2 * self._channels
        self.kept = fits(self.size_bytes, config)
        self._cache = self._read_all() if self.kept else None

    def _read_all(self) -> Tensor:
        whole = np.empty((len(self), self._channels, self._size, self._size), dtype=np.uint8)
        for row, pixels in enumerate(read_all(self._read, range(len(self)), "reading images")):
            whole[row] = pixels
        return torch.from_numpy(whole)

    def _read(self, index: int) -> np.ndarray:
        source, path = self._sources[index], self._paths[index]
        pixels = read_image(self._roots.content(source, path), path, self._channels)
        if self._corrupt is not None:
            pixels = self._corrupt(self.sample_ids[index], pixels)
        return resized(pixels, self._image)

    def augmented(self, augmentation: ImageAugmentation) -> "ImageInputs":
        """See ``Inputs.augmented``."""
        changed = copy.copy(self)
        changed._rand_augment = augmentation.rand_augment
        return changed

    def __getitems__(self, items: Sequence[Item]) -> tuple[Tensor, Tensor]:
        index = torch.tensor([item.row for item in items])
        if self._cache is not None:
            pixels = self._cache[index]
        else:
            pixels = torch.from_numpy(np.stack([self._read(item.row) for item in items]))
        if (chosen := self._rand_augment) is None:
            return index, pixels
        drawn = [item.draw and (*item.draw, self.sample_ids[item.row]) for item in items]
        return index, torch.stack([rand_augmented(*each, chosen) for each in zip(pixels, drawn, strict=True)])
