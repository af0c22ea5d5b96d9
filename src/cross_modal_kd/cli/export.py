"""``export --to hf-folder FOLDER``: a student as others can have it."""

from pathlib import Path

import click

from cross_modal_kd.cli.answering import Answering
from cross_modal_kd.cli.default_student import default_student
from cross_modal_kd.cli.options import PATH, note_outdated
from cross_modal_kd.cli.told import Told
from cross_modal_kd.cli.words import shown
from cross_modal_kd.storage import how_many


@click.command(cls=Answering, writes="folder", epilog="Exit codes: 0 it was written; 1 it was not, with the reason.",
               short_help="Write a folder to be published.")  # fmt: skip
@click.argument("folder", metavar="FOLDER", type=PATH)
@click.option("--to", "form", type=click.Choice(["hf-folder"]), default="hf-folder", show_default=True,
              help="A folder as the Hugging Face Hub takes it.")  # fmt: skip
@click.option("--student", metavar="PACKAGED", type=PATH, help="A packaged student; else the project's distilled one.")
@click.option("--env", metavar="ENV", help="Environment whose task's student is meant, without --student.")
@click.option("--exported", metavar="PROGRAMS", type=PATH,
              help="Exported programs; else those in `exported` beside the student, if there are any.")  # fmt: skip
def export(folder: Path, form: str, student: Path | None, env: str | None, exported: Path | None) -> None:
    """Write FOLDER, to be pushed as it is: model card, packaged student, exported programs, .gitattributes.

    Nothing in it names a folder, a user or a host of this machine; where something would, it is not written. Example
    files of the data are in it if they are in the packaged student (deployment.examples: 0 leaves them out). Exported
    programs must be of the packaged student.
    """
    from cross_modal_kd.student import write_hf_folder

    assert form == "hf-folder"  # noqa: S101 (click has refused all else)
    packaged = student or default_student(env)
    if exported is not None and not (exported / "export.json").is_file():
        raise Told(f"{shown(exported)} holds no exported programs (no export.json)")
    note_outdated(packaged)
    names = write_hf_folder(packaged, folder, exported or packaged.parent / "exported")
    programs = "with" if any(name.startswith("exported/") for name in names) else "without"
    click.echo(
        f"{shown(folder)}: {how_many(len(names), 'file')}, {programs} exported programs. Read README.md, state a "
        "licence, and"
    )
    click.echo(f"push it: hf upload USER/NAME {shown(folder)}")
