"""Raw files to the validated samples table."""

from cross_modal_kd.pipelines.ingestion.pipeline import create_pipeline

__all__ = ["create_pipeline"]
