"""``new-task NAME FOLDER``: an environment for a folder of somebody's own, after a look at it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import yaml
from kedro.utils import find_kedro_project

from cross_modal_kd.cli.told import Told
from cross_modal_kd.storage import how_many

if TYPE_CHECKING:
    from cross_modal_kd.new_task import Asked, Format, Survey

MODALITY = "a modality that the folder holds"


HELP = """Look at FOLDER, say what is in it, and write conf/NAME/parameters.yml for it.

FOLDER holds <label>/<file>: images or sounds in a folder for each label, and texts in captions.csv (path,text) beside
these folders. Nothing that is there already is written over. What is written is checked as a run would check it; the
command that runs it is printed.
"""


@click.command(name="new-task", help=HELP, short_help="Write the environment of a folder of your own.")
@click.argument("name")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--student", help=f"{MODALITY}, and that works alone later")
@click.option("--teacher", help=f"{MODALITY}, and that teaches in training")
@click.option("--kind", type=click.Choice(["verification", "classification"]), help="what is asked of the student")
@click.option(
    "--layout", help="how FOLDER is read, where it does not show that itself: table, hf_folder, ... "
    "(docs/your-own-data.md)",
)  # fmt: skip
@click.option(
    "--options", callback=lambda _, __, text: _mapping(text),
    help="of the layout, in YAML: '{file: pairs.csv, columns: {image: picture, text: words, label: species}}'",
)  # fmt: skip
@click.option(
    "--write-captions", is_flag=True,
    help="write captions.csv into FOLDER where it has none: from metadata.csv or metadata.jsonl, from .txt files, or "
    "else from the labels' names",
)  # fmt: skip
def new_task(
    name: str, folder: Path, student: str | None, teacher: str | None, kind: str | None, layout: str | None,
    options: dict[str, Any], write_captions: bool,
) -> None:  # fmt: skip
    """Look at a folder, and write an environment for it.

    Args:
        name: of the task and its environment.
        folder: of the files.
        student: a modality; None where it is chosen by what was found.
        teacher: likewise.
        kind: of task; likewise.
        layout: how the folder is read; None goes by what it shows.
        options: of the layout.
        write_captions: whether captions.csv may be written into the folder.

    Raises:
        Told: the name is taken, or the folder is not enough for a task.
    """
    from cross_modal_kd.new_task import Asked, Format

    if options and layout is None:
        raise click.BadParameter("they are those of a layout: name one (--layout)", param_hint="--options")
    said = None if layout is None else Format(layout, options)
    project = find_kedro_project(Path.cwd()) or Path.cwd()
    try:
        _new_task(project, name, folder.expanduser(), said, Asked(student, teacher, kind), write_captions)
    except (ValueError, OSError) as error:
        raise Told(str(error)) from error


def _new_task(
    project: Path, name: str, folder: Path, said: "Format | None", asked: "Asked", write_captions: bool
) -> None:
    from cross_modal_kd import new_task as room
    from cross_modal_kd.hooks import check_environment
    from cross_modal_kd.sources import untold

    room.require_new(project, name)
    if write_captions:
        with untold():
            before = room.look(folder, said)
        for sentence in room.write_captions(before):
            click.echo(f"wrote {sentence}")
    survey = room.look(folder, said)
    try:
        choice = room.choose(survey, name, asked)
    except ValueError:
        click.echo("\n".join([*room.in_words(survey), *_other_texts(survey)]) + "\n")
        raise
    click.echo("\n".join(room.in_words(survey, choice)))
    with room.write_environment(project, survey, choice) as file:
        check_environment(project, name, "distill")
    click.echo(
        f"\nwrote {file.relative_to(project)}; its names, values and folders pass the checks of a run\n"
        f"next: kedro run --pipeline=distill --env={name}      (or: make distill ENV={name})"
    )


def _mapping(text: str | None) -> dict[str, Any]:
    try:
        options = yaml.safe_load(text or "{}")
    except yaml.YAMLError as error:
        raise click.BadParameter(f"it cannot be read as YAML ({' '.join(str(error).split())})") from error
    if not isinstance(options, dict):
        raise click.BadParameter(f"expected a mapping, '{{key: value}}', found {text!r}")
    return options


def _other_texts(survey: "Survey") -> list[str]:
    """What there is of texts that the layout does not read."""
    from cross_modal_kd.new_task import found_texts

    found = {name: found_texts(survey, name) for name in survey.sources}
    return [
        f"source {name}: {how_many(len(texts.texts), 'text')} in {texts.what}, which --write-captions makes "
        "captions.csv of"
        for name, texts in found.items()
        if texts is not None and "text" not in set(survey.rows["modality"])
    ]
