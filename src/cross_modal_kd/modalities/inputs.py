"""What a training loop needs of a modality: a dataset of raw inputs, and an augmentation of a batch."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from torch import Tensor
from torch.utils.data import Dataset

from cross_modal_kd.compute import cores, progress_bar
from cross_modal_kd.config import InputConfig
from cross_modal_kd.modalities.modality import Augment, Corrupt
from cross_modal_kd.modalities.registry import modality_of
from cross_modal_kd.samples import Roots, SamplesError, read_before


class Item(NamedTuple):
    """One input to read.

    Attributes:
        row: its place.
        draw: (seed, epoch), which with the row decide what is random about reading it (where a sound is cropped); None
            reads it for evaluation, where nothing is random.
        variant: which of its variants, see ``Inputs``; 0 is the sample itself.
    """

    row: int
    draw: tuple[int, int] | None = None
    variant: int = 0


class Inputs(Dataset):
    """Raw inputs of one modality, in the order of ``sample_ids``.

    It holds no state that reading changes: what an item depends on comes in with the item, so that several workers,
    persistent or not, read the same numbers as one process.

    size_bytes: of all inputs, decoded; None where it is not known.
    kept: whether they are in memory, so that reading one is no work for a process of its own.
    variants: of each sample that a training meets, the sample itself and changes to it that make it another one's (a
    voice at another speed).
    """

    sample_ids: Sequence[str]
    size_bytes: int | None = None
    kept: bool = True
    variants: int = 1

    def __len__(self) -> int:
        return len(self.sample_ids)

    def __getitems__(self, items: Sequence[Item]) -> tuple[Tensor, Tensor]:
        """(indices (B,), inputs (B, ...)) of the items, in their order."""
        raise NotImplementedError

    def augmented(self, augmentation: Any) -> "Inputs":
        """These inputs, changed at random wherever they are read with a draw; refused by default.

        Args:
            augmentation: the modality's block in ``training.augmentation``.

        Returns:
            A copy, which shares what is in memory.

        Raises:
            SamplesError: the modality has no such block.
        """
        raise SamplesError("training.augmentation: inputs of this modality have none; take it away")

    def longer(self, crop_s: float) -> "Inputs":
        """These inputs for large-margin fine-tuning: longer crops, and no variants; refused by default.

        Args:
            crop_s: seconds of a training crop.

        Returns:
            A copy, which shares what is in memory.

        Raises:
            SamplesError: the modality has no crops of a length.
        """
        raise SamplesError(
            f"training.large_margin.crop_s is {crop_s}, and inputs of this modality have no length: say null"
        )

    def __getitem__(self, item: Item) -> tuple[Tensor, Tensor]:
        indices, inputs = self.__getitems__([item])
        return indices[0], inputs[0]


def load_inputs(
    modality: str, samples: pd.DataFrame, roots: Roots, config: InputConfig, corrupt: Corrupt | None = None
) -> Inputs:
    """The inputs of the samples of one modality, in the table's order.

    Args:
        modality: a registered one.
        samples: a samples table; rows of other modalities are passed over.
        roots: where the files lie.
        config: how they become tensors.
        corrupt: damage done to each decoded sample, before it is resized or cropped: uint8 (H, W, C) of an image,
            float32 (T,) at ``config.speech.sample_rate`` of a sound.

    Returns:
        One input for each row of the modality; where all fit ``config.cache_mb`` they are read at once.

    Raises:
        SamplesError: there are none, the modality has no trainable encoder, or a file can be read no more.
    """
    chosen = samples[samples["modality"] == modality]
    if chosen.empty:
        raise SamplesError(f"samples: no sample of modality {modality!r} to read")
    with read_before():
        return modality_of(modality).load(chosen, roots, config, corrupt)


def augmentation(modality: str) -> Augment:
    """The augmentation of a modality's batches.

    Args:
        modality: a registered one.

    Returns:
        ``Modality.augment`` of it, which changes nothing where the modality has no augmentation.
    """
    return modality_of(modality).augment


def fits(size_bytes: int, config: InputConfig) -> bool:
    """Whether inputs of that size are kept in memory.

    Args:
        size_bytes: of all of them, decoded.
        config: ``cache_mb``, the budget.

    Returns:
        True up to the budget.
    """
    return size_bytes <= config.cache_mb * 2**20


def text_column(values: pd.Series) -> Sequence[str]:
    """A column as it is looked up row by row from many processes.

    Texts of Arrow stay where they are: a list of a million strings is copied into every worker as it is read, since
    each look at one counts its references.

    Args:
        values: (N,) texts.

    Returns:
        N texts, by their places.
    """
    texts: Sequence[str] = values.array
    return texts


def read_all(
    read: Callable[[int], np.ndarray], items: Sequence[int], description: str, workers: int | None = None
) -> Iterator[np.ndarray]:
    """``read`` of every item, in order, on a few threads, with a progress bar.

    Args:
        read: item to array; it is called from several threads at once.
        items: what is read, each by its number.
        description: what the bar says; it is shown from 500 items on.
        workers: threads; None takes two, or as many as there are cores.

    Yields:
        The arrays, in the order of ``items``.
    """
    with ThreadPoolExecutor(workers or max(2, cores())) as pool:
        few = len(items) < 500
        yield from progress_bar(pool.map(read, items), total=len(items), desc=description, leave=False, disable=few)
