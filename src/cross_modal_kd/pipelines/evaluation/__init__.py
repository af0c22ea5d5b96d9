"""The two students on the test split: trials, embeddings, metrics with intervals, plots and the report."""

from cross_modal_kd.pipelines.evaluation.pipeline import create_pipeline

__all__ = ["create_pipeline"]
