"""What changes from epoch to epoch: the order, the partners, the augmentation and the student's dropout.

All is read off what reaches the student and the projection in a whole training, whatever draws it.
"""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch
from torch import Tensor

from cross_modal_kd.training.data import TeacherSide
from training_toys import CONFIG, COUNT, TEACHER_DIM, data, module, norm_metric
from training_toys import train as fit

POOL = 5000  # teacher samples beside every student sample: two draws of one step hardly ever agree
EPOCHS = 3


@dataclass
class Seen:
    """One tensor a step and purpose; ``of(purpose)`` has those of the first step of every epoch."""

    steps: dict[str, list[Tensor]] = field(default_factory=dict)
    epochs: list[int] = field(default_factory=list)

    def note(self, purpose: str, value: Tensor) -> None:
        self.steps.setdefault(purpose, []).append(value.detach().clone())

    def of(self, purpose: str) -> list[Tensor]:
        found = self.steps[purpose]
        return found[:: len(found) // EPOCHS]


@pytest.fixture(scope="module")
def seen() -> Seen:
    """A training of three epochs, in which every student sample may meet every one of ``POOL`` teacher samples."""
    made, given, seen = module(joint=True), data(), Seen()  # a projection that stands still is asked but once
    embeddings = np.random.default_rng(0).normal(size=(POOL, TEACHER_DIM))
    given = replace(given, teacher=TeacherSide.from_candidates(embeddings, [np.arange(POOL)] * COUNT))
    made.student.register_forward_pre_hook(lambda _, inputs: seen.note("order", inputs[0]))
    made.student[0].register_forward_hook(lambda _, __, output: seen.note("dropout", output == 0))
    made.projection.register_forward_pre_hook(lambda _, inputs: seen.note("partners", inputs[0]))

    def augment(inputs: Tensor, generator: torch.Generator) -> Tensor:
        seen.note("augmentation", torch.rand(inputs.shape, generator=generator))
        return inputs

    fit(made, given, CONFIG.model_copy(update={"epochs": EPOCHS}), norm_metric(), augment=augment)
    return seen


@pytest.mark.parametrize("purpose", ["order", "dropout", "partners", "augmentation"])
def test_every_epoch_has_random_choices_of_its_own(seen, purpose):
    one, two, three = seen.of(purpose)
    assert not torch.equal(one, two)
    assert not torch.equal(two, three)
    assert not torch.equal(one, three)


def test_an_order_is_a_permutation_of_the_same_samples(seen):
    steps = len(seen.steps["order"]) // EPOCHS
    for epoch in range(EPOCHS):
        rows = torch.cat(seen.steps["order"][epoch * steps : (epoch + 1) * steps])
        assert len(rows.unique(dim=0)) == len(rows) == COUNT // CONFIG.batch_size * CONFIG.batch_size
