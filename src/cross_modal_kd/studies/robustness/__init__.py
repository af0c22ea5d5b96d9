"""The students on damaged test samples."""

from cross_modal_kd.studies.robustness.pipeline import create_pipeline

__all__ = ["create_pipeline"]
