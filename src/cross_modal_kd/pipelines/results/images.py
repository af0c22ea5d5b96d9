"""Pictures beside the pages, small enough for a repository."""

import io
from collections.abc import Sequence
from pathlib import Path

WIDEST = 1100
NARROWEST = 200


def copy_images(pictures: Sequence[Path], folder: Path, target: Path, most_bytes: int) -> dict[Path, Path]:
    """{picture: its copy}: ``folder``/a/b.png goes to ``target``/a_b.png; copies that are not wanted are removed."""
    copies = {picture: target / "_".join(picture.relative_to(folder).parts) for picture in pictures}
    target.mkdir(parents=True, exist_ok=True)
    for stale in set(target.glob("*.png")) - set(copies.values()):
        stale.unlink()
    for picture, copy in copies.items():
        copy.write_bytes(small_png(picture, most_bytes))
    return copies


def small_png(picture: Path, most_bytes: int) -> bytes:
    """The picture in at most 256 colours, narrowed until it takes no more than ``most_bytes``.

    Raises:
        ValueError: even 200 pixels wide it takes more.
    """
    from PIL import Image

    with Image.open(picture) as opened:
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
                f"results.image_kb: {picture} takes {buffer.tell() // 1000} kB at {width} pixels, expected at most "
                f"{most_bytes // 1000}; raise image_kb"
            )
        width = max(NARROWEST, width * 4 // 5)
