"""What the commands of a student share: how errors are told, and what the exit code says."""

import traceback
from pathlib import Path
from typing import Any

import click

from cross_modal_kd.cli.told import Told, require_given, require_read

# 0: every file was read. 2 is click's, of a command that was wrongly typed.
NOTHING, SOME = 1, 3
EXIT_CODES = (
    "Exit codes: 0 every file was read and answered; 1 nothing was answered; 2 the command was wrongly typed; 3 some "
    "files could not be read."
)
# Of torch, which raises RuntimeError and AssertionError for a device that is not there.
NO_DEVICE = ("CUDA", "NVIDIA driver", "mps")


class Answering(click.Command):
    """A command whose errors are told in a paragraph, if they are of the user's making or of the machine.

    Args:
        *args: of click's command.
        **kwargs: of click's command; its ``epilog`` is ``EXIT_CODES`` if none is given.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"epilog": EXIT_CODES, **kwargs})

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """What was typed, none of it empty.

        Args:
            ctx: click's.
            args: the words behind the command's name.

        Returns:
            Those that are left over.
        """
        require_given(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run, and tell of an error.

        Args:
            ctx: click's, with the options.

        Returns:
            What the command gives back.

        Raises:
            Told: the error was of the user's making, or of the machine.
            Exception: every other, which Python prints as a whole.
        """
        require_read(ctx.params)
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
            raise
        except Exception as error:
            if not _is_of_the_user(error):
                raise
            raise Told(_words(error, ctx)) from error


def ends(read: int, failed: int) -> None:
    """End the command with the code that says how much was answered.

    Args:
        read: files that were answered.
        failed: files that were not.
    """
    if failed:
        click.get_current_context().exit(SOME if read else NOTHING)


def _is_of_the_user(error: Exception) -> bool:
    """Whether it was raised with words for the user: by this package, or by the machine."""
    if isinstance(error, OSError | MemoryError | ImportError):
        return True
    if isinstance(error, RuntimeError | AssertionError) and any(word in str(error) for word in NO_DEVICE):
        return True
    last = traceback.extract_tb(error.__traceback__)[-1:]
    ours = any(Path(frame.filename).is_relative_to(Path(__file__).parents[1]) for frame in last)
    return ours and isinstance(error, ValueError | LookupError | RuntimeError)


def _words(error: Exception, ctx: click.Context) -> str:
    text = str(error).strip() or type(error).__name__
    if isinstance(error, RuntimeError | AssertionError) and any(word in text for word in NO_DEVICE):
        return f"--device {ctx.params.get('device')}: {text.splitlines()[0]}. Take --device cpu, or auto"
    if isinstance(error, MemoryError):
        return f"the memory is full ({text}): take a smaller --batch-size"
    if isinstance(error, PermissionError) and text.startswith("[Errno"):
        return f"{text}: give yourself the right to it, or ask its owner"
    return text
