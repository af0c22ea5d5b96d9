"""The layouts of raw data that can be read."""

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from cross_modal_kd.config import SourceConfig, Strict, first_errors
from cross_modal_kd.samples import Roots, SamplesError, first_few
from cross_modal_kd.sources import cnceleb, cub, flowers, voxceleb, voxceleb_faces
from cross_modal_kd.sources.cnceleb import CNCelebOptions, read_cnceleb
from cross_modal_kd.sources.cub import CubOptions, read_cub
from cross_modal_kd.sources.emoji import EmojiOptions, read_emoji
from cross_modal_kd.sources.flowers import FlowersOptions, read_flowers
from cross_modal_kd.sources.folder import FolderOptions, read_folder
from cross_modal_kd.sources.hf_folder import HfFolderOptions, read_hf_folder
from cross_modal_kd.sources.image_folder import ImageFolderOptions, read_image_folder
from cross_modal_kd.sources.kaldi import KaldiOptions, read_kaldi
from cross_modal_kd.sources.listing import Listing
from cross_modal_kd.sources.orl_faces import OrlFacesOptions, read_orl_faces
from cross_modal_kd.sources.table import TableOptions, read_table_source
from cross_modal_kd.sources.voices import VoicesOptions, read_voices
from cross_modal_kd.sources.voxceleb import VoxCelebOptions, read_voxceleb
from cross_modal_kd.sources.voxceleb_faces import VoxCelebFacesOptions, read_voxceleb_faces
from cross_modal_kd.sources.webdataset import WebdatasetOptions, read_webdataset
from cross_modal_kd.sources.wespeaker import WespeakerOptions, read_wespeaker

# (name of the source, its folder, its options) -> candidate rows, and what is passed over
Layout = Callable[[str, Roots, dict[str, Any]], Listing]

LAYOUTS: dict[str, Layout] = {
    "cnceleb": read_cnceleb,
    "cub": read_cub,
    "emoji": read_emoji,
    "flowers": read_flowers,
    "folder": read_folder,
    "hf_folder": read_hf_folder,
    "image_folder": read_image_folder,
    "kaldi": read_kaldi,
    "orl_faces": read_orl_faces,
    "table": read_table_source,
    "voices": read_voices,
    "voxceleb": read_voxceleb,
    "voxceleb_faces": read_voxceleb_faces,
    "webdataset": read_webdataset,
    "wespeaker": read_wespeaker,
}

# What each of them takes as options; those of a layout that is not in here are for the layout alone to check.
OPTIONS: dict[str, type[Strict]] = {
    "cnceleb": CNCelebOptions,
    "cub": CubOptions,
    "emoji": EmojiOptions,
    "flowers": FlowersOptions,
    "folder": FolderOptions,
    "hf_folder": HfFolderOptions,
    "image_folder": ImageFolderOptions,
    "kaldi": KaldiOptions,
    "orl_faces": OrlFacesOptions,
    "table": TableOptions,
    "voices": VoicesOptions,
    "voxceleb": VoxCelebOptions,
    "voxceleb_faces": VoxCelebFacesOptions,
    "webdataset": WebdatasetOptions,
    "wespeaker": WespeakerOptions,
}


# Of layouts of data that people bring: what the root is to hold, and the page that says more.
EXPECTED: dict[str, tuple[str, str]] = {
    "cnceleb": (cnceleb.TREE, "docs/sets/cnceleb.md"),
    "cub": (f"{cub.TREE}; for captions text_c10/ in it or beside it", "docs/sets/cub.md"),
    "flowers": (f"{flowers.TREE}; for captions text_c10/ in it or beside it", "docs/sets/flowers.md"),
    "folder": ("<label>/<file>", "docs/your-own-data.md"),
    "voxceleb": (f"{voxceleb.TREES}; vox1_meta.csv and vox2_meta.csv", "docs/sets/voxceleb.md"),
    "voxceleb_faces": (f"{voxceleb_faces.TREES}; both tables", "docs/sets/voxceleb.md"),
}


def check_source(name: str, source: SourceConfig) -> None:
    """Make sure that a source can be asked for its files, before anything is read.

    Args:
        name: Of the source, for the message.
        source: Its layout and its options.

    Raises:
        SamplesError: An unknown layout, or an option that the layout does not have.
    """
    layout_of(name, source.layout)
    if source.layout in OPTIONS:
        try:
            OPTIONS[source.layout].model_validate(source.options)
        except ValidationError as error:
            raise SamplesError(f"sources.{name}.options (layout {source.layout}): {first_errors(error)}") from error


def expected_in(layout: str) -> str:
    """What the root of a source is to hold, in words.

    Args:
        layout: a key of ``LAYOUTS``.

    Returns:
        A sentence with the page that says more; empty of a layout whose data nobody brings.
    """
    if layout not in EXPECTED:
        return ""
    tree, page = EXPECTED[layout]
    return f"It is to hold {tree}; see {page}."


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
