"""``python -m cross_modal_kd`` and ``cross-modal-kd``: the project's commands for the installed package.

The first word names the command, ``cross-modal-kd new-task birds ~/birds``; without one it is ``kedro run``.
"""

import sys
from pathlib import Path
from typing import Any

from kedro.framework.project import configure_project

from cross_modal_kd.cli import cli, run


def main(*args: Any, **kwargs: Any) -> Any:
    """Run a command of the project, from a folder that holds ``conf/`` and ``data/``.

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
    words = list(args[0] if args and args[0] is not None else kwargs.get("args") or sys.argv[1:])
    return (cli if words and words[0] in cli.commands else run)(*args, **kwargs)


if __name__ == "__main__":
    main()
