"""The packaged student on files of somebody's own."""

from cross_modal_kd.pipelines.score.pipeline import create_pipeline

__all__ = ["create_pipeline"]
