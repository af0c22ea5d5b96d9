"""``enroll NAME FILES --book BOOK``: somebody or something to be found again by ``identify``."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from cross_modal_kd.cli.answering import Answering, ends
from cross_modal_kd.cli.book import changed, joined, read_book, require_place
from cross_modal_kd.cli.options import PATH, counted, loaded, student_options
from cross_modal_kd.cli.told import Told
from cross_modal_kd.cli.words import shown
from cross_modal_kd.config import nearest
from cross_modal_kd.samples import one_form

MOST = 20

BOOK = click.option(
    "--book", required=True, type=PATH, help="Folder of the enrolments, of which it holds nothing else."
)


@click.command(cls=Answering, writes="book", short_help="Enrol a name with some files of it.")
@click.argument("name", required=False)
@click.argument("inputs", metavar="[FILES_OR_FOLDERS]...", nargs=-1, type=PATH)
@BOOK
@click.option("--replace", is_flag=True, help="Put these files in the place of those that NAME was enrolled with.")
@click.option("--add", is_flag=True, help="Add these files to those that NAME was enrolled with.")
@click.option("--remove", is_flag=True, help="Take NAME out of the book.")
@click.option("--list", "listed", is_flag=True, help="List the names of the book.")
@student_options
def enroll(
    name: str | None, inputs: tuple[Path, ...], book: Path,
    replace: bool, add: bool, remove: bool, listed: bool, **options: Any,
) -> None:  # fmt: skip
    """Enrol NAME with one or several files of it, so that `identify` finds it again.

    The book keeps the mean of the files' embeddings, none of the files. It belongs to the student that made it.
    """
    if sum([replace, add, remove, listed]) > 1:
        raise click.UsageError("--replace, --add, --remove and --list exclude each other")
    if listed:
        return _list(book)
    if not name or not name.strip():
        raise click.UsageError("NAME is missing: cross-modal-kd enroll NAME FILES --book BOOK")
    name = one_form(name.strip())
    if remove:
        return _remove(book, name)
    if not inputs:
        raise click.UsageError("FILES are missing: cross-modal-kd enroll NAME FILES --book BOOK")
    return _enroll(book, name, list(inputs), "replace" if replace else "add" if add else "", options)


def _list(book: Path) -> None:
    there = read_book(book)
    for name, entry in there.entries.items():
        click.echo(f"{shown(name)}: {entry.samples} file(s)")
    click.echo(f"{len(there.entries)} enrolled in {shown(book)}, by the student {there.student[:12]}", err=True)


def _remove(book: Path, name: str) -> None:
    read_book(book)
    with changed(book) as entries:
        if entries.pop(name, None) is None:
            raise Told(_not_there(book, name, entries))
    click.echo(f"{shown(name)} is taken out of {shown(book)}", err=True)


def _not_there(book: Path, name: str, entries: Iterable[str]) -> str:
    return f"{name!r} is not enrolled in {shown(book)}. {nearest(name, [shown(each) for each in entries][:MOST])}"


def _enroll(book: Path, name: str, inputs: list[Path], how: str, options: dict[str, Any]) -> None:
    require_place(book)
    model = loaded(**options)
    entry = model.enroll(name, dict.fromkeys(counted(model, inputs, "enroll")))
    with changed(book, model.record.weights) as entries:
        before = entries.get(name)
        if before is None and how:
            raise Told(f"{_not_there(book, name, entries)}. To enrol a new name leave --{how} out")
        if before is not None and not how:
            raise Told(
                f"{name!r} is enrolled in {book} already, with {before.samples} file(s): --replace puts these in their "
                "place, --add adds these to them"
            )
        entries[name] = entry if before is None or how == "replace" else joined(before, entry)
        samples = entries[name].samples
    for file, reason in entry.errors.items():
        click.echo(f"{shown(file)}: not read: {shown(reason)}", err=True)
    click.echo(f"{shown(name)} is enrolled in {shown(book)} with {samples} file(s)", err=True)
    ends(entry.samples, len(entry.errors))
