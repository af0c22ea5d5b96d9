"""One training: its length, its steps, where it runs."""

import math
from typing import Any, Literal

from pydantic import Field, SerializationInfo, SerializerFunctionWrapHandler, model_serializer, model_validator

from cross_modal_kd.config.compute import MOVED, ComputeConfig
from cross_modal_kd.config.strict import Strict

LENGTHENED_PATIENCE = 8
DECIDES = "what decides the result"
"""As the context of ``model_dump``: without the settings that change no result, such as ``workers``."""


class TrainingConfig(Strict):
    """AdamW with a one-cycle schedule; the checkpoint that is best on the dev split is kept.

    Attributes:
        epochs: passes over the training split, at most; ``min_steps`` may add to them.
        min_steps: optimisation steps, at least: where ``epochs`` passes over a small split make fewer, as many more
            passes are made as it takes (see ``for_steps``); null adds none.
        steps: optimisation steps, exactly: the training ends after so many, within an epoch if need be, and ``epochs``
            and ``min_steps`` do not count; null goes by these.
        batch_size: samples in a step, of all devices together.
        accumulate: parts into which every batch is cut, one after the other, so that a batch need not fit the memory;
            one step is taken on all of them. What looks at each sample alone is as without; constraints over a batch
            (relational, rkd, contrastive) and batch norms see a part.
        lr: the highest learning rate of the schedule.
        weight_decay: of matrices; vectors (biases, norms) have none.
        warmup: share of the steps over which the learning rate rises.
        grad_clip: largest norm of the gradient; null does not clip.
        patience: stop after that many evaluations without a better dev metric; null trains to the end.
        eval_every: epochs between two looks at the dev split (the last epoch is always looked at).
        seed: of weights, batches, pairs and augmentation.
        augment: whether training inputs are augmented.
        keep: the weights that are ``best`` on dev, or the ``last``.
        ema: decay d of a moving average of the weights, which is then what is measured on dev and kept: after step t it
            is min(d, (1 + t) / (10 + t)) of itself and the rest of the weights; null keeps the weights themselves.
        deterministic: on CUDA, algorithms that give the same result each time; other devices have no others.
        compile: on CUDA, whether the student's encoder is compiled; the first step then takes a minute or so.
        workers: processes that read and decode inputs beside the training; 0 reads in the training's own. null takes 0
            where the inputs are kept in memory (``inputs.cache_mb``) or there are two cores or fewer, else all cores
            but one, at most 16. No number changes a result.
        compute: where it runs; in a project it is the block ``compute`` that says so.
    """

    epochs: int = Field(16, ge=1)
    min_steps: int | None = Field(None, ge=1)
    steps: int | None = Field(None, ge=1)
    batch_size: int = Field(128, ge=2)
    accumulate: int = Field(1, ge=1)
    lr: float = Field(2e-3, gt=0)
    weight_decay: float = Field(0.05, ge=0)
    warmup: float = Field(0.1, ge=0, lt=1)
    grad_clip: float | None = Field(5.0, gt=0)
    patience: int | None = Field(None, ge=1)
    eval_every: int = Field(2, ge=1)
    seed: int = Field(0, ge=0)
    augment: bool = True
    keep: Literal["best", "last"] = "best"
    ema: float | None = Field(None, gt=0, lt=1)
    deterministic: bool = True
    compile: bool = False
    workers: int | None = Field(None, ge=0, le=256)
    compute: ComputeConfig = ComputeConfig()

    @model_validator(mode="before")
    @classmethod
    def _name_moved_keys(cls, data: Any) -> Any:
        if isinstance(data, dict) and (moved := [name for name in MOVED if name in data]):
            what = " and ".join(f"training.{name} is now compute.{name}" for name in moved)
            raise ValueError(f"{what}: say it in the block `compute` (docs/scale.md), and take it away here")
        return data

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
        unsaid = {"deterministic": True, "compile": False, "workers": None, "steps": None, "accumulate": 1, "ema": None}
        if info.context == DECIDES:
            said.pop("workers")
            said.pop("compute")
            said |= self.compute.decides
        return {name: value for name, value in said.items() if name not in unsaid or value != unsaid[name]}

    def for_steps(self, steps_per_epoch: int) -> "TrainingConfig":
        """The training with epochs enough for ``min_steps``: epochs' = max(epochs, ceil(min_steps / steps_per_epoch)).

        With ``steps`` they are ceil(steps / steps_per_epoch), the last of them cut short.

        A training that was made longer stops early where it is of no use: without a ``patience`` of its own it gets one
        of 8 looks at the dev split, unless the last weights are kept. The schedule spans the new length.

        Args:
            steps_per_epoch: batches in one pass over the training split, above 0.

        Returns:
            The training itself where its epochs are enough, else a copy.
        """
        if self.steps is not None:
            return self.model_copy(update={"epochs": math.ceil(self.steps / steps_per_epoch)})
        epochs = math.ceil((self.min_steps or 0) / steps_per_epoch)
        if epochs <= self.epochs:
            return self
        early = self.patience is None and self.keep == "best"
        patience = LENGTHENED_PATIENCE if early else self.patience
        return self.model_copy(update={"epochs": epochs, "patience": patience})
