"""The registered model of a task: a version a run; the alias ``champion`` moves to what is better on dev."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

logger = logging.getLogger(__name__)

CHAMPION = "champion"
NAME, VALUE, DATA = "dev.metric", "dev.value", "dev.data"
LONGEST = 90_000


@dataclass(frozen=True)
class Judged:
    """How good a version is.

    Attributes:
        metric: its name.
        value: on the dev split; None where it is not defined.
        larger_is_better: of the metric.
        data: fingerprint of the dev samples: values of others are not comparable.
    """

    metric: str
    value: float | None
    larger_is_better: bool
    data: str

    @property
    def tags(self) -> dict[str, str]:
        """As a version of MLflow carries it."""
        return {NAME: self.metric, VALUE: "" if self.value is None else repr(self.value), DATA: self.data}


def register_version(client: Any, name: str, model_id: str, run_id: str, judged: Judged, description: str = "") -> str:
    """Make a logged model a version of the task's registered model; move the alias where it is better.

    Args:
        client: MLflow's.
        name: of the registered model; it is made where there is none.
        model_id: of the logged model.
        run_id: that has made it.
        judged: how good it is on dev.
        description: shown on the version's page, Markdown.

    Returns:
        The number of the version.
    """
    _require_name(client, name)
    source = client.get_logged_model(model_id).artifact_location  # models:/<id> is looked up at MLflow's global address
    version = client.create_model_version(
        name, source, run_id, tags=judged.tags, description=description[:LONGEST], model_id=model_id
    ).version
    held = _champion(client, name)
    moves, why = better(judged, None if held is None else held.tags)
    if moves:
        client.set_registered_model_alias(name, CHAMPION, version)
        logger.info("models:/%s@%s is version %s now: %s", name, CHAMPION, version, why)
    else:
        by_hand = f"mlflow.MlflowClient().set_registered_model_alias({name!r}, {CHAMPION!r}, {version!r})"
        logger.info(
            "models:/%s@%s stays version %s, this is version %s: %s. `%s` moves it",
            *(name, CHAMPION, held.version if held is not None else "none", version, why, by_hand),
        )
    return str(version)


def better(judged: Judged, champion: Mapping[str, str] | None) -> tuple[bool, str]:
    """Whether a version takes the alias from the one that has it.

    Args:
        judged: the new one.
        champion: tags of the version that has the alias; None where none has.

    Returns:
        Whether it does, and why.
    """
    if judged.value is None:
        return False, f"its {judged.metric} is not defined"
    if champion is None:
        return True, f"the first, {judged.metric} {judged.value:.4g}"
    try:
        before = float(champion.get(VALUE, ""))
    except ValueError:
        return False, f"the champion has no {VALUE} that it could be held against"
    if (champion.get(NAME), champion.get(DATA)) != (judged.metric, judged.data):
        return False, "the champion was judged on other dev samples, so that the two values cannot be compared"
    gain = judged.value - before if judged.larger_is_better else before - judged.value
    said = f"{judged.metric} {judged.value:.4g} after {before:.4g}"
    return gain > 0, said if gain > 0 else f"{said} is no improvement"


def _require_name(client: Any, name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name, description="Students of this task; the champion is the best on dev.")
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _champion(client: Any, name: str) -> Any:
    from mlflow.exceptions import MlflowException

    try:
        return client.get_model_version_by_alias(name, CHAMPION)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        return None
