"""The files that somebody means who names files and folders."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from cross_modal_kd.storage import counted_kinds, how_many
from cross_modal_kd.student.errors import StudentError
from cross_modal_kd.student.inputs import files_in


def gathered(given: Iterable[Path], modality: str, tell: Callable[[Path, str], object]) -> Iterator[Path]:
    """The files that are named, and for each folder those below it that are of the modality.

    Args:
        given: files and folders; what is neither is given back, to be told of beside the other files.
        modality: of the student.
        tell: is given each folder without such a file, or with others, which are passed over, and what there is to say.

    Yields:
        Paths, as many as there are, none of them looked for before it is asked for.

    Raises:
        StudentError: there is none at all.
    """
    given, some = list(given), False
    for path in given:
        if not _is_folder(path):
            some = True
            yield path
            continue
        empty, others = True, Counter[str]()
        for file in files_in(path, modality, others):
            some, empty = True, False
            yield file
        if empty:
            tell(path, f"no {modality} file in it")
        if others := +others:
            what = f"{how_many(others.total(), 'other')} passed over"
            tell(path, f"{what}, which a student of {modality} does not read: {counted_kinds(others.elements())}")
    if not some:
        raise StudentError(f"there is no {modality} file in {', '.join(str(path) for path in given)}")


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name that no file system has, or one in a folder that is shut: told of when it is read
        return False
