"""What the quality measures are worth."""

from cross_modal_kd.studies.quality.pipeline import create_pipeline

__all__ = ["create_pipeline"]
