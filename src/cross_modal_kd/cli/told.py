"""How an error of the user's making is shown."""

from typing import Any

import click


class Told(click.ClickException):
    """An error as it is told: a paragraph, and the file that holds the rest; the exit code is 1."""

    def show(self, file: Any = None) -> None:
        """Print it on the error stream.

        Args:
            file: another stream.
        """
        head = click.style("error:", fg="red", bold=True)
        click.echo(f"\n{head} {self.message}", file=file, err=True)
