"""One small file per dataset layout: raw files to candidate rows of the samples table."""

from cross_modal_kd.sources.chimeric import make_chimeric
from cross_modal_kd.sources.registry import LAYOUTS, Layout, check_source, layout_of

__all__ = ["LAYOUTS", "Layout", "check_source", "layout_of", "make_chimeric"]
