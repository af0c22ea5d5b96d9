"""Raw files to the validated samples table."""

from cross_modal_kd.pipelines.ingestion.nodes import list_ahead
from cross_modal_kd.pipelines.ingestion.pipeline import create_pipeline

__all__ = ["create_pipeline", "list_ahead"]
