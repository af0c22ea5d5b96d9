"""Search of each arm's hyper-parameters -> tuning_trials, tuned_arms."""

from kedro.pipeline import Node, Pipeline

from cross_modal_kd.pipelines import stage
from cross_modal_kd.studies import gathering
from cross_modal_kd.studies.tuning.nodes import prepare_searches, tune_arms


def create_pipeline(**_: object) -> Pipeline:
    """Needs what ``projection`` and ``quality`` leave in the catalog.

    Args:
        **_: not used.

    Returns:
        The node of the search, that which prepares its folds, and those that gather its context.
    """
    given = {"tuning": "params:tuning", "store": "tuning_store"}
    blocks = {name: f"params:{name}" for name in ("ingestion", "quality", "teacher")}
    measured = {name: name for name in ("quality_measures", "embedding_cache")}
    folds = Node(
        prepare_searches,
        {"context": "study_context", **given, **blocks, **measured},
        "tuning_folds",
        name="prepare_searches",
    )
    search = Node(
        tune_arms, {"tuning_folds": "tuning_folds", **given}, ["tuning_trials", "tuned_arms"], name="tune_every_arm"
    )
    return gathering.create_pipeline() + stage("tuning", [folds, search])
