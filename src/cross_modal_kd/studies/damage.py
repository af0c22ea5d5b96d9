"""A share of the samples damaged at random, the same way whenever they are read."""

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from cross_modal_kd.quality.modality import degradations_of


class RandomDamage:
    """(sample_id, sample) -> sample: a share of the samples, each under one of ``kinds`` at one of its levels.

    Seed and sample_id decide whether, how and how much; the order in which samples are read does not matter, and
    every reader of a sample (training, quality, evaluation) meets the same damage.

    kinds: name of a degradation of the modality -> levels, None for its own. sample_rate: in Hz, for sounds.

    Raises:
        ValueError: nothing to damage with, or a degradation that needs more than the sample (babble: other clips).
    """

    def __init__(
        self,
        modality: str,
        kinds: Mapping[str, list[float] | None],
        share: float,
        seed: int,
        sample_rate: int | None = None,
    ) -> None:
        if not kinds:
            raise ValueError(f"damage of {modality}: name at least one degradation, found none")
        self._damages = degradations_of(modality, list(kinds))
        self._levels = {name: kinds[name] or damage.levels for name, damage in self._damages.items()}
        self._context = {} if sample_rate is None else {"sample_rate": sample_rate}
        for name, damage in self._damages.items():
            if missing := sorted(set(damage.needs) - {"sample_rate"}):
                raise ValueError(f"damage of {modality}: {name!r} needs {missing} beside the sample; take another")
        self._share, self._seed = share, seed

    def of(self, sample_id: str) -> tuple[str, float] | None:
        """(degradation, level) of a sample, None if it stays as it is; all kinds are equally likely, all levels too."""
        return self._draw(self._generator(sample_id))

    def __call__(self, sample_id: str, sample: Any, **context: Any) -> Any:
        """The sample as it is read. context: what the degradation needs, where it differs from that of all."""
        generator = self._generator(sample_id)
        drawn = self._draw(generator)
        if drawn is None:
            return sample
        name, level = drawn
        return self._damages[name](sample, level, generator, **(self._context | context))

    def _generator(self, sample_id: str) -> np.random.Generator:
        return np.random.default_rng([self._seed, zlib.crc32(sample_id.encode())])

    def _draw(self, generator: np.random.Generator) -> tuple[str, float] | None:
        if generator.random() >= self._share:
            return None
        name = list(self._damages)[int(generator.integers(len(self._damages)))]
        levels = self._levels[name]
        return name, levels[int(generator.integers(len(levels)))]
