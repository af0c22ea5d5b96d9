"""Decode one image, in bounded memory whatever its file claims."""

from math import ceil, sqrt
from typing import TYPE_CHECKING

import numpy as np

from cross_modal_kd.modalities.files import Content, opened
from cross_modal_kd.samples import UnreadableSampleError

if TYPE_CHECKING:
    from PIL import Image

MOST_PIXELS = 2**22
"""Larger images are shrunk to at most so many (2048 x 2048) as they are read: 12 MB, of which quality holds 128."""
MOST_DECODED = 100_000_000
"""Images of which more pixels would have to be decoded are refused; JPEG that is not progressive is decoded smaller."""
SMALLEST = 8
"""Pixels a side, under which an image is of no use."""

_ORIENTATION = 0x0112
_SIDEWAYS = 5


def read_image(data: Content, name: str, channels: int = 3) -> np.ndarray:
    """Pixels of an encoded image, turned as its EXIF says; transparent pixels are laid over white.

    Images above ``MOST_PIXELS`` are shrunk by a whole factor, each pixel the mean of its area.

    Args:
        data: the file or its bytes, in any format that Pillow reads.
        name: of the sample, for errors.
        channels: 1 (grey) or 3 (RGB).

    Returns:
        (H, W, channels) uint8; 16 bits are scaled to 8, unless none is above 255.

    Raises:
        UnreadableSampleError: bytes that are no image, a truncated one, one of more pixels than are decoded, or pixels
            without a known range (floating-point, negative, above 16 bits).
        MemoryError: there is none left, which says nothing of the image.
        ValueError: another number of channels.
    """
    if channels not in (1, 3):
        raise ValueError(f"channels must be 1 (grey) or 3 (RGB), found {channels!r}")
    image = _decoded(data, name)
    if image.mode == "F":
        raise UnreadableSampleError(name, "floating-point pixels have no fixed range; store it with 8 or 16 bits")
    if image.mode.startswith("I"):
        image = _of_eight_bits(image, name)
    if image.has_transparency_data:
        image = _over_white(image)
    pixels = np.asarray(image.convert("RGB" if channels == 3 else "L"))
    return pixels.reshape(image.height, image.width, channels).copy()


def stored_size(data: Content) -> tuple[int, int]:
    """(width, height) in pixels of an image that ``read_image`` reads, turned as its EXIF says.

    Args:
        data: the file or its bytes.

    Returns:
        The size as stored, of which only the header is read.
    """
    from PIL import Image

    with opened(data) as stream, Image.open(stream) as image:
        sideways = image.getexif().get(_ORIENTATION, 1) >= _SIDEWAYS
        return (image.height, image.width) if sideways else (image.width, image.height)


def as_picture(pixels: np.ndarray) -> "Image.Image":
    """Pillow's image of pixels.

    Args:
        pixels: (H, W, 1 or 3) uint8.

    Returns:
        Grey or RGB, of the same size.
    """
    from PIL import Image

    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


def _decoded(data: Content, name: str) -> "Image.Image":
    from PIL import Image, ImageOps, UnidentifiedImageError

    with opened(data) as stream:  # a file that cannot be opened is no image's fault: its error is passed on
        try:
            with Image.open(stream) as image:
                if image.width * image.height > MOST_PIXELS:
                    return _shrunk(image, name)
                turned = ImageOps.exif_transpose(image)
                turned.load()
                return turned
        except (MemoryError, UnreadableSampleError):
            raise
        except UnidentifiedImageError as error:  # whose message has an address in memory, or a path of this machine
            raise UnreadableSampleError(name, "not a readable image (UnidentifiedImageError)") from error
        except Exception as error:  # Pillow's decoders raise many kinds, each of which means the same here
            raise UnreadableSampleError(name, f"not a readable image ({type(error).__name__}: {error})") from error


def _shrunk(image: "Image.Image", name: str) -> "Image.Image":
    """The image at no more than ``MOST_PIXELS``, sides not under ``SMALLEST``, turned as its EXIF says."""
    from PIL import ImageOps

    orientation, (width, height) = image.getexif().get(_ORIENTATION, 1), image.size
    if image.format == "JPEG" and not image.info.get("progressive"):
        factor = _factors(*image.size)
        image.draft(None, (ceil(width / factor[0]), ceil(height / factor[1])))
    if image.width * image.height > MOST_DECODED:
        raise UnreadableSampleError(
            name, f"{width} x {height} pixels, more than the {MOST_DECODED:,} that are decoded; store it smaller"
        )
    image.load()
    if image.mode in ("P", "PA", "1"):  # these and the next have no means
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode.startswith("I;"):
        image = image.convert("I")
    if image.width * image.height > MOST_PIXELS:
        image = image.reduce(_factors(*image.size))
    image.getexif()[_ORIENTATION] = orientation
    return ImageOps.exif_transpose(image)


def _factors(width: int, height: int) -> tuple[int, int]:
    """By how much each side is shrunk: alike, unless the image is so narrow that this would leave too little of it."""
    pixels, short = width * height, min(width, height)
    narrow = max(1, min(ceil(sqrt(pixels / MOST_PIXELS)), short // SMALLEST))
    wide = max(narrow, ceil(pixels / MOST_PIXELS / narrow))
    return (narrow, wide) if width < height else (wide, narrow)


def _of_eight_bits(image: "Image.Image", name: str) -> "Image.Image":
    """Numbers of 16 or 32 bits as 8: those that none of which is above 255 are of 8 bits already."""
    from PIL import Image

    values = np.asarray(image)
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > 65535:
        raise UnreadableSampleError(
            name, f"pixels from {low} to {high}, expected 0 to 255 or 0 to 65535; store it with 8 or 16 bits"
        )
    return Image.fromarray((values if high <= 255 else values // 257).astype(np.uint8))


def _over_white(image: "Image.Image") -> "Image.Image":
    from PIL import Image

    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
