"""Which changes a training makes to its inputs: those of ``training.augmentation``, or the modality's own."""

from cross_modal_kd.config import TrainingConfig
from cross_modal_kd.modalities import Augment, Inputs, augmentation
from cross_modal_kd.models import Encoder


def augmented(encoder: Encoder, inputs: Inputs, training: TrainingConfig, modality: str) -> Inputs:
    """Inputs as a training reads them.

    Args:
        encoder: of the network that is trained, whose features may be changed.
        inputs: of the training split.
        training: its ``augment`` and ``augmentation`` count.
        modality: of the inputs.

    Returns:
        The inputs themselves where ``training.augmentation`` has no block for the modality, else a copy.

    Raises:
        SamplesError: a folder that the block names is not what it is to be.
        ValueError: the encoder has not the features that the block changes.
    """
    block = (training.augmentation or {}).get(modality)
    if block is None or not training.augment:
        return inputs
    encoder.augment_features(block)
    return inputs.augmented(block)


def batch_augmentation(training: TrainingConfig, modality: str) -> Augment | None:
    """What is done to whole batches on the device: the modality's own augmentation, where no block replaces it.

    Args:
        training: its ``augment`` and ``augmentation`` count.
        modality: of the inputs.

    Returns:
        The augmentation; None of a training without, or with a block for the modality that replaces it.
    """
    block = (training.augmentation or {}).get(modality)
    return augmentation(modality) if training.augment and (block is None or block.on_batches) else None


def mixup_of(training: TrainingConfig, modality: str) -> float | None:
    """Alpha of the mixup of a training's batches.

    Args:
        training: its ``augment`` and ``augmentation`` count.
        modality: of the inputs.

    Returns:
        Alpha, None where nothing is mixed.
    """
    block = (training.augmentation or {}).get(modality)
    return block.mixup if training.augment and block is not None else None
