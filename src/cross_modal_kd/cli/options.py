"""The options that every command of a student has."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cross_modal_kd.cli.default_student import default_student, tracking_uri
from cross_modal_kd.cli.words import shown

if TYPE_CHECKING:
    from cross_modal_kd.student import StudentModel

PATH = click.Path(path_type=Path)
OPTIONS = (
    click.option(
        "--student",
        metavar="FOLDER_OR_URI",
        help="A packaged student: its folder, or its address in MLflow (models:/NAME@champion, runs:/...). Without it "
        "the distilled one of the project in the current folder.",
    ),
    click.option("--env", metavar="ENV", help="Environment whose task's student is asked, without --student."),
    click.option(
        "--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True,
        help="Where it computes; auto is a GPU if there is one.",
    ),
    click.option(
        "--batch-size", type=click.IntRange(min=1), default=64, show_default=True,
        help="Files that are in memory at a time.",
    ),
)  # fmt: skip


def student_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options ``--student``, ``--env``, ``--device`` and ``--batch-size``.

    Args:
        command: a function that takes them, for ``loaded``.

    Returns:
        The function, for ``click.command``.
    """
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def loaded(student: str | None, env: str | None, device: str, batch_size: int) -> "StudentModel":
    """The student that was asked for.

    Args:
        student: its folder or address; None takes the default.
        env: environment of the default's task.
        device: see ``StudentModel``.
        batch_size: see ``StudentModel``.

    Returns:
        It, ready to answer.

    Raises:
        Told: there is none.
        StudentError: it is damaged, or MLflow has no such model.
    """
    from cross_modal_kd.student import StudentModel

    where = student or default_student(env)
    address = student is not None and ":/" in student and not Path(student).exists()
    model = StudentModel.load(where, device, batch_size, tracking_uri() if address else None)
    if not address:
        note_outdated(Path(where))
    return model


def note_outdated(packaged: Path) -> None:
    """Say so where another student has been trained since this one was packaged.

    Args:
        packaged: its folder.
    """
    from cross_modal_kd.student import beside_trained

    packaged = packaged.resolve()
    trained = packaged.with_name("student")
    if packaged in beside_trained(trained):
        click.echo(
            f"note: another student has been trained since this one was packaged, {shown(trained)}: `kedro run "
            "--pipelines=evaluation,deployment`, with its --env and --params, packages that one",
            err=True,
        )


def files_of(model: "StudentModel", given: Iterable[Path]) -> Iterator[Path]:
    """The files that were named, and for each folder those below it; what else lies there is told of.

    Args:
        model: names the modality.
        given: files and folders.

    Returns:
        Paths, as many as there are; a StudentError where there is none at all.
    """
    from cross_modal_kd.student import gathered

    return gathered(
        given, model.task.student, lambda folder, words: click.echo(f"{shown(folder)}: {shown(words)}", err=True)
    )


def counted(model: "StudentModel", given: list[Path], what: str, unseen: bool = False) -> Iterable[Path]:
    """``files_of`` with a bar that counts them, on a terminal alone.

    Args:
        model: names the modality.
        given: files and folders.
        what: is done with them.
        unseen: leave the bar out: the answers themselves are seen.

    Returns:
        The files.
    """
    import sys

    from cross_modal_kd.compute import progress_bar

    if unseen or not sys.stderr.isatty():
        return files_of(model, given)
    total = sum(1 if not path.is_dir() else sum(1 for _ in model.files_in(path)) for path in given)
    return progress_bar(files_of(model, given), desc=what, unit="file", total=total)
