"""The tuning pipeline."""

from cross_modal_kd.pipelines.tuning.pipeline import create_pipeline

__all__ = ["create_pipeline"]
