"""``python -m cross_modal_kd`` and ``cross-modal-kd``: ``kedro run`` for the installed package, and other commands."""

import sys
from pathlib import Path
from typing import Any

from kedro.framework.cli.utils import find_run_command
from kedro.framework.project import configure_project

from cross_modal_kd.cli import cli


def main(*args: Any, **kwargs: Any) -> Any:
    """Run the pipelines with the options of ``kedro run``, from a folder that holds ``conf/`` and ``data/``.

    Where the first word is the name of another command (``compare``), that is run.

    Args:
        *args: of the click command; none takes those of the command line.
        **kwargs: of the click command.

    Returns:
        What the command gives back; where Python is not interactive the process ends before.
    """
    package_name = Path(__file__).parent.name
    configure_project(package_name)
    kwargs["standalone_mode"] = not hasattr(sys, "ps1")
    words = list(args[0]) if args and args[0] is not None else sys.argv[1:]
    if words and words[0] in cli.commands:
        return cli(*args, **kwargs)
    return find_run_command(package_name)(*args, **kwargs)


if __name__ == "__main__":
    main()
