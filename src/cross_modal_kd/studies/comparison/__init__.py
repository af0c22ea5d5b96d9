"""The comparison pipeline."""

from cross_modal_kd.studies.comparison.pipeline import create_pipeline

__all__ = ["create_pipeline"]
