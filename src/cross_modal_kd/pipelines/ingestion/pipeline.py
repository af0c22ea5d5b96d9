"""The ingestion pipeline."""

from kedro.pipeline import Node, Pipeline

from cross_modal_kd.pipelines.ingestion.nodes import inspect_samples, read_sources, split_samples


def create_pipeline(**_kwargs) -> Pipeline:
    """Raw files to ``samples``, ``rejected_samples`` and ``split_summary``."""
    return Pipeline(
        [
            Node(
                read_sources,
                inputs=["params:task", "params:sources", "params:ingestion"],
                outputs=["candidates", "passed_over"],
                name="list_raw_files",
                tags="ingestion",
            ),
            Node(
                inspect_samples,
                inputs=["candidates", "passed_over", "params:sources", "params:ingestion"],
                outputs=["inspected_samples", "unusable_samples"],
                name="inspect_every_sample",
                tags="ingestion",
            ),
            Node(
                split_samples,
                inputs=["inspected_samples", "unusable_samples", "params:task", "params:ingestion"],
                outputs=["samples", "rejected_samples", "split_summary"],
                name="split_samples",
                tags="ingestion",
            ),
        ]
    )
