"""The reporting folder of a task -> docs/results/<task>.md and docs/RESULTS.md."""

from kedro.pipeline import Node, Pipeline

from cross_modal_kd.studies.results.nodes import write_results


def create_pipeline(**_: object) -> Pipeline:
    """Takes whatever is there; what is not is listed with the command that makes it."""
    return Pipeline(
        [Node(write_results, ["reporting_folder", "params:task", "params:results"], None, name="write_results")],
        tags="results",
    )
