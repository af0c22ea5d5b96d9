"""``python -m cross_modal_kd`` and ``cross-modal-kd``: the commands for the installed package.

The first word names the command, ``cross-modal-kd predict photos/``; with none, or with an option alone, it is
``kedro run``. Only that one imports Kedro.
"""

import logging
import sys
from pathlib import Path
from typing import Any


def main(*args: Any, **kwargs: Any) -> Any:
    """Run a command; ``run`` from a folder that holds ``conf/`` and ``data/``.

    Args:
        *args: of the click command; none takes those of the command line.
        **kwargs: of the click command.

    Returns:
        What the command gives back; where Python is not interactive the process ends before.
    """
    logging.getLogger("kedro.framework.project").addFilter(_of_use)
    kwargs["standalone_mode"] = not hasattr(sys, "ps1")
    words = list(args[0] if args and args[0] is not None else kwargs.get("args") or sys.argv[1:])
    if words and (words[0] in ("--help", "-h") or not words[0].startswith("-")) and words[0] != "run":
        from cross_modal_kd.cli import PROJECT_COMMANDS, cli

        if words[0] in PROJECT_COMMANDS:
            from kedro.framework.project import configure_project

            configure_project(Path(__file__).parent.name)
        return cli(*args, **{"prog_name": "cross-modal-kd", **kwargs})
    from kedro.framework.cli.utils import find_run_command
    from kedro.framework.project import configure_project

    package_name = Path(__file__).parent.name
    configure_project(package_name)
    if words[:1] == ["run"]:
        args, kwargs = (words[1:], *args[1:]), {name: value for name, value in kwargs.items() if name != "args"}
    return find_run_command(package_name)(*args, **kwargs)


def _of_use(record: logging.LogRecord) -> bool:
    """Where a folder has no conf/logging.yml to leave it out, Kedro begins by saying which configuration it logs by."""
    return not str(record.msg).startswith("Using '")


if __name__ == "__main__":
    main()
