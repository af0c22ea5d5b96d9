"""What a run does, in five lines."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cross_modal_kd.config import EncoderConfig, Strict

if TYPE_CHECKING:
    import pandas as pd

# the blocks that say which trainings there are, from the most particular on
TRAININGS = ("tuning", "regimes", "comparison", "distillation")


@dataclass(frozen=True)
class Networks:
    """What was found by building them: parameters, by role, of those that are trained; and where and how they are."""

    sizes: Mapping[str, int] = field(default_factory=dict)
    device: str | None = None
    precision: str | None = None


def in_short(
    blocks: Mapping[str, Any], used: Collection[str], networks: Networks, samples: "pd.DataFrame | None"
) -> Iterator[str]:
    """Task, sources, teacher and student, arms, network and device; only what the run has to do with.

    Args:
        blocks: Every block by name.
        used: Names of those that the run reads.
        networks: What was found by building them.
        samples: The samples, or the candidates for it; None where they are not known yet.

    Yields:
        A line each.
    """
    task = blocks["task"]
    yield f"task: {task.name}, {task.kind}: {task.title}{' (chimeric pairs)' if task.chimeric else ''}"
    yield f"sources: {'; '.join(_source(name, each, samples) for name, each in blocks['sources'].root.items())}"
    if {"teacher", "student"} & set(used):
        teacher, student = blocks["teacher"], blocks["student"]
        how = "pretrained" if teacher.pretrained else "trained here"
        yield (
            f"teacher -> student: {task.teacher}, {_encoder(teacher.encoder)}, {how} -> "
            f"{task.student}, {_encoder(student.encoder)}"
        )
    if arms := next((name for name in TRAININGS if name in used), None):
        yield f"arms: {_arms(blocks, arms)}{_folds(blocks, arms, used)}"
    elif "quality_study" in used and (alone := _folds(blocks, "quality_study", used)):
        yield f"tests: {alone.removeprefix(', ')}"
    if networks.device is not None:
        sizes = [f"{_millions(size)} parameters of the {role}" for role, size in networks.sizes.items()]
        yield f"network: {', '.join([*sizes, f'on {networks.device}', networks.precision or ''])}"


def _source(name: str, source: Any, samples: "pd.DataFrame | None") -> str:
    """``faces (folder, /data/faces): 400 images of 40 labels``."""
    where = f"{name} ({source.layout}, {source.root})"
    if samples is None:
        return where
    own = samples[samples["source"] == name]
    counts = [
        f"{len(rows)} {modality} samples of {rows['label'].nunique()} labels{_without(rows['label'])}"
        for modality, rows in own.groupby("modality", sort=True)
    ]
    return f"{where}: {' and '.join(counts) or 'nothing of the task'}"


def _without(labels: "pd.Series") -> str:
    """How many of some samples have no label, where there are such."""
    count = int(labels.isna().sum())
    return f" ({count} without one)" if count else ""


def _encoder(encoder: EncoderConfig) -> str:
    return f"{encoder.library} {encoder.name}"


def _arms(blocks: Mapping[str, Any], name: str) -> str:
    block = blocks[name]
    return block.in_a_line() if isinstance(block, Strict) else name


def _folds(blocks: Mapping[str, Any], trainings: str, used: Collection[str]) -> str:
    """In how many folds the students are trained and tested, where there are several and this run does so."""
    folds = blocks["evaluation"].folds if "evaluation" in used else 1
    if folds == 1:
        return ""
    over_folds = trainings == "distillation" or getattr(blocks.get(trainings), "over_folds", False)
    return f", in {folds} folds" if over_folds else ", on the test split alone, without folds"


def _millions(count: int) -> str:
    """``11.2 M``; ``43,210`` below a tenth of a million."""
    return f"{count / 1e6:.1f} M" if count >= 100_000 else f"{count:,}"
