"""Eight studies -> regimes.csv, a table and a picture each; a tag for each alone."""

from kedro.pipeline import Node, Pipeline

from cross_modal_kd.studies.regimes.nodes import (
    gather_world,
    join_studies,
    study_crossfit,
    study_labels,
    study_length,
    study_noise,
    study_teacher,
    study_variants,
    study_weight,
    study_width,
)

STUDIES = {
    "labels": study_labels,
    "teacher": study_teacher,
    "noise": study_noise,
    "width": study_width,
    "length": study_length,
    "weight": study_weight,
    "crossfit": study_crossfit,
    "variants": study_variants,
}


def create_pipeline(**_: object) -> Pipeline:
    """Needs what ``quality``, ``teacher`` and ``projection`` leave in the catalog."""
    blocks = [
        *("task", "sources", "inputs", "quality", "projection", "student", "training", "arms", "evaluation"),
    ]
    data = [
        *("samples", "quality_measures", "teacher_model", "teacher_embeddings"),
        *("projection_mlp", "projection_pca", "sample_weights"),
    ]
    gather = Node(
        gather_world,
        {name: name for name in data} | {name: f"params:{name}" for name in blocks},
        "regimes_world",
        name="gather_world",
        tags=list(STUDIES),
    )
    studies = [
        Node(
            function,
            ["regimes_world", "params:regimes", "regimes_store"],
            [f"{study}_regime", f"{study}_regime_plot"],
            name=f"study_{study}",
            tags=study,
        )
        for study, function in STUDIES.items()
    ]
    join = Node(join_studies, {study: f"{study}_regime" for study in STUDIES}, "regimes", name="join_studies")
    return Pipeline([gather, *studies, join], tags="regimes")
