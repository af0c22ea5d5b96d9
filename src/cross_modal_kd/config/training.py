"""One training: its length, its steps, its schedules, where it runs."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

from pydantic import (
    Field,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    create_model,
    field_validator,
    model_serializer,
    model_validator,
)

from cross_modal_kd.config.compute import MOVED, ComputeConfig
from cross_modal_kd.config.registered import augmentation_block
from cross_modal_kd.config.strict import Grown, Margin, Strict, without_null

LENGTHENED_PATIENCE = 8
DECIDES = "what decides the result"
"""As the context of ``model_dump``: without the settings that change no result, such as ``workers``."""


LATER = (
    *("deterministic", "compile", "workers", "steps", "accumulate", "ema"),
    *("optimizer", "momentum", "schedule", "final_lr", "warmup_epochs", "step_size"),
    *("margin_schedule", "large_margin", "average_epochs", "augmentation", "layer_decay", "frozen"),
)


class MarginSchedule(Strict):
    """The margin of the AAM-softmax over a training: m(e) = initial + (m - initial) r(x), e in epochs, x its place.

    x = (e - start_epoch) / (end_epoch - start_epoch), within [0, 1]; exponential: r = 1 - 0.001^x; linear: r = x. From
    ``end_epoch`` on the margin is that of the student, or of the teacher. It moves with every step. Source: the margin
    scheduler of WeSpeaker (Wang et al., "Wespeaker", ICASSP 2023), whose VoxCeleb recipe goes from 0 to 0.2 over the
    epochs 20 to 40.

    Attributes:
        start_epoch: at whose beginning the margin begins to rise, counted from 1.
        end_epoch: at whose beginning it is what it stays.
        initial: the margin before, in radians.
        growth: how it rises.
    """

    start_epoch: int = Field(20, ge=1)
    end_epoch: int = Field(40, ge=1)
    initial: Margin = 0.0
    growth: Literal["exponential", "linear"] = "exponential"

    @model_validator(mode="after")
    def _rises(self) -> "MarginSchedule":
        if self.end_epoch <= self.start_epoch:
            raise ValueError(f"end_epoch: expected more than start_epoch = {self.start_epoch}, found {self.end_epoch}")
        return self

    def at(self, epochs: float, final: float) -> float:
        """The margin at one moment.

        Args:
            epochs: that are done, with fractions; 0 at the first step.
            final: the margin that it rises to, in radians.

        Returns:
            In radians.

        >>> MarginSchedule(start_epoch=1, end_epoch=3, growth="linear").at(1, 0.5)
        0.25
        """
        place = min(1.0, max(0.0, (epochs + 1 - self.start_epoch) / (self.end_epoch - self.start_epoch)))
        if place == 1:
            return final
        share = place if self.growth == "linear" else 1 - math.exp(place * math.log(1e-3))
        return self.initial + (final - self.initial) * share


class LargeMargin(Grown):
    """A second training that goes on from the first, on longer crops with a larger margin and small steps.

    Source: Thienpondt, Desplanques, Demuynck, "The IDLAB VoxSRC-20 submission: large margin fine-tuning and
    quality-aware score calibration", ICASSP 2021; the values are those of WeSpeaker's VoxCeleb recipe. Speeds that are
    speakers of their own are left out of it, and their prototypes stay. What is not here is as in the first training; a
    margin schedule, an average of the last epochs and ``min_steps`` or ``steps`` are of the first alone.

    Attributes:
        epochs: passes over the training split.
        crop_s: seconds of a training crop; null keeps the crops as they are (what is no sound has none).
        margin: of the AAM-softmax, in radians, from the first step on.
        lr: the highest learning rate.
        final_lr: as ``training.final_lr``.
        warmup_epochs: as ``training.warmup_epochs``.
        batch_size: samples in a step.
        only_if_better: whether the first training's weights stay where the best of the second are no better on dev, for
            ``training.keep: best``; else those of the second are kept, whatever dev says of them.
    """

    later: ClassVar[tuple[str, ...]] = ("only_if_better",)

    epochs: int = Field(5, ge=1)
    crop_s: float | None = Field(6.0, ge=0.1, le=3600)
    margin: Margin = 0.5
    lr: float = Field(1e-4, gt=0)
    final_lr: float = Field(2.5e-5, gt=0)
    warmup_epochs: float = Field(1.0, ge=0)
    batch_size: int = Field(64, ge=2)
    only_if_better: bool = False

    @model_validator(mode="after")
    def _falls(self) -> "LargeMargin":
        if self.final_lr > self.lr:
            raise ValueError(f"final_lr: expected at most lr = {self.lr:g}, found {self.final_lr:g}")
        return self


class TrainingConfig(Strict):
    """AdamW with a one-cycle schedule, or what is said; the checkpoint that is best on the dev split is kept.

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
        weight_decay: of matrices; vectors (biases, norms) have none. ``adamw`` takes it off the weights, ``adam`` and
            ``sgd`` add it, times the weights, to the gradient.
        warmup: share of the steps over which the learning rate rises.
        optimizer: ``adamw``, ``adam``, or ``sgd`` with Nesterov's momentum.
        momentum: of ``sgd``.
        schedule: of the learning rate, step by step. ``one_cycle`` rises and falls by cosines over the share ``warmup``
            and the rest. Step t of T, with w = min(1, t / steps of ``warmup_epochs``): ``exponential`` is
            w lr (final_lr / lr)^(t / T), as WeSpeaker has it; ``cosine`` is w lr until the warm-up is over, then
            final_lr + (lr - final_lr) (1 + cos(pi x)) / 2, x the share of what is left, as 3D-Speaker has it.
            ``cyclic``: see ``step_size``.
        final_lr: of ``exponential`` and ``cosine``, at the end; of ``cyclic``, where each cycle begins and ends.
        warmup_epochs: of ``exponential`` and ``cosine``, over which the learning rate rises from 0.
        step_size: s, steps in which the learning rate of ``cyclic`` rises, and in which it falls again: triangles
            final_lr + (lr - final_lr) (1 - |1 - t' / s|), t' = t mod 2 s (Smith, "Cyclical learning rates for training
            neural networks", WACV 2017; SpeechBrain).
        margin_schedule: how the AAM-softmax's margin grows; null has it whole from the start.
        large_margin: a second training on longer crops; null has none.
        layer_decay: factor g of layer-wise learning rates: layer l of the L that the student's encoder has learns at
            g^(L - l) times the rate of what comes after it; null has one rate for all.
        frozen: so many layers of the encoder, from the inputs on, are not trained, nor are statistics of their batch
            norms.
        grad_clip: largest norm of the gradient; null does not clip.
        patience: stop after that many evaluations without a better dev metric; null trains to the end.
        eval_every: epochs between two looks at the dev split (the last epoch is always looked at).
        seed: of weights, batches, pairs and augmentation.
        augment: whether training inputs are augmented.
        augmentation: by modality, a block that says how (that of speech: docs/sets/recipes.md); a modality that has
            none here is augmented in its own way.
        keep: the weights that are ``best`` on dev, the ``last``, or the ``average`` of those after each of the last
            epochs, statistics of batch norms included.
        average_epochs: how many epochs ``average`` takes; all where there are fewer.
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
    optimizer: Literal["adamw", "adam", "sgd"] = "adamw"
    momentum: float = Field(0.9, gt=0, lt=1)
    schedule: Literal["one_cycle", "exponential", "cosine", "cyclic"] = "one_cycle"
    final_lr: float = Field(5e-5, gt=0)
    warmup_epochs: float = Field(0.0, ge=0)
    step_size: int = Field(65_000, ge=1)
    margin_schedule: MarginSchedule | None = None
    large_margin: LargeMargin | None = None
    layer_decay: float | None = Field(None, gt=0, le=1)
    frozen: int = Field(0, ge=0)
    grad_clip: float | None = Field(5.0, gt=0)
    patience: int | None = Field(None, ge=1)
    eval_every: int = Field(2, ge=1)
    seed: int = Field(0, ge=0)
    augment: bool = True
    augmentation: dict[str, Any] | None = None
    keep: Literal["best", "last", "average"] = "best"
    average_epochs: int = Field(10, ge=1)
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

    @field_validator("augmentation")
    @classmethod
    def _blocks_are_known(cls, blocks: dict[str, Any] | None) -> dict[str, Any] | None:
        named = without_null(blocks or {})
        fields: dict[str, Any] = {name: (augmentation_block(name), ...) for name in named}
        checked = create_model("Augmentation", **fields).model_validate(named)  # whose errors name the modality too
        return {name: getattr(checked, name) for name in named} or None

    @model_validator(mode="after")
    def _patience_is_reachable(self) -> "TrainingConfig":
        if self.patience is not None and self.keep != "best":
            raise ValueError("training.patience stops at the best on dev: training.keep must then be 'best'")
        return self

    @model_validator(mode="after")
    def _schedules_fit(self) -> "TrainingConfig":
        if self.warmup_epochs and not self._warms_up:
            instead = "takes `warmup`" if self.schedule == "one_cycle" else "rises by itself, over `step_size` steps"
            raise ValueError(
                f"training.warmup_epochs is of schedule exponential or cosine; {self.schedule} {instead}: take it away"
            )
        if self.schedule != "one_cycle" and self.final_lr > self.lr:
            raise ValueError(f"training.final_lr: expected at most training.lr = {self.lr:g}, found {self.final_lr:g}")
        if self.keep != "best" and self.large_margin is not None and self.large_margin.only_if_better:
            raise ValueError(
                "training.large_margin.only_if_better compares the best on dev: training.keep must be 'best'"
            )
        if self.keep == "average" and self.ema is not None:
            raise ValueError("training.ema and training.keep 'average' are two averages: choose one")
        return self

    @property
    def _warms_up(self) -> bool:
        return self.schedule in ("exponential", "cosine")

    def misfits(self, blocks: Mapping[str, Any]) -> Iterator[str]:
        """Augmentation that cannot be.

        Args:
            blocks: All blocks by name.

        Yields:
            A sentence for each.
        """
        task = blocks["task"]
        for name, block in (self.augmentation or {}).items():
            if name != task.student:
                yield f"training.augmentation.{name}: the student's inputs are of {task.student!r}; take it away"
            yield from block.misfits(blocks)

    def for_large_margin(self) -> "TrainingConfig | None":
        """The second training.

        Returns:
            The configuration of it; None where there is none.
        """
        if (stage := self.large_margin) is None:
            return None
        given = stage.model_dump(include={"epochs", "lr", "final_lr", "batch_size"})
        if self._warms_up:
            given["warmup_epochs"] = stage.warmup_epochs
        keep = "last" if self.keep == "average" else self.keep
        none = dict.fromkeys(("min_steps", "steps", "margin_schedule", "large_margin"))
        return self.model_copy(update={**given, **none, "keep": keep})

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
        unsaid = {name: type(self).model_fields[name].default for name in LATER}
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
