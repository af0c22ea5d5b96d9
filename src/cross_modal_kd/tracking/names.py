"""How a run is called, so that two can be told apart, and which arms it has to do with."""

from collections.abc import Iterable, Mapping
from typing import Any

from cross_modal_kd.tracking.flatten import leaves

ARM_KEYS = ("arm", "arms", "baseline")  # parameters whose values are names of arms
SPACE = "space"  # below it, the names of arms are keys
FROM_COMPARISON = "from_comparison"
NOT_NAMED = ("data_root", "distillation.arm", "training.seed")  # --params that a name does without, or has already
DEFAULT = "distill"
LONGEST_RUN_NAME = 180


def named_arms(params: Mapping[str, Any]) -> list[str]:
    """The arms that parameters name, in their order, each once.

    Args:
        params: Blocks by name, without the block ``arms`` itself.

    Returns:
        Values of ``arm``, ``arms`` and ``baseline`` wherever they stand, and the keys of a ``space``.

    >>> named_arms({"distillation": {"baseline": "none", "arm": "rkd"}, "tuning": {"space": {"kd": {"weight": 1}}}})
    ['none', 'rkd', 'kd']
    """
    found: list[str] = []
    for name, value in leaves(params):
        *above, last = name.split(".")
        if last in ARM_KEYS:
            found += [value] if isinstance(value, str) else value or []
        if SPACE in above:
            found.append(name.split(".")[above.index(SPACE) + 1])
    return list(dict.fromkeys(found))


def without_other_arms(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters without the arms that the run does not use.

    Args:
        params: Blocks by name; ``arms`` may be one of them.

    Returns:
        The same, and of ``arms`` those that another block names; all of them where none is named.
    """
    params = _without_unread(params)
    others = {name: value for name, value in params.items() if name != "arms"}
    arms: Any = params.get("arms")
    arms = arms.model_dump(mode="json") if hasattr(arms, "model_dump") else arms
    used = named_arms(others)
    if not isinstance(arms, Mapping) or not used:
        return dict(params)
    return {**params, "arms": {name: arm for name, arm in arms.items() if name in used}}


def _without_unread(params: Mapping[str, Any]) -> dict[str, Any]:
    """Without the block ``comparison`` where the only block that could read it says ``from_comparison: false``."""
    flags = [value for name, value in leaves(params) if name.rpartition(".")[2] == FROM_COMPARISON]
    unread = bool(flags) and not any(flags)
    return {name: value for name, value in params.items() if not (unread and name == "comparison")}


def run_name(task: str, pipeline: str, params: Mapping[str, Any], changed: Mapping[str, Any]) -> str:
    """Pipeline, arm, seed, task, and what ``--params`` has changed beside them.

    MLflow's list cuts names short: what tells runs of one task apart comes first, and ``distill`` is not said.

    Args:
        task: Its name, with the environment where that is called otherwise; empty where there is none.
        pipeline: Its name, and after a space the tags of the nodes that run.
        params: Blocks that the run takes, by name.
        changed: What was given with ``--params``, nested or with dotted names.

    Returns:
        One line of at most 180 characters.

    >>> params = {"distillation": {"arm": "rkd", "baseline": "none"}, "training": {"seed": 3, "epochs": 9}}
    >>> run_name("near_twins", "distill", params, {"training": {"seed": 3, "epochs": 9}})
    'rkd, seed 3, near_twins, training.epochs=9'
    >>> run_name("near_twins", "comparison", {"comparison": {"arms": ["none", "rkd"], "seeds": [0, 1]}}, {})
    'comparison, 2 arms, seeds 0 1, near_twins'
    """
    flat = dict(leaves(params))
    given = [f"{name}={value}" for name, value in leaves(changed) if name not in NOT_NAMED] if changed else []
    shown = "" if pipeline == DEFAULT else pipeline
    parts = [shown, _arms(params, flat), _seeds(pipeline.partition(" ")[0], flat), task, *given]
    return ", ".join(filter(None, parts))[:LONGEST_RUN_NAME]


def child_name(task: str | None, parts: Iterable[Any]) -> str:
    """How a run below another is called.

    Args:
        task: That of the run above; None where it has none.
        parts: What tells it from its siblings.

    Returns:
        One line.
    """
    return ", ".join(str(part) for part in (*parts, task) if part not in (None, ""))


def _arms(params: Mapping[str, Any], flat: Mapping[str, Any]) -> str:
    """The one arm that is distilled, or how many are compared."""
    if "distillation.arm" in flat:
        return str(flat["distillation.arm"])
    named = named_arms({name: value for name, value in params.items() if name != "arms"})
    return f"{len(named)} arms" if len(named) > 1 else "".join(named)


def _seeds(pipeline: str, flat: Mapping[str, Any]) -> str:
    """Those of a study, or the training's."""
    for name in (f"{pipeline}.seeds", f"{pipeline}.seed", "training.seed"):
        if name in flat:
            value = flat[name]
            return f"seeds {' '.join(map(str, value))}" if isinstance(value, list | tuple) else f"seed {value}"
    return ""
