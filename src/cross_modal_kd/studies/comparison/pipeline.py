"""Arms x projections x seeds -> comparison.csv, its plots and its page."""

from kedro.pipeline import Node, Pipeline

from cross_modal_kd.pipelines import stage
from cross_modal_kd.studies import gathering
from cross_modal_kd.studies.comparison.nodes import (
    compare_arms,
    draw_comparison,
    train_arms,
    write_comparison,
)
from cross_modal_kd.studies.config import ComparisonConfig


def create_pipeline(**_: object) -> Pipeline:
    """Needs what ``projection`` and ``quality`` leave in the catalog.

    Args:
        **_: not used.

    Returns:
        The nodes of the study, and those that gather its context.
    """
    context, comparison = {"context": "study_context"}, {"comparison": "params:comparison"}
    folds, store = {"comparison_folds": "comparison_folds"}, {"store": "comparison_store"}
    outcomes = {"arm_outcomes": "arm_outcomes"}
    plots = [f"comparison_{plot}_plot" for plot in ("forest", "curves", "distances")]
    page = {"table": "comparison"} | {name: name for name in ("comparison_metrics", "comparison_images")}
    study = stage(
        "comparison",
        [
            gathering.prepare_folds("comparison", ComparisonConfig),
            Node(
                train_arms,
                folds | comparison | store,
                "arm_outcomes",
                name="train_every_arm",
            ),
            Node(
                compare_arms,
                folds | comparison | outcomes,
                ["comparison", "comparison_metrics"],
                name="compare_arms",
            ),
            Node(
                draw_comparison,
                context | outcomes | {"table": "comparison"},
                [*plots, "comparison_images"],
                name="draw_comparison",
            ),
            Node(
                write_comparison,
                page | comparison | {"task": "params:task"},
                "comparison_page",
                name="write_comparison",
            ),
        ],
    )
    return gathering.create_pipeline() + study
