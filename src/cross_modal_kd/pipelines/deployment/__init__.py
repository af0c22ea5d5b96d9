"""The distilled student without this package."""

from cross_modal_kd.pipelines.deployment.pipeline import create_pipeline

__all__ = ["create_pipeline"]
