"""A share of the samples damaged at random, the same way whenever they are read."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cross_modal_kd.modalities import Damage, Degradation, Dose, Modality, chosen


@dataclass(frozen=True)
class RandomDose:
    """sample_id -> what is done to it: a share of the samples is damaged, each in one way at one level.

    Seed and sample_id decide whether, how and how much; the order in which samples are read does not matter, and
    every reader of a sample (training, quality, evaluation) meets the same damage. All kinds are equally likely, and
    all levels of a kind.

    Attributes:
        kinds: by name, a degradation and the levels that one is drawn from; neither is empty.
        share: of the samples that are damaged, in [0, 1].
        seed: of the draw, 0 or above.
    """

    kinds: Mapping[str, tuple[Degradation, tuple[float, ...]]]
    share: float
    seed: int

    def __call__(self, sample_id: str) -> Dose | None:
        generator = np.random.default_rng([self.seed, zlib.crc32(sample_id.encode())])
        if generator.random() >= self.share:
            return None
        degradation, levels = list(self.kinds.values())[int(generator.integers(len(self.kinds)))]
        return Dose(degradation, levels[int(generator.integers(len(levels)))], generator)


def random_damage(modality: Modality, kinds: Mapping[str, list[float] | None], share: float, seed: int) -> Damage:
    """The damage of a share of the samples of a modality.

    Args:
        modality: of the samples.
        kinds: name of a degradation of the modality -> levels, None for its own.
        share: of the samples that are damaged, in [0, 1].
        seed: of the draw, 0 or above.

    Returns:
        (sample_id, sample) -> sample.

    Raises:
        ModalityError: an unknown degradation.
        ValueError: nothing to damage with, or a degradation that needs more than the sample (babble: other clips).
    """
    if not kinds:
        raise ValueError(f"damage of {modality.name}: name at least one degradation, found none")
    damages = chosen(modality.degradations, list(kinds), f"degradation of {modality.name}", "the kinds of damage")
    for name, damage in damages.items():
        if missing := sorted(set(damage.needs) - set(modality.about)):
            raise ValueError(f"damage of {modality.name}: {name!r} needs {missing} beside the sample; take another")
    doses = {name: (damage, tuple(kinds[name] or damage.levels)) for name, damage in damages.items()}
    return Damage(RandomDose(doses, share, seed))
