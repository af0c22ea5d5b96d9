"""The one table that everything flows from: its schema, its splits, its pairs, and where its bytes lie."""

from cross_modal_kd import lazy_face

__getattr__, __dir__, __all__ = lazy_face(__name__, __file__)
