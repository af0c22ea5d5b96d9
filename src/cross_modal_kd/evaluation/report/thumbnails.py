"""Pictures small enough for a page to hold many of them."""

import base64
import io

SIDE_PX = 64
QUALITY = 72
PREFIX = "data:image/jpeg;base64,"


def tiny(address: str, side: int = SIDE_PX) -> str:
    """A picture again, as a JPEG on white.

    Args:
        address: ``data:`` address of a picture.
        side: most pixels a side.

    Returns:
        The ``data:`` address of a JPEG, some two kilobytes of 64 pixels a side.
    """
    from PIL import Image

    with Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))) as stored:
        picture = stored.convert("RGBA")
    paper = Image.new("RGBA", picture.size, "white")
    paper.alpha_composite(picture)
    drawn, written = paper.convert("RGB"), io.BytesIO()
    drawn.thumbnail((side, side))
    drawn.save(written, format="JPEG", quality=QUALITY, optimize=True)
    return PREFIX + base64.b64encode(written.getvalue()).decode()
