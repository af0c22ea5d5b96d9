"""Images on a page."""

import io

import numpy as np
from numpy.typing import NDArray

from cross_modal_kd.modalities.address import data_address
from cross_modal_kd.modalities.image.read import as_picture

SIDE_PX, LARGE_SIDE_PX = 96, 192


def thumbnail(image: NDArray[np.uint8], large: bool) -> str:
    """The ``data:`` address of a PNG that is no larger than a page has room for; smaller images keep their size.

    Args:
        image: (H, W, 1 or 3) uint8.
        large: at most 192 pixels a side, else 96.

    Returns:
        The address.
    """
    picture, stored = as_picture(image), io.BytesIO()
    picture.thumbnail((LARGE_SIDE_PX, LARGE_SIDE_PX) if large else (SIDE_PX, SIDE_PX))
    picture.save(stored, format="PNG", optimize=not large)
    return data_address("image/png", stored.getvalue())
