"""The arms of an interval about its value, and its colour."""

from collections.abc import Mapping
from typing import Any

from cross_modal_kd.plotting import ALONE, DISTILLED, IMPOSTOR


def arms_of_interval(interval: Mapping[str, Any]) -> list[float]:
    """How far the ends lie from the value, as error bars take it.

    Args:
        interval: value, low and high, shares; its ends are None where there is no interval.

    Returns:
        Both distances in percent, 0 or above; 0 where there is no interval.
    """
    if interval["low"] is None:
        return [0.0, 0.0]
    return [max(100 * (sign * (interval["value"] - interval[end])), 0.0) for sign, end in ((1, "low"), (-1, "high"))]


def colour_of_gain(interval: Mapping[str, Any]) -> str:
    """The colour of a gain: above zero is better.

    Args:
        interval: its low and high; None where there is no interval.

    Returns:
        That of the distilled student, that of what is worse, or grey where zero is inside or there is no interval.
    """
    if interval["low"] is None:
        return ALONE
    return DISTILLED if interval["low"] > 0 else IMPOSTOR if interval["high"] < 0 else ALONE
