"""Search of each arm's hyper-parameters -> tuning_trials, tuned_arms."""

from kedro.pipeline import Node, Pipeline

from cross_modal_kd.pipelines import stage
from cross_modal_kd.studies import gathering
from cross_modal_kd.studies.tuning.config import TuningConfig
from cross_modal_kd.studies.tuning.nodes import tune_arms


def create_pipeline(**_: object) -> Pipeline:
    """Needs what ``projection`` and ``quality`` leave in the catalog.

    Args:
        **_: not used.

    Returns:
        The node of the search, that which prepares its folds, and those that gather its context.
    """
    inputs = {"tuning_folds": "tuning_folds", "tuning": "params:tuning", "store": "tuning_store"}
    search = Node(tune_arms, inputs, ["tuning_trials", "tuned_arms"], name="tune_every_arm")
    return gathering.create_pipeline() + stage("tuning", [gathering.prepare_folds("tuning", TuningConfig), search])
