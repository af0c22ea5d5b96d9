"""What was found, written up from the reported files."""

from cross_modal_kd.studies.results.pipeline import create_pipeline

__all__ = ["create_pipeline"]
