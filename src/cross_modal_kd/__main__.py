"""``python -m cross_modal_kd`` and ``cross-modal-kd``: ``kedro run`` for the installed package."""

import sys
from pathlib import Path
from typing import Any

from kedro.framework.cli.utils import find_run_command
from kedro.framework.project import configure_project


def main(*args: Any, **kwargs: Any) -> Any:
    """Run the pipelines with the options of ``kedro run``, from a folder that holds ``conf/`` and ``data/``.

    Args:
        *args: of the click command; none takes those of the command line.
        **kwargs: of the click command.

    Returns:
        What ``kedro run`` gives back; where Python is not interactive the process ends before.
    """
    package_name = Path(__file__).parent.name
    configure_project(package_name)
    kwargs["standalone_mode"] = not hasattr(sys, "ps1")
    return find_run_command(package_name)(*args, **kwargs)


if __name__ == "__main__":
    main()
