"""A list of trials, scored from saved embeddings."""

from cross_modal_kd.pipelines.score_trials.pipeline import create_pipeline

__all__ = ["create_pipeline"]
