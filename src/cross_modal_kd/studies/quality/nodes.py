"""The evidence for the quality measures: thin nodes over the room `quality`."""

from typing import Any, NamedTuple

import pandas as pd

from cross_modal_kd.config import EvaluationConfig, QualityConfig, SourcesConfig
from cross_modal_kd.samples import EmbeddingTable
from cross_modal_kd.studies.quality.config import QualityStudyConfig


class Discarded(NamedTuple):
    """A row a quality and share left out, and the figure of it."""

    error_versus_discard: pd.DataFrame
    error_versus_discard_plot: Any


def measure_degraded_samples(
    samples: pd.DataFrame,
    quality_measures: pd.DataFrame,
    sources: SourcesConfig,
    quality: QualityConfig,
    quality_study: QualityStudyConfig,
) -> pd.DataFrame:
    """Measures and score of some dev samples under every degradation at every level.

    Args:
        samples: the samples table.
        quality_measures: of the undamaged samples.
        sources: where the files of the samples lie.
        quality: which measures are taken, and what the score is made of.
        quality_study: how many samples, which degradations, and the seed.

    Returns:
        The table of ``measure_degraded``.
    """
    from cross_modal_kd.quality import Scoring
    from cross_modal_kd.samples import Roots
    from cross_modal_kd.studies.quality.ordering import measure_degraded

    return measure_degraded(
        samples,
        quality_measures,
        quality.measures,
        Scoring.of(quality),
        Roots(sources),
        quality_study.degradations,
        quality_study.samples,
        quality_study.seed,
    )


def rank_measures(
    degraded_measures: pd.DataFrame, quality_study: QualityStudyConfig, evaluation: EvaluationConfig
) -> pd.DataFrame:
    """Rank correlation of each measure with each degradation, with its interval.

    Args:
        degraded_measures: of ``measure_degraded_samples``.
        quality_study: resamples, level and seed.
        evaluation: ``min_clusters`` and ``min_resamples``, which an interval over samples needs too.

    Returns:
        The table of ``ordering``.
    """
    from cross_modal_kd.metrics import Least
    from cross_modal_kd.studies.quality.ordering import ordering

    least = Least(
        evaluation.min_clusters,
        evaluation.min_resamples,
        "dev samples",
        "raise quality_study.samples, or use a larger dev split",
    )
    return ordering(degraded_measures, quality_study.bootstrap, quality_study.level, quality_study.seed, least)


def plot_ordering(quality_ordering: pd.DataFrame) -> Any:
    """Heat map of measures against degradations.

    Args:
        quality_ordering: of ``rank_measures``.

    Returns:
        A Matplotlib plot.
    """
    from cross_modal_kd.studies.quality.plots import ordering_plot

    return ordering_plot(quality_ordering)


def show_best_and_worst(
    samples: pd.DataFrame,
    quality_measures: pd.DataFrame,
    quality_scores: pd.DataFrame,
    sources: SourcesConfig,
    quality_study: QualityStudyConfig,
) -> str:
    """The gallery, one self-contained HTML page.

    Args:
        samples: the samples table.
        quality_measures: raw, one column a measure.
        quality_scores: quality in [0, 1] of every sample.
        sources: where the files of the samples lie.
        quality_study: ``gallery``, the samples shown at each end.

    Returns:
        The page's HTML.
    """
    from cross_modal_kd.samples import Roots
    from cross_modal_kd.studies.quality.gallery import gallery_page

    return gallery_page(samples, quality_measures, quality_scores, Roots(sources), quality_study.gallery)


def discard_worst_samples(
    samples: pd.DataFrame,
    quality_measures: pd.DataFrame,
    quality_scores: pd.DataFrame,
    trials: pd.DataFrame,
    embeddings: EmbeddingTable,
    quality_study: QualityStudyConfig,
) -> Discarded:
    """Equal error rate as the worst samples are left out, by each measure and by the score: table and plot.

    Args:
        samples: the samples table.
        quality_measures: raw, one column a measure.
        quality_scores: quality in [0, 1] of every sample.
        trials: enrol_id, test_id and target; empty for a classification task, whose pairs are drawn here.
        embeddings: of the distilled student, of the samples of the trials.
        quality_study: steps, shuffles, most trials and seed.

    Returns:
        A row a measure and share (measure, share_left_out, eer, eer_random_order, random_low, random_high, all shares,
        and area_over_random), and a Matplotlib plot.
    """
    from cross_modal_kd.studies.headline import log_values
    from cross_modal_kd.studies.quality.plots import discard_plot
    from cross_modal_kd.studies.quality.trial_discard import discard_curves

    curves = discard_curves(samples, quality_measures, quality_scores, trials, embeddings, quality_study)
    tables = [
        pd.DataFrame(
            {
                "measure": name,
                "share_left_out": curve.share,
                "eer": curve.error,
                "eer_random_order": curve.random,
                "random_low": curve.random_low,
                "random_high": curve.random_high,
                "area_over_random": curve.area,
            }
        )
        for name, curve in curves.items()
    ]
    log_values({f"area_over_random.{name}": curve.area for name, curve in curves.items()})
    plot = discard_plot(curves, "equal error rate")
    return Discarded(pd.concat(tables, ignore_index=True), error_versus_discard_plot=plot)
