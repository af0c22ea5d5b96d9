"""Raw quality, scores, weights and their histogram: thin nodes over the room `quality`."""

from pathlib import Path
from typing import Any

import pandas as pd

from cross_modal_kd.config import (
    ArmsConfig,
    ComputeConfig,
    DistillationConfig,
    QualityConfig,
    SourcesConfig,
    TaskConfig,
    WeightConfig,
)


def measure_quality(
    samples: pd.DataFrame,
    sources: SourcesConfig,
    quality: QualityConfig,
    quality_cache: Path,
    compute: ComputeConfig,
) -> pd.DataFrame:
    """Every measure of ``quality.measures`` of every sample; each file is decoded once, and not again in a later run.

    Args:
        samples: the table, with its splits.
        sources: where the files lie.
        quality: the measures to take, by modality.
        quality_cache: folder of what earlier runs have measured, also one that was killed; written to.
        compute: who measures.

    Returns:
        sample_id, modality and one column a measure, null where it is another modality's; by sample_id.
    """
    from cross_modal_kd.compute import engine_of
    from cross_modal_kd.quality import measure_samples
    from cross_modal_kd.samples import Roots

    return measure_samples(samples, quality.measures, Roots(sources), cache=quality_cache, engine=engine_of(compute))


def score_quality(samples: pd.DataFrame, quality_measures: pd.DataFrame, quality: QualityConfig) -> pd.DataFrame:
    """One quality in [0, 1] of every sample: its rank among the training samples of its modality.

    Args:
        samples: the table, with its splits and domains.
        quality_measures: of ``measure_quality``.
        quality: which measures count, how their ranks are combined, and whether ranks are within a domain.

    Returns:
        sample_id, modality and quality, by sample_id.
    """
    from cross_modal_kd.quality import Scoring, score_samples

    return score_samples(samples, quality_measures, Scoring.of(quality))


def weigh_samples(
    samples: pd.DataFrame,
    quality_scores: pd.DataFrame,
    task: TaskConfig,
    arms: ArmsConfig,
    distillation: DistillationConfig,
) -> pd.DataFrame:
    """Quality of both sides of each training pair, and the weights they give in the arm that ``distill`` trains.

    An arm without quality weights shows those of the default setting; it trains with weights of 1.

    Args:
        samples: the table, with its splits.
        quality_scores: of ``score_quality``.
        task: its modalities and its pairing.
        arms: all arms.
        distillation: names the distilled arm, whose setting is taken.

    Returns:
        A row a training sample of the student: sample_id, quality_student, quality_teacher, task_weight, kd_weight; the
        weights have mean 1, and a sample without a teacher lacks quality_teacher and kd_weight.
    """
    from cross_modal_kd.quality import sample_weights

    weights = arms.get(distillation.arm).quality or WeightConfig()

    return sample_weights(samples, quality_scores, task, weights)


def plot_quality(samples: pd.DataFrame, quality_measures: pd.DataFrame, quality_scores: pd.DataFrame) -> Any:
    """Histograms of each measure and of the score, per modality and split.

    Args:
        samples: the table, with its splits.
        quality_measures: of ``measure_quality``.
        quality_scores: of ``score_quality``.

    Returns:
        A Matplotlib figure.
    """
    from cross_modal_kd.evaluation import quality_plot

    return quality_plot(samples, quality_measures, quality_scores)
