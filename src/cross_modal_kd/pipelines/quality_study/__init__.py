"""What the quality measures are worth."""

from cross_modal_kd.pipelines.quality_study.pipeline import create_pipeline

__all__ = ["create_pipeline"]
