"""What an encoder is. Those of a library are built by the modality that registers it.

Every encoder takes a batch of raw inputs as its modality reads them (uint8 images, float waveforms), owns its own
feature extraction, returns one vector per input and has an attribute ``num_features``.
"""

from torch import nn

from cross_modal_kd.config import EncoderConfig, InputConfig
from cross_modal_kd.models.libraries import library_of, trainable_libraries


class Encoder(nn.Module):
    """Raw inputs (B, ...) to features (B, num_features)."""

    num_features: int


def create_encoder(config: EncoderConfig, inputs: InputConfig) -> Encoder:
    """The trainable encoder that ``config`` names.

    Args:
        config: the library, the name of an encoder in it, and its options.
        inputs: how the samples become tensors, since that decides the encoder's first layer.

    Returns:
        An encoder with fresh weights, in training mode on the CPU.

    Raises:
        ValueError: the library trains no encoder here, or has none of that name.
    """
    create = library_of(config.library).create
    if create is None:
        raise ValueError(
            f"encoder.library {config.library!r} is used pretrained and frozen only; "
            f"a trained encoder needs one of: {', '.join(trainable_libraries())}"
        )
    return create(config, inputs)
