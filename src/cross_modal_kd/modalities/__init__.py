"""One object a modality, found by name.

It owns reading, inspection, transform, augmentation, quality measures, degradations, preview and encoders. A new
modality is a folder with a ``Modality`` in it, and one ``register``.

This door imports nothing heavy; ``modalities.inputs`` and ``modalities.damage`` are the two beside it.
"""

from cross_modal_kd.modalities.image.modality import Image
from cross_modal_kd.modalities.modality import Augment, Corrupt, Decoded, Modality, ModalityError, Preview, chosen
from cross_modal_kd.modalities.registry import modality_of, modality_of_ending, register, unregister
from cross_modal_kd.modalities.speech.modality import Speech
from cross_modal_kd.modalities.text.modality import Text

for _modality in (Image(), Speech(), Text()):
    register(_modality)

__all__ = [
    "Augment",
    "Corrupt",
    "Decoded",
    "Modality",
    "ModalityError",
    "Preview",
    "chosen",
    "modality_of",
    "modality_of_ending",
    "register",
    "unregister",
]
