"""How an error of the user's making is shown."""

import os
from collections.abc import Mapping, Sequence
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


class Typed(click.Command):
    """A command of which no word is empty, as of a variable that is not set: a path of it would be this folder."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """What was typed; ``--params`` may be empty, and changes nothing.

        Args:
            ctx: click's.
            args: the words behind the command's name.

        Returns:
            Those that are left over.

        Raises:
            click.UsageError: which word is empty.
        """
        _require_given(args)
        return super().parse_args(ctx, args)


def _require_given(args: Sequence[str]) -> None:
    for before, word in zip(["", *args], args, strict=False):
        name, sign, value = word.partition("=")
        option = name if word.startswith("-") and sign else before if before.startswith("-") else ""
        if (not word or (option == name and sign and not value)) and option != "--params":
            where = f"{option} has no value" if option else f"word {1 + args.index(word)} is empty"
            raise click.UsageError(f"{where}: is a variable not set? Leave it out, or give it its value")
