"""One object a modality, found by name.

It owns reading, inspection, transform, augmentation, quality measures, degradations, preview and encoders. A new
modality is a folder with a ``Modality`` in it, and one ``register``.

This door imports nothing heavy: what reads inputs and damages them comes when it is asked for.
"""

from cross_modal_kd import lazy_face
from cross_modal_kd.modalities.image.modality import Image
from cross_modal_kd.modalities.registry import register
from cross_modal_kd.modalities.speech.modality import Speech
from cross_modal_kd.modalities.text.modality import Text

for _modality in (Image(), Speech(), Text()):
    register(_modality)

__getattr__, __dir__, __all__ = lazy_face(__name__, __file__)
