"""What the commands of a student share: how errors are told, and what the exit code says."""

import errno
import traceback
from pathlib import Path
from typing import Any

import click

from cross_modal_kd.cli.told import Told, Typed, require_read
from cross_modal_kd.cli.words import shown

# 0: every file was read. 2 is click's, of a command that was wrongly typed.
NOTHING, SOME = 1, 3
FULL = (errno.ENOSPC, errno.EDQUOT)
EXIT_CODES = (
    "Exit codes: 0 every file was read and answered; 1 nothing was answered; 2 the command was wrongly typed; 3 some "
    "files could not be read."
)
# Of torch, which raises RuntimeError and AssertionError for a device that is not there.
NO_DEVICE = ("CUDA", "NVIDIA driver", "mps")


class Answering(Typed):
    """A command whose errors are told in a paragraph, if they are of the user's making or of the machine.

    Args:
        *args: of click's command.
        writes: name of the parameter that says where the command writes; None of one that only prints.
        **kwargs: of click's command; its ``epilog`` is ``EXIT_CODES`` if none is given.
    """

    def __init__(self, *args: Any, writes: str | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **{"epilog": EXIT_CODES, **kwargs})
        self.writes = writes

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
            raise Told(self._full(error, ctx) or _words(error, ctx)) from error

    def _full(self, error: Exception, ctx: click.Context) -> str:
        """What is said of a full disk, in place of what a run of the project is told; empty of another error."""
        number, text = getattr(error, "errno", None), str(error)
        if number not in FULL and not any(f"[Errno {each}]" in text for each in FULL):
            return ""
        place = ctx.params.get(self.writes) if self.writes else None
        file = getattr(error, "filename", None)
        if place is None or (file is not None and not Path(file).is_relative_to(place.parent)):
            where = "what is printed" if file is None else shown(file)
            return f"{where} cannot be written: no space is left on its disk. Free some, or write elsewhere"
        given = next(each for each in self.params if each.name == self.writes)
        name = given.opts[0] if isinstance(given, click.Option) else given.make_metavar(ctx)
        return f"{shown(place)} cannot be written: no space is left on its disk. Free some, or name another {name}"


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
