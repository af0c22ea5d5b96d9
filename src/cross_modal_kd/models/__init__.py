"""Networks: encoders by name, the student, the teacher's projection with its prototypes."""

from cross_modal_kd import lazy_face

__getattr__, __dir__, __all__ = lazy_face(__name__, __file__)
