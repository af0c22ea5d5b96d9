"""``demo``: a page on this machine, on which the student answers."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cross_modal_kd.cli.answering import Answering
from cross_modal_kd.cli.book import read_book
from cross_modal_kd.cli.default_student import default_student, project_folder, project_sources
from cross_modal_kd.cli.options import PATH, loaded
from cross_modal_kd.cli.told import Told

if TYPE_CHECKING:
    from cross_modal_kd.samples import Roots
    from cross_modal_kd.student import StudentModel


@click.command(cls=Answering, epilog="Ctrl-C ends it.", short_help="Try the student on a page in the browser.")
@click.option("--student", metavar="FOLDER_OR_URI",
              help="A packaged student, its folder or MLflow address; else the project's distilled one.")  # fmt: skip
@click.option("--book", type=PATH, help="Enrolments of this student: the page says who of them a file is of.")
@click.option("--env", metavar="ENV", help="Environment whose task's student is asked, without --student.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True,
              help="Where it computes.")  # fmt: skip
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 takes a free one.")
@click.option("--open", "opened", is_flag=True, help="Show the page in the browser.")
def demo(student: str | None, book: Path | None, env: str | None, device: str, port: int, opened: bool) -> None:
    """Serve a page to this machine's browsers: drop an image or a sound, record one, or type words.

    It shows the answer, the quality of the input, the nearest training samples (from the project's data, else their
    names), what the teacher's modality would match, and the student alone beside it where it is packaged too.
    """
    try:
        from cross_modal_kd.demo import Desk, serve
    except ModuleNotFoundError as error:
        raise Told(f"demo needs the package {error.name}: pip install 'cross-modal-kd[demo]'") from error

    enrolled = None if book is None else read_book(book)
    where = student or str(default_student(env))
    model = loaded(where, None, device, 1)
    beside = Path(where).resolve().parents[1] / "student_alone" / "packaged" if Path(where).is_dir() else None
    other = beside is not None and beside.is_dir() and model.record.role != "student_alone"
    alone = loaded(str(beside), None, device, 1) if other else None
    desk = Desk(model, alone, _roots(model, env), enrolled)
    serve(desk, port, opened, lambda address: click.echo(f"{address} answers on this machine; Ctrl-C ends it"))


def _roots(model: "StudentModel", env: str | None) -> "Roots | None":
    """Where the training samples lie, if the current folder's project says so."""
    from cross_modal_kd.config import SourcesConfig
    from cross_modal_kd.samples import Roots

    project = project_folder()
    if project is None:
        return None
    try:
        return Roots(SourcesConfig(project_sources(project, env or model.task.name)), project)
    except ValueError:  # names are shown
        return None
