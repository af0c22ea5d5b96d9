"""A command whose errors are told in a paragraph."""

import os
import sys
import warnings
from typing import Any

import click

from cross_modal_kd.cli.errors import REPORTED, is_of_the_user, told, write_log
from cross_modal_kd.cli.quiet import log_as_the_project_says, once
from cross_modal_kd.cli.told import Told, Typed, require_read
from cross_modal_kd.tracking import set_beside


class Run(Typed):
    """A command whose errors are told.

    keeps_traceback: whether the traceback of an error of the user's making is kept in a file.
    """

    keeps_traceback = True

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
        log_as_the_project_says()
        # this project's pages name the option, which Kedro keeps until its next version
        warnings.filterwarnings("ignore", message="Option '--pipeline' is deprecated")
        set_beside({name: ctx.params.get(name) for name in ("conf_source", "is_async", "runner_params")})
        try:
            with once() as quiet:
                return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except KeyboardInterrupt:
            if self.keeps_traceback:
                click.echo(
                    "\nCtrl-C: the run stops here. What is done is kept; the same command goes on with it", err=True
                )
            raise
        except BrokenPipeError:  # who reads has closed: `| head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(1)
        except Exception as error:
            of_the_user = is_of_the_user(error)
            if of_the_user and not self.keeps_traceback:
                raise Told(told(error)) from error
            log = write_log(error)
            if of_the_user:
                where = f"\nin the node {quiet.node}" if quiet.node else ""
                words = told(error)
                # what is damaged says what makes it: a run from the node that reads it would fail again
                goes_on = f"\nwhen that is put right, {quiet.resume} goes on from there" if quiet.resume else ""
                goes_on = "" if "kedro run" in words else goes_on
                raise Told(f"{words}{where}{goes_on}\n\nThe traceback is in {log}") from error
            click.echo(f"{REPORTED}: {log}\n", err=True)
            raise
        finally:
            set_beside({})


class Asking(Run):
    """A command that asks what is there: it leaves nothing behind where there is no answer."""

    keeps_traceback = False
