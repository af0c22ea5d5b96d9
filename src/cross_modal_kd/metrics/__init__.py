"""Metrics of a student: NumPy in, plain values out. Imports nothing else of this package."""

from cross_modal_kd.metrics.bootstrap import (
    VerificationBootstrap,
    bootstrap_mean,
    bootstrap_statistic,
    bootstrap_verification,
    cluster_weights,
    without_bias,
)
from cross_modal_kd.metrics.classification import calibration_error, in_top_k, macro_f1, top_k_accuracy
from cross_modal_kd.metrics.cosines import Cosines, cosine_scores
from cross_modal_kd.metrics.evidence import NARROW, Evidence, Least, weakest
from cross_modal_kd.metrics.few_shot import FewShot, few_shot
from cross_modal_kd.metrics.identification import Identification, identification
from cross_modal_kd.metrics.intervals import (
    Interval,
    joined_interval,
    mean_interval,
    paired_difference,
    percentile_interval,
    relative_reduction,
)
from cross_modal_kd.metrics.matching import (
    Matching,
    MatchPlaces,
    average_precision,
    match_places,
    matching_auc,
    one_of_n,
)
from cross_modal_kd.metrics.metric_set import Metric, MetricSet
from cross_modal_kd.metrics.operating_points import OperatingPoints
from cross_modal_kd.metrics.pairwise import pairwise_eer
from cross_modal_kd.metrics.rows import alike_rows, first_of_each, unit_rows
from cross_modal_kd.metrics.score_norm import CohortScores, cohort_scores, normalised_scores
from cross_modal_kd.metrics.sorted_scores import SortedScores
from cross_modal_kd.metrics.verification import det_curve, eer, eer_at, min_dcf, min_dcf_at, roc_auc, roc_auc_at

__all__ = [
    "NARROW",
    "CohortScores",
    "Cosines",
    "Evidence",
    "FewShot",
    "Identification",
    "Interval",
    "Least",
    "MatchPlaces",
    "Matching",
    "Metric",
    "MetricSet",
    "OperatingPoints",
    "SortedScores",
    "VerificationBootstrap",
    "alike_rows",
    "average_precision",
    "bootstrap_mean",
    "bootstrap_statistic",
    "bootstrap_verification",
    "calibration_error",
    "cluster_weights",
    "cohort_scores",
    "cosine_scores",
    "det_curve",
    "eer",
    "eer_at",
    "few_shot",
    "first_of_each",
    "identification",
    "in_top_k",
    "joined_interval",
    "macro_f1",
    "match_places",
    "matching_auc",
    "mean_interval",
    "min_dcf",
    "min_dcf_at",
    "normalised_scores",
    "one_of_n",
    "paired_difference",
    "pairwise_eer",
    "percentile_interval",
    "relative_reduction",
    "roc_auc",
    "roc_auc_at",
    "top_k_accuracy",
    "unit_rows",
    "without_bias",
    "weakest",
]
