"""Embeddings of damaged test samples: read and damaged once a condition, for all students (imports torch)."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cross_modal_kd.compute import device_for
from cross_modal_kd.config import InputConfig
from cross_modal_kd.modalities import Damage, Others, load_inputs
from cross_modal_kd.models import ModelBundle, build_student, saved_inputs
from cross_modal_kd.samples import Roots
from cross_modal_kd.studies.context import Configuration
from cross_modal_kd.studies.robustness.config import RobustnessConfig
from cross_modal_kd.studies.robustness.damage import DamageLevel, FixedDose, held_out
from cross_modal_kd.training import embed_inputs


class DamagedEmbeddings:
    """(students, condition or None) -> of each student (n, d) embeddings of ``rows``, on the device of training.

    Called with the trained students and a condition, None for clean inputs. The students must read their inputs alike:
    ValueError where they do not. Inputs of one condition are held at once, O(n).

    Args:
        samples: the samples table, from whose training split babble is mixed.
        rows: n rows of it: the test samples of the student's modality that are embedded.
        about: sources, batch size and accelerator.
        robustness: seed of the damage, and how many clips babble is mixed from.
    """

    def __init__(
        self,
        samples: pd.DataFrame,
        rows: pd.DataFrame,
        about: Configuration,
        robustness: RobustnessConfig,
    ) -> None:
        self._samples, self._rows, self._modality = samples, rows, about.task.student
        self._roots, self._robustness, self._batch_size = Roots(about.sources), robustness, about.evaluation.batch_size
        self._device = device_for(about.training.compute.accelerator)
        self._others: Others | None = None

    def __call__(self, students: Sequence[ModelBundle], condition: DamageLevel | None) -> list[np.ndarray]:
        config = _shared_inputs(students)
        damage = None if condition is None else self._damage(condition, config)
        inputs = load_inputs(self._modality, self._rows, self._roots, config, damage)
        return [embed_inputs(build_student(student).to(self._device), inputs, self._batch_size) for student in students]

    def _damage(self, condition: DamageLevel, config: InputConfig) -> Damage:
        others = self._read_others(config) if "others" in condition.degradation.needs else None
        return Damage(FixedDose(condition, self._robustness.seed), others)

    def _read_others(self, config: InputConfig) -> Others:
        """Training samples at the rate of ``config``, read once, by the first condition that needs them."""
        if self._others is None:
            asked = self._robustness
            rows = held_out(self._samples, self._modality, asked.babble_clips, asked.seed)
            self._others = Others.read(rows, self._rows, self._roots, config)
        return self._others


def _shared_inputs(students: Sequence[ModelBundle]) -> InputConfig:
    configs = {saved_inputs(student).model_dump_json() for student in students}
    if len(configs) > 1:
        raise ValueError(
            f"robustness: the students read their inputs in {len(configs)} different ways; train them all again with "
            f"the same block 'inputs', found: {'; '.join(sorted(configs))}"
        )
    return InputConfig.model_validate_json(configs.pop())
