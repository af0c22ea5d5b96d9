"""Raw measures of samples, their ranks in the training split, the one score of METHOD.md and the weights made of it."""

from cross_modal_kd import lazy_face

__getattr__, __dir__, __all__ = lazy_face(__name__, __file__)
