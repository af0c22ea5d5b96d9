"""One training: its length, its steps, its device."""

import math
from typing import Any, Literal

from pydantic import Field, SerializationInfo, SerializerFunctionWrapHandler, model_serializer, model_validator

from cross_modal_kd.config.strict import Strict

LENGTHENED_PATIENCE = 8
DECIDES = "what decides the result"
"""As the context of ``model_dump``: without the settings that change no result, ``workers``."""


class TrainingConfig(Strict):
    """AdamW with a one-cycle schedule; the checkpoint that is best on the dev split is kept.

    Attributes:
        epochs: passes over the training split, at most; ``min_steps`` may add to them.
        min_steps: optimisation steps, at least: where ``epochs`` passes over a small split make fewer, as many more
            passes are made as it takes (see ``for_steps``); null adds none.
        batch_size: samples in a step.
        lr: the highest learning rate of the schedule.
        weight_decay: of matrices; vectors (biases, norms) have none.
        warmup: share of the steps over which the learning rate rises.
        grad_clip: largest norm of the gradient; null does not clip.
        patience: stop after that many evaluations without a better dev metric; null trains to the end.
        eval_every: epochs between two looks at the dev split (the last epoch is always looked at).
        seed: of weights, batches, pairs and augmentation.
        precision: as Fabric names it; ``auto`` is bf16-mixed where the GPU does it in hardware, 32-true elsewhere.
        accelerator: ``auto`` takes a GPU where there is one.
        augment: whether training inputs are augmented.
        keep: the weights that are ``best`` on dev, or the ``last``.
        deterministic: on CUDA, algorithms that give the same result each time; other devices have no others.
        compile: on CUDA, whether the student's encoder is compiled; the first step then takes a minute or so.
        workers: processes that read and decode inputs beside the training; 0 reads in the training's own. null takes 0
            where the inputs are kept in memory (``inputs.cache_mb``) or there are two cores or fewer, else all cores
            but one, at most 16. No number changes a result.
    """

    epochs: int = Field(16, ge=1)
    min_steps: int | None = Field(None, ge=1)
    batch_size: int = Field(128, ge=2)
    lr: float = Field(2e-3, gt=0)
    weight_decay: float = Field(0.05, ge=0)
    warmup: float = Field(0.1, ge=0, lt=1)
    grad_clip: float | None = Field(5.0, gt=0)
    patience: int | None = Field(None, ge=1)
    eval_every: int = Field(2, ge=1)
    seed: int = Field(0, ge=0)
    precision: Literal["32-true", "bf16-mixed", "16-mixed", "auto"] = "auto"
    accelerator: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    augment: bool = True
    keep: Literal["best", "last"] = "best"
    deterministic: bool = True
    compile: bool = False
    workers: int | None = Field(None, ge=0, le=256)

    @model_validator(mode="after")
    def _patience_is_reachable(self) -> "TrainingConfig":
        if self.patience is not None and self.keep == "last":
            raise ValueError("training.patience stops at the best on dev: training.keep must then be 'best'")
        return self

    def for_samples(self, samples: int) -> "TrainingConfig":
        """The training as ``for_steps`` makes it for a training split.

        Args:
            samples: in the training split.

        Returns:
            The training itself where its epochs are enough, or where there is no sample; else a copy.
        """
        return self.for_steps(samples // min(self.batch_size, samples)) if samples else self

    @model_serializer(mode="wrap")
    def _without_what_goes_unsaid(self, dump: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        """Without later settings where they are the defaults: run keys and checkpoints stay what they were."""
        said: dict[str, Any] = dump(self)
        unsaid = {"deterministic": True, "compile": False, "workers": None}
        if info.context == DECIDES:
            said.pop("workers")
        return {name: value for name, value in said.items() if name not in unsaid or value != unsaid[name]}

    def for_steps(self, steps_per_epoch: int) -> "TrainingConfig":
        """The training with epochs enough for ``min_steps``: epochs' = max(epochs, ceil(min_steps / steps_per_epoch)).

        A training that was made longer stops early where it is of no use: without a ``patience`` of its own it gets one
        of 8 looks at the dev split, unless the last weights are kept. The schedule spans the new length.

        Args:
            steps_per_epoch: batches in one pass over the training split, above 0.

        Returns:
            The training itself where its epochs are enough, else a copy.
        """
        epochs = math.ceil((self.min_steps or 0) / steps_per_epoch)
        if epochs <= self.epochs:
            return self
        early = self.patience is None and self.keep == "best"
        patience = LENGTHENED_PATIENCE if early else self.patience
        return self.model_copy(update={"epochs": epochs, "patience": patience})
