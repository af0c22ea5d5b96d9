"""A task of somebody's own: a folder is looked at, and its environment (``conf/<name>/``) written."""

from cross_modal_kd import lazy_face

__getattr__, __dir__, __all__ = lazy_face(__name__, __file__)
