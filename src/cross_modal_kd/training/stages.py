"""A training, and the large-margin fine-tuning that may follow it."""

import logging
from dataclasses import replace
from math import isnan, nan
from pathlib import Path

from cross_modal_kd.training.checkpoint import load_state, save_state
from cross_modal_kd.training.data import TrainingData
from cross_modal_kd.training.loop import margin_of
from cross_modal_kd.training.module import DistillationModule
from cross_modal_kd.training.plan import DevMetric, Plan
from cross_modal_kd.training.ranks import Row, train

logger = logging.getLogger(__name__)


def train_stages(module: DistillationModule, data: TrainingData, plan: Plan) -> list[Row]:
    """``ranks.train``, and once more from there on longer crops where ``training.large_margin`` says so.

    What the first training gave is kept beside its checkpoint until the second is through, so that an interrupted run
    goes on in the one that it was in. The weights that are kept are those of the second, or with ``only_if_better`` of
    the one that is better on dev.

    Args:
        module: as of ``train``.
        data: the training split.
        plan: how the first training runs.

    Returns:
        The history of both, their epochs counted on.

    Raises:
        ValueError: as of ``train``; the classifier has no margin.
    """
    second, stage = plan.config.for_large_margin(), plan.config.large_margin
    if second is None or stage is None:
        return train(module, data, plan)
    margin_of(module, plan.description)
    wide = data.inputs if stage.crop_s is None else data.inputs.longer(stage.crop_s)
    history = _first(module, data, plan)
    best, margin = _best(history, plan.dev), module.classifier.margin
    own = {name: value.clone() for name, value in module.state_dict().items()} if stage.only_if_better else {}
    module.classifier.margin = stage.margin  # type: ignore[assignment]
    before, said = len(history), plan.on_epoch

    def counted(row: Row) -> Row:
        return {**row, "epoch": row["epoch"] + before}

    def on_epoch(row: Row, epoch: int) -> None:
        if said is not None:
            said(counted(row), epoch + before)

    after = replace(
        plan,
        config=second,
        checkpoint=_beside(plan, "large_margin"),
        on_epoch=on_epoch,
        description=f"{plan.description}, large margin",
    )
    rows = train(module, replace(data, inputs=wide), after)
    history += [counted(row) for row in rows]
    if stage.only_if_better and not isnan(best) and not plan.dev.better(_best(rows, plan.dev), best):
        logger.info(
            "%s: the large margin brought nothing better on dev; the weights before it are kept", plan.description
        )
        module.load_state_dict(own)
        module.classifier.margin = margin
    if (kept := _beside(plan, "first")) is not None:
        kept.unlink(missing_ok=True)
    return history


def _best(history: list[Row], dev: DevMetric) -> float:
    """The best value on dev, of the rows that have one; NaN, which is better than nothing, where none has."""
    best: float | None = None
    for value in (row[f"dev_{dev.name}"] for row in history if not isnan(row.get(f"dev_{dev.name}", nan))):
        best = value if dev.better(value, best) else best
    return nan if best is None else best


def _first(module: DistillationModule, data: TrainingData, plan: Plan) -> list[Row]:
    """The history of the first training, which is taken from what an interrupted run has left of it."""
    kept = _beside(plan, "first")
    if kept is not None and kept.exists():
        try:
            state = load_state(kept)
            module.load_state_dict(state["module"])
        except (ValueError, KeyError, RuntimeError) as error:
            logger.warning("%s is trained again: %s", plan.description, error)
        else:
            logger.info("%s was finished by an earlier run, its large-margin stage was not", plan.description)
            for row in state["history"]:
                if plan.on_epoch is not None:
                    plan.on_epoch(row, int(row["epoch"]))
            return list(state["history"])
    history = train(module, data, plan)
    if kept is not None:
        save_state(kept, {"module": module.state_dict(), "history": history})
    return history


def _beside(plan: Plan, stage: str) -> Path | None:
    checkpoint = plan.checkpoint
    return None if checkpoint is None else checkpoint.with_name(f"{checkpoint.stem}.{stage}{checkpoint.suffix}")
