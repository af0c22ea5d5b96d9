"""One small file per dataset layout: raw files to candidate rows of the samples table."""

from cross_modal_kd.sources.chimeric import make_chimeric
from cross_modal_kd.sources.files import list_files
from cross_modal_kd.sources.folder import FolderOptions, regrouped
from cross_modal_kd.sources.licences import NOT_STATED, licence_of
from cross_modal_kd.sources.registry import LAYOUTS, OPTIONS, Layout, check_source, layout_of

__all__ = [
    "LAYOUTS",
    "OPTIONS",
    "FolderOptions",
    "NOT_STATED",
    "Layout",
    "check_source",
    "layout_of",
    "licence_of",
    "list_files",
    "make_chimeric",
    "regrouped",
]
