"""Arms x heads x seeds -> comparison.csv and its pictures."""

from kedro.pipeline import Node, Pipeline

from cross_modal_kd.studies.comparison.nodes import compare_arms, draw_trials, train_arms


def create_pipeline(**_: object) -> Pipeline:
    """Needs what ``projection`` and ``quality`` leave in the catalog."""
    blocks = ["task", "sources", "inputs", "student", "training", "arms", "comparison", "evaluation"]
    data = ["samples", "teacher_embeddings", "projection_mlp", "projection_pca"]
    return Pipeline(
        [
            Node(
                train_arms,
                {name: name for name in [*data, "sample_weights", "comparison_store"]}
                | {name: f"params:{name}" for name in blocks},
                "arm_outcomes",
                name="train_every_arm",
            ),
            Node(draw_trials, ["samples", "params:task", "params:evaluation"], "comparison_trials", name="draw_trials"),
            Node(
                compare_arms,
                {name: name for name in [*data, "arm_outcomes"]}
                | {name: f"params:{name}" for name in ("task", "arms", "comparison", "evaluation")}
                | {"trials": "comparison_trials"},
                ["comparison", "comparison_forest_plot", "comparison_curves_plot", "comparison_distances_plot"],
                name="compare_arms",
            ),
        ],
        tags="comparison",
    )
