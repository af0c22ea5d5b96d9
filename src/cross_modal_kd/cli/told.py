"""How an error of the user's making is shown."""

import os
from collections.abc import Mapping
from typing import Any

import click

from cross_modal_kd.storage import misread


class Told(click.ClickException):
    """An error as it is told: a paragraph, and the file that holds the rest; the exit code is 1."""

    def show(self, file: Any = None) -> None:
        """Print it on the error stream.

        Args:
            file: another stream.
        """
        head = click.style("error:", fg="red", bold=True)
        click.echo(f"\n{head} {self.message}", file=file, err=True)


def require_read(given: Any) -> None:
    """Refuse what was typed where this Python has misread it.

    Args:
        given: what click has made of it: texts, paths, and lists and mappings of them.

    Raises:
        Told: the first such text, with what to do.
    """
    if isinstance(given, Mapping):
        require_read([*given, *given.values()])
    elif isinstance(given, list | tuple):
        for each in given:
            require_read(each)
    elif isinstance(given, str | os.PathLike) and (reason := misread(os.fspath(given))):
        raise Told(reason)
