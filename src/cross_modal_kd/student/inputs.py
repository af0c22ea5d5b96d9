"""From whatever a user has to what a student reads: paths, bytes, arrays, one or many, streamed."""

import logging
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cross_modal_kd.config import InputConfig
from cross_modal_kd.modalities import ModalityError, modality_of
from cross_modal_kd.samples import UnreadableSampleError, is_hidden, no_beginning
from cross_modal_kd.storage import misread
from cross_modal_kd.student.errors import StudentError
from cross_modal_kd.student.quality import QualityReference
from cross_modal_kd.student.results import Quality

if TYPE_CHECKING:
    from torch import Tensor

logger = logging.getLogger(__name__)

READERS = 2


@dataclass(frozen=True)
class Read:
    """One input, read or not.

    Attributes:
        name: of the input.
        error: why there is no tensor; None where there is.
        tensor: as the network is given it.
        quality: of the input.
        unread: how much of it the network is not given, in words; empty where it is given all.
    """

    name: str
    error: str | None = None
    tensor: "Tensor | None" = None
    quality: Quality | None = None
    unread: str = ""


@dataclass(frozen=True)
class Reader:
    """Inputs of one modality.

    Attributes:
        modality: of the student.
        inputs: how its inputs become tensors.
        quality: the training ranks.
    """

    modality: str
    inputs: InputConfig
    quality: QualityReference

    @property
    def _instead(self) -> str:
        return "; words are given in a .txt file" if modality_of(self.modality).words else ""

    def batches(self, given: Iterable[Any], size: int) -> Iterator[list[Read]]:
        """The inputs, so many at a time, of which no more than a batch is in memory; warned is of what is cut off.

        Args:
            given: inputs, each as ``is_one`` has it.
            size: of a batch, at most.

        Yields:
            The inputs of a batch, in their order.
        """
        places, read, cut, first = enumerate(given), 0, 0, ""
        try:
            with ThreadPoolExecutor(READERS) as pool:
                while batch := list(islice(places, size)):
                    found = list(pool.map(lambda placed: self.read(placed[1], f"input {placed[0]}"), batch))
                    longer = [each for each in found if each.unread]
                    read, cut = read + len(found), cut + len(longer)
                    first = first or (f"{longer[0].name}: {longer[0].unread}" if longer else "")
                    yield found
        finally:  # also where no more are asked for
            if cut:
                logger.warning(
                    "%d of %d inputs are longer than what the student reads, and their ends are not read (%s): put "
                    "first what tells them apart, or shorten them", cut, read, first
                )  # fmt: skip

    def read(self, given: Any, name: str) -> Read:
        """One input; what is wrong with it becomes its ``error``.

        Args:
            given: see ``is_one``.
            name: of an input that has none of its own.

        Returns:
            Its tensor and quality.

        Raises:
            StudentError: samples of the modality are not taken one by one.
        """
        if isinstance(given, str) and modality_of(self.modality).words and not _is_file(given):
            name = given
        elif isinstance(given, str | os.PathLike):
            given = Path(given)
            name = str(given)
        elif isinstance(given, bytearray | memoryview):
            given = bytes(given)
        try:
            if isinstance(given, Path) and not given.is_file():
                return Read(name, _no_file(given) or "there is no such file" + self._instead)
            taken = modality_of(self.modality).take(given, name, self.inputs)
            return Read(name, None, taken.tensor, self.quality(self.modality, taken.decoded), taken.unread)
        except UnreadableSampleError as error:
            return Read(name, _left_by_a_download(given) or error.reason)
        except OSError as error:
            return Read(name, f"the file cannot be read ({type(error).__name__}: {error.strerror or error})")
        except ModalityError as error:
            raise StudentError(str(error)) from error


def is_one(given: Any) -> bool:
    """Whether that is one input, and not many.

    Args:
        given: a path, words, bytes, an array, or (wave, rate): one; a list or any other iterable: many.

    Returns:
        Whether it is one.
    """
    if isinstance(given, str | os.PathLike | bytes | bytearray | memoryview | np.ndarray):
        return True
    return isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], int | float | np.number)


def _is_file(given: str) -> bool:
    try:
        return Path(given).is_file()
    except (OSError, ValueError):  # a name that no file system has
        return False


def _left_by_a_download(given: Any) -> str:
    """What a file that cannot be read holds instead of a sample; empty where that is not known."""
    if isinstance(given, bytes):
        return no_beginning(given[:512])
    with suppress(OSError):  # gone meanwhile, or not ours to read: then the reader's own reason stands
        if isinstance(given, Path):
            with given.open("rb") as stream:
                return no_beginning(stream.read(512))
    return ""


def _no_file(path: Path) -> str:
    """What is there in the place of a file, if anything; OSError of a folder that may not be looked into."""
    if not path.is_dir():
        return "it is no file" if path.exists() else ""
    with os.scandir(path):
        return "it is a folder, not a file"


def files_in(folder: Path, modality: str, others: Counter[str] | None = None) -> Iterator[Path]:
    """The files of a modality below a folder, by their endings, in the order of their paths.

    Hidden ones are passed over, as ingestion does; links to folders are not followed.

    Args:
        folder: to be looked through, at every depth.
        modality: a registered one.
        others: counts what else lies there, by its ending; None counts nothing.

    Yields:
        Their paths; at the end those of folders that may not be looked into, told of as what cannot be read.

    Raises:
        StudentError: this Python misreads the name of a file, as it would all that are not ASCII.
    """
    endings, shut = modality_of(modality).served, list[OSError]()
    others = Counter() if others is None else others
    for where, folders, names in os.walk(folder, onerror=shut.append):
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        others["a link to a folder"] += sum((Path(where) / name).is_symlink() for name in folders)
        names = sorted(name for name in names if not is_hidden(name))
        if reason := next(filter(None, map(misread, [*folders, *names])), ""):
            raise StudentError(f"{folder}: {reason}")
        for name in names:
            if (ending := Path(name).suffix.lower()) in endings:
                yield Path(where) / name
            else:
                others[ending or "no ending"] += 1
    yield from (Path(error.filename) for error in shut)
