"""Arms x projections x seeds -> comparison.csv and its plots."""

from kedro.pipeline import Node, Pipeline

from cross_modal_kd.pipelines import stage
from cross_modal_kd.studies import gathering
from cross_modal_kd.studies.comparison.nodes import compare_arms, draw_comparison, train_arms


def create_pipeline(**_: object) -> Pipeline:
    """Needs what ``projection`` and ``quality`` leave in the catalog.

    Args:
        **_: not used.

    Returns:
        The nodes of the study, and those that gather its context.
    """
    context, comparison = {"context": "study_context"}, {"comparison": "params:comparison"}
    outcomes = {"arm_outcomes": "arm_outcomes"}
    study = stage(
        "comparison",
        [
            Node(
                train_arms,
                context | comparison | {"store": "comparison_store"},
                "arm_outcomes",
                name="train_every_arm",
            ),
            Node(compare_arms, context | comparison | outcomes, "comparison", name="compare_arms"),
            Node(
                draw_comparison,
                context | outcomes | {"table": "comparison"},
                [f"comparison_{plot}_plot" for plot in ("forest", "curves", "distances")],
                name="draw_comparison",
            ),
        ],
    )
    return gathering.create_pipeline() + study
