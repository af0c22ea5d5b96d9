"""The reporting folder of a task -> docs/results/<task>.md and docs/RESULTS.md."""

from kedro.pipeline import Node, Pipeline

from cross_modal_kd.pipelines import stage
from cross_modal_kd.studies.results.nodes import write_results


def create_pipeline(**_: object) -> Pipeline:
    """Takes whatever is there; what is not is listed with the command that makes it.

    Args:
        **_: not used.

    Returns:
        The one node, which writes files and no dataset.
    """
    blocks = {name: f"params:{name}" for name in ("task", "evaluation", "results")}
    inputs = {"folder": "reporting_folder", **blocks}
    return stage("results", [Node(write_results, inputs, None, name="write_results")])
