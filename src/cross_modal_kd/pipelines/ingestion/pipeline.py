"""Raw files to ``samples``, ``rejected_samples``, ``split_summary`` and ``drawn_split``."""

from kedro.pipeline import Node, Pipeline

from cross_modal_kd.pipelines.ingestion.nodes import inspect_and_tell, list_and_tell, split_and_save
from cross_modal_kd.pipelines.stage import bound, stage


def create_pipeline(**_: object) -> Pipeline:
    """List, look at every sample, split.

    Args:
        **_: what Kedro may pass; none is read.

    Returns:
        The stage, tagged ``ingestion``.
    """
    return stage(
        "ingestion",
        [
            Node(
                list_and_tell,
                bound("data_page", params=["task", "sources", "ingestion"]),
                ["candidates", "passed_over", "page"],
                name="list_raw_files",
            ),
            Node(
                inspect_and_tell,
                bound(
                    "candidates",
                    "passed_over",
                    "inspection_cache",
                    "page",
                    params=["sources", "ingestion", "compute"],
                ),
                ["inspected_samples", "unusable_samples"],
                name="inspect_every_sample",
            ),
            Node(
                split_and_save,
                bound(
                    "page",
                    params=["task", "sources", "ingestion"],
                    inspected="inspected_samples",
                    unusable="unusable_samples",
                ),
                ["samples", "rejected_samples", "split_summary", "drawn_split"],
                name="split_samples",
            ),
        ],
    )
