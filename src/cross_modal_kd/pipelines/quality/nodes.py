"""Raw quality, scores, weights and their histogram: thin nodes over the room `quality`."""

from typing import Any

import pandas as pd

from cross_modal_kd.config.arms import ArmsConfig
from cross_modal_kd.config.ingestion import SourcesConfig
from cross_modal_kd.config.objective import DistillationConfig
from cross_modal_kd.config.quality import QualityConfig, WeightConfig
from cross_modal_kd.config.task import TaskConfig


def measure_quality(samples: pd.DataFrame, sources: SourcesConfig, quality: QualityConfig) -> pd.DataFrame:
    """Every measure of ``quality.measures`` of every sample; each file is decoded once."""
    from cross_modal_kd.quality.table import measure_samples
    from cross_modal_kd.samples.roots import Roots

    return measure_samples(samples, quality.measures, Roots(sources))


def score_quality(samples: pd.DataFrame, quality_measures: pd.DataFrame, quality: QualityConfig) -> pd.DataFrame:
    """One quality in [0, 1] of every sample: its rank among the training samples of its modality."""
    from cross_modal_kd.quality.table import Scoring, score_samples

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
    """
    from cross_modal_kd.quality.weights import sample_weights

    weights = arms.get(distillation.arm).quality or WeightConfig()

    return sample_weights(samples, quality_scores, task, weights)


def plot_quality(samples: pd.DataFrame, quality_measures: pd.DataFrame, quality_scores: pd.DataFrame) -> Any:
    """Histograms of each measure and of the score, per modality and split (a Matplotlib plot)."""
    from cross_modal_kd.evaluation.plots.quality import quality_plot

    return quality_plot(samples, quality_measures, quality_scores)
