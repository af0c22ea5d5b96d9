"""Decode one image."""

import io

import numpy as np

from cross_modal_kd.samples import UnreadableSampleError


def read_image(data: bytes, name: str, channels: int = 3) -> np.ndarray:
    """Pixels of an encoded image, turned as its EXIF says; transparent pixels are laid over white.

    Args:
        data: the file's bytes, in any format that Pillow reads.
        name: of the sample, for errors.
        channels: 1 (grey) or 3 (RGB).

    Returns:
        (H, W, channels) uint8; 16 bits are scaled to 8.

    Raises:
        UnreadableSampleError: bytes that are no image, a truncated one, or floating-point pixels, which have no fixed
            range.
        ValueError: another number of channels.
    """
    from PIL import Image, ImageOps

    if channels not in (1, 3):
        raise ValueError(f"channels must be 1 (grey) or 3 (RGB), found {channels!r}")
    try:
        with Image.open(io.BytesIO(data)) as opened:
            image = ImageOps.exif_transpose(opened)
            image.load()
    except Exception as error:  # Pillow's decoders raise many kinds, each of which means the same here
        raise UnreadableSampleError(name, f"not a readable image ({type(error).__name__}: {error})") from error
    if image.mode == "F":
        raise UnreadableSampleError(name, "floating-point pixels have no fixed range; store it with 8 or 16 bits")
    if image.mode.startswith("I"):
        image = Image.fromarray((np.asarray(image, dtype=np.int64).clip(0, 65535) // 257).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    pixels = np.asarray(image.convert("RGB" if channels == 3 else "L"))
    return pixels.reshape(image.height, image.width, channels).copy()
