"""``search QUERY FOLDER``: the files nearest to a text, or to another file, by the student alone."""

from pathlib import Path
from typing import Any

import click

from cross_modal_kd.cli.answering import Answering, ends
from cross_modal_kd.cli.options import PATH, counted, loaded, student_options
from cross_modal_kd.cli.verify import JSON
from cross_modal_kd.cli.words import as_json, quality_words, shown


@click.command(cls=Answering, short_help="Find the files nearest to a text or to a file.")
@click.argument("query")
@click.argument("inputs", metavar="FILES_OR_FOLDERS...", nargs=-1, required=True, type=PATH)
@click.option("--top", type=click.IntRange(min=1), default=10, show_default=True, help="Files that are listed.")
@click.option(
    "--as", "kind", type=click.Choice(["teacher", "student"]),
    help="Of which modality QUERY is: the teacher's (words, of a text teacher) or the student's own. Without it a file "
    "is what its ending says, and other words are a text.",
)  # fmt: skip
@JSON
@student_options
def search(query: str, inputs: tuple[Path, ...], top: int, kind: str | None, as_lines: bool, **options: Any) -> None:
    """Rank the files below FILES_OR_FOLDERS by their likeness to QUERY: words, or a file.

    Words go through the teacher's projection, which is stored with the student, into the part of its embedding that was
    taught by them; the text encoder must be installed for that. A file of the student's modality needs nothing.
    """
    from cross_modal_kd.student import Found, StudentError

    model = loaded(**options)
    try:
        found = model.search(query, counted(model, list(inputs), "search"), top, kind)  # type: ignore[arg-type]
    except StudentError as error:
        if as_lines:
            click.echo(as_json(Found(query, kind == "teacher", (), 0, error=str(error))))
        raise
    if as_lines:
        click.echo(as_json(found))
    else:
        for place, match in enumerate(found.matches, start=1):
            quality = quality_words(match.quality)
            click.echo(f"{place:4}  {match.score:7.4f}  {shown(match.name)}" + (f"  ({quality})" if quality else ""))
        through = f"through the {model.task.teacher} that taught the student" if found.across else "by likeness"
        click.echo(f"{found.searched} files searched for {shown(found.query)!r}, {through}", err=True)
    for file, reason in found.errors.items():
        click.echo(f"{shown(file)}: not read: {shown(reason)}", err=True)
    ends(found.searched, len(found.errors))
