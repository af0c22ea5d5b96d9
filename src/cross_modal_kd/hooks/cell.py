"""The end of a notebook's cell, which is the end of the run in it, whatever stopped that.

Kedro says nothing to its hooks of an interrupt, nor of a hook's own error, and the process lives on.
"""

import sys
from collections.abc import Callable
from typing import Any


def at_end_of_cell(action: Callable[[], None]) -> None:
    """Do something once, when the cell that runs now has ended; nothing outside of a notebook or IPython.

    Args:
        action: takes nothing, and may be done twice.
    """
    shell: Any = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None:
        return

    def once(*_: object) -> None:
        shell.events.unregister("post_run_cell", once)
        action()

    shell.events.register("post_run_cell", once)
