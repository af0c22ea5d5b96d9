"""An error in words for who typed the command, and the whole of it in a file."""

import errno
import os
import re
import shlex
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from kedro.framework.project import pipelines
from kedro.io import DatasetError
from kedro.utils import find_kedro_project
from omegaconf.errors import OmegaConfBaseException
from pydantic import ValidationError

from cross_modal_kd.cli.filters import nothing_chosen
from cross_modal_kd.compute import RAISED_IN
from cross_modal_kd.config import first_errors, nearest
from cross_modal_kd.storage import NotReadableError, not_readable

LOGS = "logs"
# of several pipelines that make a dataset, the first is named
STAGES = (
    *("ingestion", "quality", "teacher", "projection", "distillation", "evaluation", "deployment"),
    *("comparison", "tuning", "quality_study", "regimes", "robustness"),
)
REPORTED = "This is a fault of the program, not of yours: please report it with that file"
# Errors of libraries that tell of the machine or of what was given, whoever raises them.
OF_THE_MACHINE = (OSError, MemoryError, DatasetError, OmegaConfBaseException, ValidationError)
NO_MEMORY = "can't allocate memory"  # of torch's RuntimeError on a CPU
NO_SCRATCH = "No usable temporary directory found"  # of tempfile: none is there, or all are full or another's
OF_LIBRARIES = (
    "MissingConfigException",
    "ParameterValidationError",
    "OutOfMemoryError",
    "MlflowException",
    "YAMLError",
)
# What Python raises by itself where a program is wrong.
OF_THE_PROGRAM = (
    AssertionError,
    AttributeError,
    LookupError,
    NameError,
    TypeError,
    RecursionError,
    StopIteration,
    NotImplementedError,
)


def is_of_the_user(error: BaseException) -> bool:
    """Whether an error tells of what was given, or of the machine, and not of a fault of the program.

    Those are the errors that this project, or Kedro, raises itself with words for who reads them; and those of files,
    memory and configuration, whoever raises them.

    Args:
        error: That ended a run.

    Returns:
        False where the traceback is what helps.
    """
    named = any(each.__name__ in OF_LIBRARIES for each in type(error).__mro__)
    if named or NO_MEMORY in str(error) or isinstance(error, OF_THE_MACHINE):
        return True
    if isinstance(error, OF_THE_PROGRAM):
        return bool(_runner(error, str(error)))
    last = [frame.filename for frame in traceback.extract_tb(error.__traceback__)[-1:]]
    if raised_in := getattr(error, RAISED_IN, None):  # in another process, of which this one has told
        last = [raised_in]
    ours = (Path(__file__).parents[1], Path(sys.modules["kedro"].__file__ or "").parent)
    return any(Path(file).is_relative_to(folder) for file in last for folder in ours)


def told(error: BaseException) -> str:
    """An error in words.

    Args:
        error: Of the user's making, or of the machine.

    Returns:
        Its message, without what pydantic says to programmers; with what to do where the message does not say it.
    """
    text = str(error).strip() or type(error).__name__
    return next((words for retell in _RETOLD if (words := retell(error, text))), text)


def _parameters(error: BaseException, text: str) -> str:
    if isinstance(error, ValidationError):
        return f"{error.title}: {first_errors(error)}"
    if type(error).__name__ != "ParameterValidationError":
        return ""
    return "the parameters (conf/<env>/parameters*.yml, --params) are not right\n" + "\n".join(_blocks(text))


def _environment(_: BaseException, text: str) -> str:
    found = re.search(r"configuration path .*not a valid directory: (.*)", text)
    if not found:
        return ""
    path = Path(found[1])
    if path.name == "base":
        if path.parent.resolve() != (Path.cwd() / "conf").resolve():
            return f"{path.parent} is no folder of configurations (--conf-source): expected one that holds base/"
        return f"{Path.cwd()} lies in no project (no conf/base): go to the project's folder and try again"
    conf = next((each for each in path.parents if (each / "base").is_dir()), path.parent)
    there = sorted(each.name for each in conf.glob("*/") if each.name != "base")
    return f"there is no environment {path.relative_to(conf).as_posix()!r}. {nearest(path.name, there)}"


def _pipeline(_: BaseException, text: str) -> str:
    found = re.search(r"Failed to find the pipeline named '([^']*)'", text)
    there = sorted(each for each in pipelines if each != "__default__") if found else []
    return f"there is no pipeline {found[1]!r}. {nearest(found[1], there)}" if found else ""


def _runner(_: BaseException, text: str) -> str:
    found = re.search(r"module 'kedro.runner' has no attribute '(\w+)'", text)
    return f"there is no runner {found[1]!r}: leave --runner out (SequentialRunner)" if found else ""


def _nodes(_: BaseException, text: str) -> str:
    return nothing_chosen(text)


def _dataset(error: BaseException, text: str) -> str:
    """What could not be loaded: its name, the file, the reason, and the pipeline that makes it."""
    cause = error.__cause__
    reason = cause.__cause__ if isinstance(cause, DatasetError) else None
    if reason is None or "while loading data" not in text or "makes it" in text:
        return ""
    name, path = text.partition(": ")[0], re.search(r"filepath=(?:\w+\()?'([^']*)'", text)
    file = path[1] if path else getattr(reason, "filename", None) or name
    makers = [each for each in STAGES if each in pipelines and name in pipelines[each].all_outputs()]
    how = f"; `kedro run --pipelines={makers[0]}` (with the same --env and --params) makes it" if makers else ""
    if isinstance(reason, NotADirectoryError | FileExistsError):
        return _disk(reason, str(reason))
    if isinstance(reason, FileNotFoundError):
        return f"{name} is missing: there is no {file}{how}"
    if isinstance(reason, NotReadableError):
        return f"{name}: {reason}"
    if isinstance(reason, OSError) and reason.errno:  # of the system; pyarrow's of what is damaged has no number
        return f"{name}: {not_readable(Path(file), reason)}"
    return f"{name} is damaged: {file} cannot be read ({reason}){how}"


def _memory(error: BaseException, text: str) -> str:
    full = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or NO_MEMORY in text
    if not full:
        return ""
    return f"the memory is full ({text})\nTake a smaller training.batch_size or inputs.cache_mb, and run again"


def _disk(error: BaseException, text: str) -> str:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC and not _says_what_to_do(text):
        where = f" ({error.filename})" if error.filename else ""
        return (
            f"the disk is full{where}: make room, or set another data_root (of a temporary file: TMPDIR), and run the "
            "same command again"
        )
    if isinstance(error, PermissionError) and not _says_what_to_do(text):
        return f"{text}: give yourself the right to it, or set another data_root"
    if isinstance(error, NotADirectoryError | FileExistsError) and not _says_what_to_do(text):
        return f"{error.filename}: a file lies where a folder should be. Take it away, or set another data_root"
    if NO_SCRATCH in text:
        return f"{text}: make room in one of them, or set TMPDIR to a folder with room that is yours"
    if isinstance(error, FileNotFoundError) and text.startswith("[Errno") and error.filename is not None:
        return f"there is no {error.filename}, and it cannot be made: correct the path, or set another data_root"
    return ""


def _says_what_to_do(text: str) -> bool:
    return not text.startswith("[Errno")


_RETOLD = (_parameters, _environment, _pipeline, _runner, _nodes, _dataset, _memory, _disk)


def _blocks(text: str) -> Iterator[str]:
    """A line each of what is wrong: ``student.encoder: unknown key ...``."""
    for block in re.split(r"^- ", text, flags=re.MULTILINE)[1:]:
        name = re.match(r"Parameter '([^']*)': ", block)
        lines = [line for line in block.splitlines()[1:] if "For further information visit" not in line]
        if name is None or not lines:
            said = re.sub(
                r"^Parameter '([^']*)': value is None.*", r"\1: is null; give it its keys, or take it out", block
            )
            yield f"  {said.strip()}"
            continue
        where = ""
        for line in lines:
            if not line.startswith(" "):
                where = line.strip()
                continue
            message = re.sub(r" \[type=\w+(, input_value=.*?)?, input_type=\w+\]$", "", line.strip())
            found = re.search(r"input_value=(.*), input_type=\w+\]$", line)
            plain = "Value error, " not in message and found is not None and "type=missing" not in line
            yield (
                f"  {name[1]}{'.' if where else ''}{where}: {message.removeprefix('Value error, ')}"
                f"{f', found {found[1]}' if plain and found else ''}"
            )


def write_log(error: BaseException) -> Path:
    """Put the whole story of an error into a file of its own.

    Args:
        error: With its traceback.

    Returns:
        The file: below ``logs/`` in the project's folder; among the temporary files outside of a project, or where none
        can be written there.
    """
    name = f"{datetime.now():%Y-%m-%dT%H-%M-%S.%f}-{os.getpid()}.log"
    text = f"{shlex.join(sys.argv)}\nin {Path.cwd()}\n\n{''.join(traceback.format_exception(error))}"
    if project := find_kedro_project(Path.cwd()):
        with suppress(OSError):
            (project / LOGS).mkdir(exist_ok=True)
            return _written(text, project / LOGS / name)
    with suppress(OSError):
        return _written(text, Path(tempfile.mkdtemp(prefix="kedro-run-")) / name)
    return Path(os.devnull)


def _written(text: str, file: Path) -> Path:
    file.write_text(text, encoding="utf-8", errors="backslashreplace")
    return file
