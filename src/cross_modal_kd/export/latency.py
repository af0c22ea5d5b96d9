"""How long one sample takes on one core."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from time import perf_counter
from typing import Any

import torch

WARM_UP = 3


def milliseconds(call: Callable[[], Any], runs: int) -> float:
    """Median time of a call, after three that do not count.

    Args:
        call: what is timed.
        runs: that count.

    Returns:
        Milliseconds.
    """
    times = []
    for _ in range(WARM_UP + runs):
        start = perf_counter()
        call()
        times.append(perf_counter() - start)
    return round(1000 * median(times[WARM_UP:]), 3)


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Within it PyTorch computes on one core.

    Yields:
        Nothing.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
