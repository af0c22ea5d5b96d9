"""Metrics as they are printed: error rates and shares in percent, everything else as it is."""

import math
import re
from numbers import Integral, Real
from typing import Any

from cross_modal_kd.evaluation import legends
from cross_modal_kd.plotting import typeset

NOTHING = "\N{EN DASH}"
PERCENT = re.compile(
    r"(error|teacher_error|eer|top[15]|macro_f1|calibration_error|identification|matching_1_|open_vocabulary|few_shot_|difference|relative_reduction|"
    r"active_fraction|share|dev$|dev_|random_)"
)
RAW = (*(name for name, legend in legends().items() if not legend.percent), "rank_correlation")


def in_percent(name: str) -> bool:
    """Whether a metric of that name is a share that is printed in percent.

    Args:
        name: of a metric or of a column, whose beginning decides.

    Returns:
        False for a name that is not known.

    >>> in_percent("relative_reduction_to_baseline"), in_percent("min_dcf_01"), in_percent("eer_seen")
    (True, False, True)
    """
    return not name.startswith(RAW) and PERCENT.match(name) is not None


def number(name: str, value: Any) -> str:
    """One number: a share in percent with one decimal, a whole number whole, another with three decimals below 10.

    Args:
        name: of the metric, see ``in_percent``; one that the legends show in no percent has three decimals always.
        value: a number; a share where ``name`` is printed in percent.

    Returns:
        The number with a true minus sign; a dash for None and NaN; what is no number, as text.

    >>> number("error", 0.0856), number("seeds", 3), number("min_dcf_01", 0.51234), number("arm", "none")
    ('8.6', '3', '0.512', 'none')
    """
    if value is None or (isinstance(value, Real) and not isinstance(value, Integral) and math.isnan(value)):
        return NOTHING
    if isinstance(value, bool) or not isinstance(value, Real):
        return str(value)
    if in_percent(name):
        return typeset(f"{100 * value:.1f}")
    if name.startswith(RAW):
        return typeset(f"{value:.3f}")
    plain = float(value)
    if plain.is_integer():
        return typeset(f"{int(plain)}")
    return typeset(f"{plain:.3f}" if abs(plain) < 10 else f"{plain:.4g}")


def with_interval(name: str, value: Any, low: Any, high: Any) -> str:
    """A number and its interval.

    Args:
        name: of the metric, see ``number``.
        value: of the metric.
        low: lower end, in its unit.
        high: upper end, in its unit.

    Returns:
        ``value [low, high]``; the value alone where it or an end is None or NaN.

    >>> with_interval("error", 0.084, 0.08, 0.089)
    '8.4 [8.0, 8.9]'
    """
    shown = number(name, value)
    if shown == NOTHING or NOTHING in (ends := [number(name, low), number(name, high)]):
        return shown
    return f"{shown} [{', '.join(ends)}]"
