"""The teacher stage."""

from cross_modal_kd.pipelines.teacher.pipeline import create_pipeline

__all__ = ["create_pipeline"]
