"""Where a dotted key leads inside an arm: what is searched there, and what was found."""

from typing import Any

from pydantic import ValidationError

from cross_modal_kd.config import ArmConfig, first_errors


def with_value(arm: ArmConfig, key: str, value: Any) -> ArmConfig:
    """The arm with one dotted key set.

    Args:
        arm: as configured.
        key: ``constraints.feature.weight``.
        value: what it becomes.

    Returns:
        Another arm.

    Raises:
        ValueError: the key leads nowhere, or the arm takes no such value.
    """
    content = content_of(arm)
    block, last = block_of(content, key)
    block[last] = value
    return ArmConfig(**content)


def misfit(arm: ArmConfig, key: str, value: Any) -> str:
    """Why a value cannot be set; empty where it can.

    Args:
        arm: as configured.
        key: dotted, inside the arm.
        value: for it.

    Returns:
        Half a sentence that names the key.
    """
    try:
        with_value(arm, key, value)
    except ValidationError as error:
        return f"{key!r} cannot be {value}: {first_errors(error)}"
    except ValueError as error:
        return str(error)
    return ""


def content_of(arm: ArmConfig) -> dict[str, Any]:
    """An arm as nested mappings, with every key that it can have.

    Args:
        arm: as configured.

    Returns:
        Its dump, and null for what the dump leaves out.
    """
    return dict.fromkeys(ArmConfig.model_fields) | arm.model_dump()


def block_of(content: dict[str, Any], key: str) -> tuple[dict[str, Any], str]:
    """The innermost block that a dotted key leads to.

    Args:
        content: an arm as nested mappings.
        key: dotted.

    Returns:
        The block, and the key's last part.

    Raises:
        ValueError: a part of the key that is not there.
    """
    *path, last = key.split(".")
    for part in path:
        if not isinstance(content.get(part), dict):
            raise ValueError(f"{key!r} leads nowhere, there is no block {part!r} among {sorted(content)}")
        content = content[part]
    if last not in content:
        raise ValueError(f"{key!r} names no key of the arm; expected one of: {', '.join(sorted(content))}")
    return content, last
