"""One small file per dataset layout: raw files to candidate rows of the samples table."""

from cross_modal_kd.sources.any_table import KINDS, read_table
from cross_modal_kd.sources.chimeric import make_chimeric
from cross_modal_kd.sources.every import count_sources, read_sources
from cross_modal_kd.sources.files import Known, list_files, untold
from cross_modal_kd.sources.folder import FolderOptions, regrouped
from cross_modal_kd.sources.hf_folder import METADATA
from cross_modal_kd.sources.image_folder import are_splits
from cross_modal_kd.sources.licences import NOT_STATED, licence_of
from cross_modal_kd.sources.registry import LAYOUTS, OPTIONS, Layout, check_source, expected_in, layout_of
from cross_modal_kd.sources.voxceleb import utterances_of_names
from cross_modal_kd.sources.webdataset import PACKED_TARS, text_field

__all__ = [
    "LAYOUTS",
    "METADATA",
    "OPTIONS",
    "PACKED_TARS",
    "FolderOptions",
    "KINDS",
    "Known",
    "NOT_STATED",
    "Layout",
    "are_splits",
    "check_source",
    "expected_in",
    "layout_of",
    "licence_of",
    "list_files",
    "make_chimeric",
    "count_sources",
    "read_sources",
    "read_table",
    "regrouped",
    "text_field",
    "untold",
    "utterances_of_names",
]
