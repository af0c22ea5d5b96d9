"""The layouts of raw data that can be read."""

from collections.abc import Callable
from typing import Any

from cross_modal_kd.samples import Roots, SamplesError, first_few
from cross_modal_kd.sources.emoji import read_emoji
from cross_modal_kd.sources.folder import read_folder
from cross_modal_kd.sources.listing import Listing
from cross_modal_kd.sources.orl_faces import read_orl_faces
from cross_modal_kd.sources.voices import read_voices

# (name of the source, its folder, its options) -> candidate rows, and what is passed over
Layout = Callable[[str, Roots, dict[str, Any]], Listing]

LAYOUTS: dict[str, Layout] = {
    "emoji": read_emoji,
    "folder": read_folder,
    "orl_faces": read_orl_faces,
    "voices": read_voices,
}


def layout_of(name: str, layout: str) -> Layout:
    """The reader of a layout.

    Args:
        name: of the source, for the error.
        layout: a key of ``LAYOUTS``.

    Returns:
        (name of the source, roots, options) -> listing.

    Raises:
        SamplesError: there is no such layout; the message lists those that there are.
    """
    if layout not in LAYOUTS:
        raise SamplesError(f"sources.{name}.layout: unknown layout {layout!r}; there are: {first_few(LAYOUTS, 50)}")
    return LAYOUTS[layout]
