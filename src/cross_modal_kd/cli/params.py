"""What was typed as ``--params``."""

from typing import Any

import click
from omegaconf import OmegaConf

from cross_modal_kd.cli.told import Told
from cross_modal_kd.tracking import parted


def split_params(_: click.Context, param: Any, value: Any) -> Any:
    """``a.b=1,c=[2,3]`` as nested values; commas inside brackets and quotes part nothing.

    Args:
        _: click's.
        param: The option.
        value: What was typed, or a mapping of ``--config``.

    Returns:
        A mapping; each value is read as YAML.

    Raises:
        Told: an item is no ``key=value``, or no YAML.
    """
    if isinstance(value, dict):
        return value
    items = [item.strip() for item in parted(value) if item.strip()]
    for item in items:
        if not item.partition("=")[0].strip() or "=" not in item:
            raise Told(f"--{param.name}: expected key=value, several parted by commas; found {item!r}")
        try:
            OmegaConf.from_dotlist([item])
        except Exception as error:
            why = getattr(error, "problem", None) or error
            raise Told(f"--{param.name}: {item!r} cannot be read as YAML ({why}); quote a text") from error
    return OmegaConf.to_container(OmegaConf.from_dotlist(items))
