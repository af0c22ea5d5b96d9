"""How parameters of an environment, and those of ``--params``, lie over those of conf/base.

Key by key, with two exceptions, so that nothing of one thing is taken for another's: what belongs to a choice (the
options of an encoder) goes with the choice, and another task is not the default task with some keys changed.
"""

from collections.abc import Mapping
from typing import Any, Literal

from cross_modal_kd.config.errors import ConfigError
from cross_modal_kd.config.registered import check_modality, check_student, default_of, libraries_of

# Blocks, and the keys that choose what the rest of the block is about. Where the block above changes one of these, the
# rest of the block below is left out; * is any name.
CHOICES: dict[tuple[str, ...], tuple[str, ...]] = {
    ("student", "encoder"): ("library", "name"),
    ("teacher", "encoder"): ("library", "name"),
    ("sources", "*"): ("layout",),
    ("arms", "*", "constraints", "*"): ("kind",),
}

# What stays beside a new choice: where data lies does not depend on how it is laid out.
STAYS = ("root",)

# What a block `task` must say for itself: nothing of the default task stands in for it.
SAID_BY_A_TASK = {
    "kind": "verification or classification",
    "student": "the modality that the student takes",
    "teacher": "the modality that the teacher takes",
}

ROLES: tuple[Literal["student", "teacher"], ...] = ("student", "teacher")

Parameters = Mapping[str, Any]


def overlay(under: Parameters, over: Parameters, path: tuple[str, ...] = ()) -> dict[str, Any]:
    """Two mappings as one, key by key; a block whose choice changes (``CHOICES``) keeps nothing of the old one.

    Args:
        under: The values below.
        over: Those above, which win.
        path: Where in the parameters both stand.

    Returns:
        A mapping of its own; lists are taken whole.

    >>> below = {"student": {"encoder": {"library": "timm", "name": "a", "options": {"x": 1}}, "scale": 16}}
    >>> overlay(below, {"student": {"encoder": {"name": "b"}}})
    {'student': {'encoder': {'library': 'timm', 'name': 'b'}, 'scale': 16}}
    """
    merged = _without_the_old_choice(under, over, path)
    for key, value in over.items():
        below = merged.get(key)
        both = isinstance(value, Mapping) and isinstance(below, Mapping)
        merged[key] = overlay(below, value, (*path, str(key))) if both else value  # type: ignore[arg-type]
    return merged


def _without_the_old_choice(under: Parameters, over: Parameters, path: tuple[str, ...]) -> dict[str, Any]:
    """What stays of ``under``: all of it, or the choice alone where ``over`` chooses anew."""
    keys = next((keys for pattern, keys in CHOICES.items() if _matches(path, pattern)), ())
    if any(key in over and key in under and over[key] != under[key] for key in keys):
        return {key: under[key] for key in (*keys, *STAYS) if key in under}
    return dict(under)


def _matches(path: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    return len(path) == len(pattern) and all(want in ("*", found) for found, want in zip(path, pattern, strict=True))


def is_another_task(environment: Parameters) -> bool:
    """Whether an environment says what is learnt, or from which data: then it is not the default task.

    Args:
        environment: Its own parameters alone.

    Returns:
        True where it has a block ``task`` or ``sources``.
    """
    return bool(environment.get("task") or environment.get("sources"))


def compose(base: Parameters, environment: Parameters, runtime: Parameters, where: str) -> dict[str, Any]:
    """The parameters of a run.

    An environment with a block ``task`` is another task: of the default one it takes neither ``task`` nor ``sources``,
    and for the encoders of student and teacher those that their modalities start from. One with ``sources`` alone asks
    the default task's question of other data: title and note, which speak of the data, are left out. In both cases the
    frozen split is left out too, which is one of the default task's data.

    Args:
        base: Of conf/base.
        environment: Of the environment alone; empty where there is none.
        runtime: Of ``--params``.
        where: The environment's parameter files, for errors.

    Returns:
        All of it as one mapping.

    Raises:
        ConfigError: The environment is another task and lacks a key that no other may stand in for, or names a
            modality that there is not.
    """
    under = dict(base)
    if environment.get("task"):
        own = overlay(environment, runtime)
        _require_a_task(own, where)
        under = _for_another_task(base, own["task"])
        _require_encoders(overlay(under, own), where)
    elif environment.get("sources"):
        told = {key: value for key, value in base.get("task", {}).items() if key not in ("title", "note")}
        under = {**_without_frozen_split(base), "task": told, "sources": {}}
    return overlay(overlay(under, environment), runtime)


def _require_a_task(own: Parameters, where: str) -> None:
    """ConfigError for what another task does not say, and for a modality that there is not."""
    task = own["task"]
    if not isinstance(task, Mapping):
        raise ConfigError(f"{where}: task is a block ({', '.join(SAID_BY_A_TASK)} and more), found {task!r}")
    lacking = [f"task.{key} ({meaning})" for key, meaning in SAID_BY_A_TASK.items() if task.get(key) is None]
    if not own.get("sources"):
        lacking.append("sources (a name of your choice for each, with its layout and root)")
    if lacking:
        raise ConfigError(
            f"{where}: a block `task` makes this another task than conf/base's, of which it takes neither `task` nor "
            f"`sources`. Lacking: {'; '.join(lacking)}"
        )
    try:
        check_student(task["student"])
        check_modality(task["teacher"])
    except ValueError as error:
        raise ConfigError(f"{where}: {error}") from error


def _for_another_task(base: Parameters, task: Parameters) -> dict[str, Any]:
    """conf/base without what is the default task's own; encoders are those that the task's modalities start from."""
    under = {name: block for name, block in _without_frozen_split(base).items() if name not in ("task", "sources")}
    for role in ROLES:
        kept = {key: value for key, value in base.get(role, {}).items() if key not in ("encoder", "pretrained")}
        under[role] = overlay(kept, default_of(role, str(task[role])))
    return under


def _without_frozen_split(base: Parameters) -> dict[str, Any]:
    ingestion = base.get("ingestion", {})
    split = {key: value for key, value in ingestion.get("split", {}).items() if key != "frozen"}
    return {**base, "ingestion": {**ingestion, "split": split}} if "split" in ingestion else dict(base)


def _require_encoders(merged: Parameters, where: str) -> None:
    """ConfigError where a modality has no encoder that a task starts from, and the task names none."""
    for role in ROLES:
        encoder = merged[role].get("encoder", {}) if isinstance(merged[role], Mapping) else None
        if not isinstance(encoder, Mapping):
            continue  # what it should be is for its model to say
        lacking = [f"{role}.encoder.{key}" for key in ("library", "name") if not encoder.get(key)]
        modality = merged["task"][role]
        if lacking:
            raise ConfigError(
                f"{where}: lacking {' and '.join(lacking)}; no encoder of {modality} is the one to start from. Its "
                f"libraries: {', '.join(libraries_of(modality))}"
            )
