"""The projection stage."""

from cross_modal_kd.pipelines.projection.pipeline import create_pipeline

__all__ = ["create_pipeline"]
