"""Search of each arm's hyper-parameters -> tuning_trials, tuned_arms."""

from kedro.pipeline import Node, Pipeline

from cross_modal_kd.studies.tuning.nodes import tune_arms


def create_pipeline(**_: object) -> Pipeline:
    """Needs what ``projection`` and ``quality`` leave in the catalog."""
    data = ["samples", "teacher_embeddings", "projection_mlp", "projection_pca", "sample_weights", "tuning_store"]
    blocks = ["task", "sources", "inputs", "projection", "student", "training", "arms", "tuning"]
    return Pipeline(
        [
            Node(
                tune_arms,
                {name: name for name in data} | {name: f"params:{name}" for name in blocks},
                ["tuning_trials", "tuned_arms"],
                name="tune_every_arm",
            )
        ],
        tags="tuning",
    )
