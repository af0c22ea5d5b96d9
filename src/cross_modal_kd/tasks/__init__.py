"""The kinds of task. Importing this room loads neither torch nor matplotlib: methods import what they need."""

from cross_modal_kd import lazy_face

__getattr__, __dir__, __all__ = lazy_face(__name__, __file__)
