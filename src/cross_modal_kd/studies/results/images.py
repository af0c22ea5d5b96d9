"""Plots beside the pages, small enough for a repository."""

import io
from pathlib import Path

from cross_modal_kd.plotting import dark

DARK = "dark"  # folder beside the plots, of the same plots by night
WIDEST = 1100
NARROWEST = 200


def small_png(plot: Path, most_bytes: int) -> bytes:
    """The plot in at most 256 colours, narrowed until it takes no more than ``most_bytes``.

    Args:
        plot: an image file; where it is transparent it becomes white.
        most_bytes: of the PNG.

    Returns:
        A PNG file's content, at most 1100 pixels wide and never wider than the plot.

    Raises:
        ValueError: even 200 pixels wide it takes more.
    """
    from PIL import Image

    with Image.open(plot) as opened:
        image = Image.alpha_composite(Image.new("RGBA", opened.size, "white"), opened.convert("RGBA")).convert("RGB")
    width = min(WIDEST, image.width)
    while True:
        height = max(1, round(image.height * width / image.width))
        buffer = io.BytesIO()
        image.resize((width, height), Image.Resampling.LANCZOS).quantize(256).save(buffer, "PNG", optimize=True)
        if buffer.tell() <= most_bytes:
            return buffer.getvalue()
        if width <= NARROWEST:
            raise ValueError(
                f"results.image_kb: {plot} takes {buffer.tell() // 1000} kB at {width} pixels, expected at most "
                f"{most_bytes // 1000}; raise image_kb"
            )
        width = max(NARROWEST, width * 4 // 5)


def dark_png(small: bytes) -> bytes:
    """The plot by night: the same picture with every colour of its palette turned.

    Args:
        small: of ``small_png``.

    Returns:
        A PNG file's content, about as large.
    """
    from PIL import Image

    with Image.open(io.BytesIO(small)) as opened:
        image = opened.copy()
    channels = image.getpalette("RGB") or []
    colours = ["#" + bytes(channels[at : at + 3]).hex() for at in range(0, len(channels), 3)]
    image.putpalette(b"".join(bytes.fromhex(dark(colour)[1:]) for colour in colours))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
