"""The names of the commands, each imported when it is called."""

from importlib import import_module

import click

from cross_modal_kd.cli.told import Told

# name: file of this room, and the command in it
COMMANDS = {
    "run": ("kedro_command", "run"),
    "predict": ("predict", "predict"),
    "enroll": ("enroll", "enroll"),
    "verify": ("verify", "verify"),
    "identify": ("identify", "identify"),
    "search": ("search", "search"),
    "export": ("export", "export"),
    "demo": ("demo", "demo"),
    "compare": ("runs", "compare"),
    "reproduce": ("runs", "reproduce"),
    "new-task": ("new_task", "new_task"),
}
PROJECT_COMMANDS = ("compare", "reproduce", "new-task")  # which ask Kedro for the project


class Commands(click.Group):
    """A group whose commands are named in ``COMMANDS``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names.

        Args:
            ctx: click's.

        Returns:
            In the order of ``COMMANDS``, then what was added otherwise.
        """
        return [*COMMANDS, *(name for name in super().list_commands(ctx) if name not in COMMANDS)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One of them.

        Args:
            ctx: click's.
            cmd_name: its name.

        Returns:
            The command; None where there is none of that name.
        """
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        file, name = COMMANDS[cmd_name]
        try:
            found: click.Command = getattr(import_module(f"cross_modal_kd.cli.{file}"), name)
        except ModuleNotFoundError as error:
            if str(error.name).startswith("cross_modal_kd"):
                raise
            return _without(cmd_name, error)
        return found


def _without(name: str, missing: ModuleNotFoundError) -> click.Command:
    """What stands for a command whose packages are not installed, so that the others can be listed."""

    def refuse() -> None:
        raise Told(f"{name} needs the package {missing.name}: pip install 'cross-modal-kd[pipelines]'")

    options = {"ignore_unknown_options": True, "allow_extra_args": True}
    return click.Command(name, callback=refuse, help=f"(needs {missing.name})", context_settings=options)


@click.group(
    name="cross_modal_kd",
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
)
def cli() -> None:
    """Train a student across modalities, and put it to work.

    `run` is `kedro run`, in a folder that holds conf/ and data/; so are `compare`, `reproduce` and `new-task`. The
    others ask a packaged student, by default the distilled one of the project in the current folder.
    """
