"""The named pipelines: nine stages, ``distill`` (in one go, of deployment the packaging), and the studies."""

from kedro.pipeline import Pipeline

from cross_modal_kd.pipelines import (
    deployment,
    distillation,
    evaluation,
    ingestion,
    projection,
    quality,
    score,
    score_trials,
    teacher,
)
from cross_modal_kd.studies import comparison, regimes, results, robustness, tuning
from cross_modal_kd.studies import quality as quality_study


def register_pipelines() -> dict[str, Pipeline]:
    """Each stage runs alone from what the catalog holds; ``__default__`` is ``distill``."""
    stages = {
        "ingestion": ingestion.create_pipeline(),
        "quality": quality.create_pipeline(),
        "teacher": teacher.create_pipeline(),
        "projection": projection.create_pipeline(),
        "distillation": distillation.create_pipeline(),
        "evaluation": evaluation.create_pipeline(),
    }
    distill = sum([*stages.values(), deployment.packaging()], Pipeline([]))
    stages |= {"deployment": deployment.create_pipeline(), "score": score.create_pipeline()}
    stages |= {"score_trials": score_trials.create_pipeline()}
    studies = {
        "comparison": comparison.create_pipeline(),
        "tuning": tuning.create_pipeline(),
        "quality_study": quality_study.create_pipeline(),
        "regimes": regimes.create_pipeline(),
        "robustness": robustness.create_pipeline(),
        "results": results.create_pipeline(),
    }
    return {**stages, **studies, "distill": distill, "__default__": distill}
