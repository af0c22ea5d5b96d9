"""Quality of the samples, and the weights made of it."""

from cross_modal_kd.pipelines.quality.pipeline import create_pipeline

__all__ = ["create_pipeline"]
