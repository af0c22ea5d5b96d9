"""What was typed as ``--params``."""

import re
from typing import Any

import click
from omegaconf import OmegaConf

from cross_modal_kd.cli.told import Told, require_read
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
        Told: an item is no ``key=value``, or no YAML; a key is given twice; or this Python misreads what was typed.
    """
    if isinstance(value, dict):
        return value
    require_read(value)
    items = [item.strip() for item in parted(value) if item.strip()]
    for before, item in zip(["", *items], items, strict=False):
        if not item.partition("=")[0].strip() or "=" not in item:
            meant = "" if "=" in item else _with_a_comma(before, item)
            raise Told(
                f"--{param.name}: {meant}" if meant else
                f"--{param.name}: expected key=value, several parted by commas; found {item!r}"
            )  # fmt: skip
        try:
            OmegaConf.from_dotlist([item])
        except Exception as error:
            why = getattr(error, "problem", None) or error
            raise Told(f"--{param.name}: {item!r} cannot be read as YAML ({why}); quote a text") from error
    keys = [item.partition("=")[0].strip() for item in items]
    if twice := sorted({key for key in keys if keys.count(key) > 1}):
        raise Told(f"--{param.name}: {twice[0]} is given {keys.count(twice[0])} times, and one value counts: leave one")
    return OmegaConf.to_container(OmegaConf.from_dotlist(items))


def _with_a_comma(before: str, item: str) -> str:
    """What was probably meant by a comma that parts no two parameters: a decimal comma, or a list.

    Args:
        before: the item before it; empty for none.
        item: without ``=``.

    Returns:
        A sentence; empty where there is nothing before it.
    """
    key, sign, value = before.partition("=")
    if not sign or not value.strip() or set("[]{}'\"") & set(value + item):
        return ""
    found, as_list = f"a comma parts two parameters, found {before},{item}", f"{key}=[{value},{item}]"
    if re.fullmatch(r"[-+]?\d+", value) and re.fullmatch(r"\d+([eE][-+]?\d+)?", item):
        point = f"{found}; a number has a decimal point: {key}={value}.{item}"
        return point if item.startswith("0") else f"{point} (and a list brackets: {as_list})"
    return f"{found}; a list has brackets: {as_list}"
