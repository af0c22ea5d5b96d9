"""Where a dotted key of ``tuning.space`` leads inside an arm."""

from typing import Any

from cross_modal_kd.config import ArmConfig


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
    content = arm.model_dump()
    block, last = block_of(content, key)
    block[last] = value
    return ArmConfig(**content)


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
            raise ValueError(f"tuning.space: {key!r} leads nowhere, there is no block {part!r} among {sorted(content)}")
        content = content[part]
    if last not in content:
        raise ValueError(
            f"tuning.space: {key!r} names no key of the arm; expected one of: {', '.join(sorted(content))}"
        )
    return content, last
