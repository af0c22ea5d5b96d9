"""A node stamped for each study -> a table and a plot each, and regimes.csv; a tag for each alone."""

from kedro.pipeline import Node, Pipeline

from cross_modal_kd.pipelines import stage
from cross_modal_kd.studies import gathering
from cross_modal_kd.studies.regimes.config import SPREAD, STUDIES
from cross_modal_kd.studies.regimes.nodes import gather_world, join_studies, prepare_worlds, study


def create_pipeline(**_: object) -> Pipeline:
    """Needs what ``quality``, ``teacher`` and ``projection`` leave in the catalog.

    Args:
        **_: ignored; Kedro may pass some.

    Returns:
        The nodes that gather the context, one node a study, tagged with its name, and the one that joins them.
    """
    gather = Node(
        gather_world,
        {"context": "study_context", "quality": "params:quality", "teacher": "params:teacher"}
        | {"quality_measures": "quality_measures"},
        "regimes_world",
        name="gather_world",
        tags=STUDIES,
    )
    folds = Node(
        prepare_worlds,
        {"world": "regimes_world", "regimes": "params:regimes", "ingestion": "params:ingestion"}
        | {"store": "regimes_store", "embedding_cache": "embedding_cache"},
        "regimes_worlds",
        name="prepare_worlds",
        tags=STUDIES,
    )
    inputs = {"worlds": "regimes_worlds", "regimes": "params:regimes", "store": "regimes_store"}
    studies = [Node(study(name), inputs, _outputs(name), name=f"study_{name}", tags=name) for name in STUDIES]
    join = Node(join_studies, {name: f"{name}_regime" for name in STUDIES}, "regimes", name="join_studies")
    return gathering.create_pipeline(*STUDIES) + stage("regimes", [gather, folds, *studies, join])


def _outputs(name: str) -> list[str]:
    """What the node of a study leaves."""
    return [f"{name}_regime", f"{name}_regime_plot", *([f"{name}_regime_spread"] if name in SPREAD else [])]
