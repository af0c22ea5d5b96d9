"""Decode one image, in bounded memory whatever its file claims."""

from functools import cache
from math import ceil, floor, sqrt
from typing import TYPE_CHECKING

import numpy as np

from cross_modal_kd.modalities.files import Content, opened
from cross_modal_kd.samples import UnreadableSampleError, box_of

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
_TWELVE_BITS, _SIXTEEN_BITS = 4095, 65535
_DARK = "numbers of 12 bits, or next to black; scale them to 8 or 16 bits"
_DRAWINGS = ("EPS", "WMF")  # which Pillow hands to Ghostscript and to the system, whatever the file is called


def read_image(data: Content, name: str, channels: int = 3) -> np.ndarray:
    """Pixels of an encoded image, turned as its EXIF says; transparent pixels are laid over white.

    Images above ``MOST_PIXELS`` are shrunk by a whole factor, each pixel the mean of its area.

    Args:
        data: the file or its bytes, in any format that Pillow decodes itself.
        name: of the sample, for errors; where it ends in a box (``#xywh=60,27,325,304``), that part is cut out.
        channels: 1 (grey) or 3 (RGB).

    Returns:
        (H, W, channels) uint8; 16 bits are scaled to 8, unless none is above 255.

    Raises:
        UnreadableSampleError: bytes that are no image, a truncated one, one of more pixels than are decoded, or pixels
            without a known range (floating-point, negative, above 16 bits, no more than 12 bits in numbers of 16; in
            colour also no more than 8).
        MemoryError: there is none left, which says nothing of the image.
        ValueError: another number of channels.
    """
    if channels not in (1, 3):
        raise ValueError(f"channels must be 1 (grey) or 3 (RGB), found {channels!r}")
    return _pixels(_decoded(data, name)[0], name, channels)


def examine_image(data: Content, name: str) -> tuple[np.ndarray, tuple[int, int]]:
    """Pixels as ``read_image`` gives them, and the size of the image as stored; it is decoded once.

    Args:
        data: the file or its bytes.
        name: of the sample, as ``read_image`` takes it.

    Returns:
        (H, W, 3) uint8; and (width, height) in pixels before anything was shrunk, turned as its EXIF says; of a part
        its own.

    Raises:
        UnreadableSampleError: as ``read_image`` does.
    """
    image, size = _decoded(data, name)
    return _pixels(image, name, 3), size


def given_pixels(pixels: np.ndarray, name: str) -> np.ndarray:
    """Pixels that are in memory already, as ``read_image`` gives those of a file.

    Args:
        pixels: (H, W) or (H, W, 1) grey, or (H, W, 3) RGB, uint8.
        name: of the sample, for errors.

    Returns:
        (H, W, 3) uint8, shrunk where there are more than ``MOST_PIXELS``.

    Raises:
        UnreadableSampleError: another shape or another type of numbers.
    """
    pixels = np.asarray(pixels)
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3) or pixels.dtype != np.uint8 or not pixels.size:
        raise UnreadableSampleError(
            name, f"pixels must be (height, width, 3) or (height, width) uint8, found {pixels.shape} {pixels.dtype}"
        )
    height, width, channels = pixels.shape
    if height * width > MOST_PIXELS:
        small = np.asarray(as_picture(pixels).reduce(_factors(width, height)))
        pixels = small.reshape(*small.shape[:2], channels)
    return np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))


def is_blank(pixels: np.ndarray) -> bool:
    """Whether there is nothing to be seen in an image.

    Args:
        pixels: (H, W, C) uint8, not empty.

    Returns:
        Whether it is of one colour.
    """
    return bool((pixels == pixels[0, 0]).all())


def grey(pixels: np.ndarray) -> np.ndarray:
    """The lightness of pixels.

    Args:
        pixels: (H, W, 3) uint8.

    Returns:
        (H, W, 1) uint8.
    """
    return np.asarray(as_picture(pixels).convert("L"))[:, :, None]


def as_picture(pixels: np.ndarray) -> "Image.Image":
    """Pillow's image of pixels.

    Args:
        pixels: (H, W, 1 or 3) uint8.

    Returns:
        Grey or RGB, of the same size.
    """
    from PIL import Image

    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


def _pixels(image: "Image.Image", name: str, channels: int) -> np.ndarray:
    if image.mode == "F":
        raise UnreadableSampleError(name, "floating-point pixels have no fixed range; store it with 8 or 16 bits")
    if image.mode.startswith("I"):
        image = _of_eight_bits(image, name)
    if image.has_transparency_data:
        image = _over_white(image)
    pixels = np.asarray(image.convert("RGB" if channels == 3 else "L"))
    return pixels.reshape(image.height, image.width, channels).copy()


def _decoded(data: Content, name: str) -> "tuple[Image.Image, tuple[int, int]]":
    """The image as it is read, and its size as stored; both turned as its EXIF says."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    with opened(data) as stream:  # a file that cannot be opened is no image's fault: its error is passed on
        try:
            with Image.open(stream, formats=_formats()) as image:
                darkest = _twelve_bits_of(image)
                if image.width * image.height > MOST_PIXELS:
                    return _part(*_shrunk(image, name, darkest), name)
                turned = ImageOps.exif_transpose(image)
                turned.load()
                _refuse_dark(turned, darkest, name)
                return _part(turned, turned.size, name)
        except (MemoryError, UnreadableSampleError):
            raise
        except UnidentifiedImageError as error:  # whose message has an address in memory, or a path of this machine
            raise UnreadableSampleError(name, "not a readable image") from error
        except Exception as error:  # Pillow's decoders raise many kinds, each of which means the same here
            raise UnreadableSampleError(name, f"not a readable image ({type(error).__name__}: {error})") from error


@cache
def _formats() -> tuple[str, ...]:
    """Pillow's names of those that it decodes itself."""
    from PIL import Image

    Image.init()
    return tuple(name for name in Image.OPEN if name not in _DRAWINGS)


def _part(image: "Image.Image", size: tuple[int, int], name: str) -> "tuple[Image.Image, tuple[int, int]]":
    """The part of an image that its name asks for, and the size of that part as stored; a box is cut at the edges."""
    if (box := box_of(name)) is None:
        return image, size
    left, top = floor(box.x), floor(box.y)
    right, bottom = min(size[0], ceil(box.x + box.width)), min(size[1], ceil(box.y + box.height))
    if left >= right or top >= bottom:
        raise UnreadableSampleError(name, f"the box lies outside the image of {size[0]} x {size[1]} pixels")
    across, down = image.width / size[0], image.height / size[1]  # under 1 where it was shrunk
    edges = (floor(left * across), floor(top * down), ceil(right * across), ceil(bottom * down))
    return image.crop(edges), (right - left, bottom - top)


def _shrunk(image: "Image.Image", name: str, darkest: int) -> "tuple[Image.Image, tuple[int, int]]":
    """As ``_decoded``, at no more than ``MOST_PIXELS``, sides not under ``SMALLEST``."""
    from PIL import ImageOps

    width, height = image.size
    jpeg = image.format == "JPEG"
    if jpeg and not image.info.get("progressive"):
        factor = _factors(width, height)
        image.draft(None, (ceil(width / factor[0]), ceil(height / factor[1])))
    if image.width * image.height > MOST_DECODED:
        raise UnreadableSampleError(
            name, f"{width} x {height} pixels, more than the {MOST_DECODED:,} that are decoded; store it smaller"
        )
    if image.format != "PNG":  # of which it would be decoded; it may lie behind the pixels
        image.getexif()
    image.load()  # a TIFF is turned here, by Pillow itself
    _refuse_dark(image, darkest, name)
    size = (width, height) if jpeg else image.size
    orientation = image.getexif().get(_ORIENTATION, 1)
    image = _reduced(image)
    image.getexif()[_ORIENTATION] = orientation
    return ImageOps.exif_transpose(image), size[::-1] if orientation >= _SIDEWAYS else size


def _reduced(image: "Image.Image") -> "Image.Image":
    """The image at no more than ``MOST_PIXELS``, by strips: what Pillow does to have means would take it once more."""
    from PIL import Image

    if image.width * image.height <= MOST_PIXELS:
        return image
    across, down = _factors(*image.size)
    rows = max(1, MOST_PIXELS // image.width // down) * down
    strips = []
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        if strip.mode in ("P", "PA", "1"):  # these and the next have no means
            strip = strip.convert("RGBA" if image.has_transparency_data else "RGB")
        strips.append((strip.convert("I") if strip.mode.startswith("I;") else strip).reduce((across, down)))
    whole = Image.new(strips[0].mode, (strips[0].width, sum(strip.height for strip in strips)))
    place = 0
    for strip in strips:
        whole.paste(strip, (0, place))
        place += strip.height
    whole.info = dict(strips[0].info)
    return whole


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
    if 255 < high <= _TWELVE_BITS:
        raise UnreadableSampleError(name, f"pixels up to {high} of 65535: {_DARK}")
    return Image.fromarray((values if high <= 255 else values // 257).astype(np.uint8))


def _twelve_bits_of(image: "Image.Image") -> int:
    """What ``_TWELVE_BITS`` is decoded as of colours of 16 bits, of which Pillow gives the higher 8; 0 of all others.

    Args:
        image: opened, not loaded. Grey is decoded whole, and has its own check.
    """
    if image.mode.startswith("I"):
        return 0
    tiles = getattr(image, "tile", ())
    if any(";16" in str(tile[3]) for tile in tiles):
        return _TWELVE_BITS >> 8
    rounded = any(tile[0] == "ppm" and tile[3][1] == _SIXTEEN_BITS for tile in tiles)
    return round(_TWELVE_BITS * 255 / _SIXTEEN_BITS) if rounded else 0


def _refuse_dark(image: "Image.Image", darkest: int, name: str) -> None:
    """Of colours of 16 bits none of which, or no opacity of which, is above 12; black ink on nothing is a picture."""
    if not darkest:
        return
    bands = np.reshape(image.getextrema(), (-1, 2))
    colours, opacity = (bands[:-1, 1].max(), bands[-1]) if image.mode.endswith("A") else (bands[:, 1].max(), (255, 255))
    ink = colours == 0 and opacity[0] < 255 and opacity[1] > darkest
    if (colours <= darkest and not ink) or 0 < opacity[1] <= darkest:
        raise UnreadableSampleError(name, f"pixels up to {_TWELVE_BITS} of {_SIXTEEN_BITS}: {_DARK}")


def _over_white(image: "Image.Image") -> "Image.Image":
    from PIL import Image

    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
