"""The tuning pipeline."""

from cross_modal_kd.studies.tuning.pipeline import create_pipeline

__all__ = ["create_pipeline"]
