"""The distillation stage."""

from cross_modal_kd.pipelines.distillation.pipeline import create_pipeline

__all__ = ["create_pipeline"]
