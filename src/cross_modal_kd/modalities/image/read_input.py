"""Image files as an exported student takes them, with numpy and pillow alone; run_student.py beside it calls ``read``.

It reads, and refuses, what the package does.
"""

import warnings
from math import ceil, sqrt

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

MOST = 2**22  # pixels: larger images are shrunk by whole factors first
MOST_DECODED = 100_000_000
SMALLEST = 8  # pixels a side
DRAWINGS = ("EPS", "WMF")  # which Pillow hands to Ghostscript and to the system
TWELVE_BITS, SIXTEEN_BITS = 4095, 65535
DARK = "numbers of 12 bits, or next to black; scale them to 8 or 16 bits"
ORIENTATION = 0x0112
FILTERS = {
    "area": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}
Image.init()
FORMATS = tuple(name for name in Image.OPEN if name not in DRAWINGS)
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # ``MOST_DECODED`` bounds them


class Refused(ValueError):
    """What is wrong with a file."""


def read(path: str, about: dict) -> np.ndarray:
    """(channels, size, size) uint8: turned as its EXIF says, over white, resized and cropped as ``about`` says."""
    with open(path, "rb") as stream:  # noqa: PTH123
        try:
            with Image.open(stream, formats=FORMATS) as opened:
                image = decoded(opened, twelve_bits_of(opened))
        except (Refused, MemoryError):
            raise
        except UnidentifiedImageError as error:  # whose message has an address in memory
            raise Refused("not a readable image") from error
        except Exception as error:  # Pillow's decoders raise many kinds
            raise Refused(f"not a readable image ({type(error).__name__}: {error})") from error
    if min(image.size) < SMALLEST:
        raise Refused(f"{image.width} x {image.height} pixels, fewer than {SMALLEST} a side: too small to be measured")
    image = of_eight_bits(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    colours = np.asarray(image.convert("RGB"))
    if (colours == colours[0, 0]).all():
        raise Refused("the picture is blank: its first frame, over white and in 8 bits, is of one colour")
    pixels = np.asarray(square(image.convert({1: "L", 3: "RGB"}[about["channels"]]), about))
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def square(image: Image.Image, about: dict) -> Image.Image:
    """The whole image as a square, or with a ``crop_pct`` the square in its middle."""
    by, size = FILTERS[about["resize"].split()[0]], about["size"]
    if about.get("crop_pct") is None:
        return image.resize((size, size), by)
    shorter = int(size / about["crop_pct"])
    width, height = (int(shorter * side / min(image.size)) for side in image.size)
    left, top = round((width - size) / 2), round((height - size) / 2)
    return image.resize((width, height), by).crop((left, top, left + size, top + size))


def decoded(image: Image.Image, darkest: int) -> Image.Image:
    """The image at about ``MOST`` pixels at most, decoded smaller where it is JPEG."""
    if image.width * image.height <= MOST:
        image = ImageOps.exif_transpose(image)
        image.load()
        refuse_dark(image, darkest)
        return image
    if image.format == "JPEG" and not image.info.get("progressive"):
        across, down = factors(*image.size)
        image.draft(None, (ceil(image.width / across), ceil(image.height / down)))
    if image.width * image.height > MOST_DECODED:
        said = (
            f"{image.width} x {image.height} pixels, more than the {MOST_DECODED:,} that are decoded; store it smaller"
        )
        raise Refused(said)
    if image.format != "PNG":  # of which it would be decoded; it may lie behind the pixels
        image.getexif()
    image.load()  # a TIFF is turned here
    refuse_dark(image, darkest)
    orientation = image.getexif().get(ORIENTATION, 1)
    if image.width * image.height > MOST:
        by = factors(*image.size)
        if image.mode in ("P", "PA", "1"):  # these and the next have no means
            image = image.convert("RGBA" if image.has_transparency_data else "RGB")
        image = (image.convert("I") if image.mode.startswith("I;") else image).reduce(by)
    image.getexif()[ORIENTATION] = orientation
    return ImageOps.exif_transpose(image)


def factors(width: int, height: int) -> tuple:
    """By how much each side is shrunk: alike, unless that would leave too little of a narrow image."""
    narrow = max(1, min(ceil(sqrt(width * height / MOST)), min(width, height) // SMALLEST))
    wide = max(narrow, ceil(width * height / MOST / narrow))
    return (narrow, wide) if width < height else (wide, narrow)


def of_eight_bits(image: Image.Image) -> Image.Image:
    """16 bits as 8, unless none is above 255."""
    if image.mode == "F":
        raise Refused("floating-point pixels have no fixed range; store it with 8 or 16 bits")
    if not image.mode.startswith("I"):
        return image
    values = np.asarray(image)
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > 65535:
        raise Refused(f"pixels from {low} to {high}, expected 0 to 255 or 0 to 65535; store it with 8 or 16 bits")
    if 255 < high <= TWELVE_BITS:
        raise Refused(f"pixels up to {high} of 65535: {DARK}")
    return Image.fromarray((values if high <= 255 else values // 257).astype(np.uint8))


def twelve_bits_of(image: Image.Image) -> int:
    """What ``TWELVE_BITS`` is decoded as of colours of 16 bits, of which Pillow gives the higher 8; 0 of all others."""
    if image.mode.startswith("I"):
        return 0
    tiles = getattr(image, "tile", ())
    if any(";16" in str(tile[3]) for tile in tiles):
        return TWELVE_BITS >> 8
    rounded = any(tile[0] == "ppm" and tile[3][1] == SIXTEEN_BITS for tile in tiles)
    return round(TWELVE_BITS * 255 / SIXTEEN_BITS) if rounded else 0


def refuse_dark(image: Image.Image, darkest: int) -> None:
    """Of colours of 16 bits none of which, or no opacity of which, is above 12; black ink on nothing is a picture."""
    if not darkest:
        return
    bands = np.reshape(image.getextrema(), (-1, 2))
    colours, opacity = (bands[:-1, 1].max(), bands[-1]) if image.mode.endswith("A") else (bands[:, 1].max(), (255, 255))
    ink = colours == 0 and opacity[0] < 255 and opacity[1] > darkest
    if (colours <= darkest and not ink) or 0 < opacity[1] <= darkest:
        raise Refused(f"pixels up to {TWELVE_BITS} of {SIXTEEN_BITS}: {DARK}")
