"""How far a long work is: a bar on a terminal, a line of the log now and then where nobody looks."""

import logging
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm import tqdm

logger = logging.getLogger(__name__)

SECONDS = 60.0
LINE = "{desc}: {n_fmt} of {total_fmt}{unit}, after {elapsed}, about {remaining} to go{postfix}"


class _Log:
    """A stream that writes each line to the log; what only moves a cursor is passed over."""

    def write(self, text: str) -> None:
        if line := text.strip("\r\n \x1b[A"):
            logger.info(line)

    def flush(self) -> None:
        """Nothing is kept back."""


def progress_bar(
    iterable: Iterable[Any] | None = None, *, desc: str, unit: str = "", total: int | None = None, **options: Any
) -> "tqdm[Any]":
    """A tqdm bar where the error stream is a terminal; else a line of the log each minute, none in the first.

    Args:
        iterable: what is gone through, if the bar shall count by itself.
        desc: what is done.
        unit: what is counted, in the singular.
        total: how many there are.
        **options: of tqdm, for a terminal: ``initial`` and ``disable`` count everywhere.

    Returns:
        The bar, to be closed or used in ``with``.
    """
    from tqdm import tqdm

    if total is None and hasattr(iterable, "__len__"):
        total = len(iterable)  # type: ignore[arg-type]
    if sys.stderr.isatty():
        return tqdm(iterable, desc=desc, unit=unit, total=total, **options)
    kept: dict[str, Any] = {name: options[name] for name in ("initial", "disable") if name in options}
    slow: dict[str, Any] = {"mininterval": SECONDS, "delay": SECONDS, "miniters": 0, "leave": False, **kept}
    many = f" {unit}s" if unit else ""
    return tqdm(iterable, desc=desc, unit=many, total=total, file=_Log(), bar_format=LINE, **slow)
