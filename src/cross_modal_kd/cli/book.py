"""The book of those who are enrolled: a small folder (a table in JSON, vectors in safetensors) that no sample is in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cross_modal_kd.cli.told import Told

if TYPE_CHECKING:
    from cross_modal_kd.student import Enrolled, Enrolment

FILES = {"enrolled.json", "enrolled.safetensors", "checksums.json"}


def read_book(book: Path) -> "Enrolled":
    """Those who are enrolled.

    Args:
        book: its folder.

    Returns:
        The enrolments.

    Raises:
        Told: there is no book.
        StudentError: a file of it is damaged.
    """
    from cross_modal_kd.student import Enrolled

    try:
        return Enrolled.load(book)
    except FileNotFoundError as error:
        begin = f"`cross-modal-kd enroll NAME FILES --book {book}` begins one"
        raise Told(f"there is no book {book} ({error}): {begin}") from error


def require_place(book: Path) -> None:
    """Make sure that a book can be written there without harm to anything else, which writing it would replace.

    Args:
        book: its folder, which need not be there.

    Raises:
        Told: a file, or a folder with something else in it.
    """
    if book.exists() and not book.is_dir():
        raise Told(f"{book} is a file, and a book is a small folder of its own: name another")
    others = {each.name for each in book.iterdir()} - FILES if book.is_dir() else set()
    if others:
        raise Told(f"{book} holds other things ({', '.join(sorted(others)[:3])}): name a folder of the book's own")


@contextmanager
def changed(book: Path, student: str | None = None) -> Iterator[dict[str, "Enrolment"]]:
    """The entries by name, to be changed within the block and written at its end; one process at a time.

    Args:
        book: its folder; made where there is none and a student is given.
        student: whose entries come in, ``StudentRecord.weights``; None for a change that adds none.

    Yields:
        The entries.

    Raises:
        Told: see ``require_place`` and ``read_book``; or another student has made the book.
    """
    from cross_modal_kd.storage import guarded
    from cross_modal_kd.student import Enrolled

    require_place(book)
    book.parent.mkdir(parents=True, exist_ok=True)
    with guarded(book.with_name(f".{book.name}.lock"), passing=True):
        new = student is not None and not (book / "enrolled.json").exists()
        there = Enrolled(str(student)) if new else read_book(book)
        if student not in (None, there.student):
            raise Told(
                f"{book} was made by another student, whose embeddings cannot be compared with this one's: enrol all "
                "in a new book, or name that student by --student"
            )
        entries = dict(there.entries)
        yield entries
        Enrolled(there.student, entries).save(book)


def joined(before: "Enrolment", more: "Enrolment") -> "Enrolment":
    """One enrolment of the samples of two.

    Args:
        before: of some samples.
        more: of others, under the same name.

    Returns:
        The mean, each sample weighing alike.
    """
    import dataclasses

    import numpy as np

    count = before.samples + more.samples
    mean = (before.samples * before.vector + more.samples * more.vector) / count
    unit = (mean / max(float(np.linalg.norm(mean)), 1e-12)).astype(np.float32)
    return dataclasses.replace(more, vector=unit, samples=count)
