"""The students at work: packaged, and the distilled one without this package."""

from cross_modal_kd.pipelines.deployment.dataset import PackagedStudentDataset
from cross_modal_kd.pipelines.deployment.pipeline import create_pipeline, packaging

__all__ = ["PackagedStudentDataset", "create_pipeline", "packaging"]
