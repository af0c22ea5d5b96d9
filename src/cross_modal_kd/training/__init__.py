"""One readable loop for students and teachers, the fit of the projection, checkpoints that resume exactly."""

from cross_modal_kd import lazy_face

__getattr__, __dir__, __all__ = lazy_face(__name__, __file__)
