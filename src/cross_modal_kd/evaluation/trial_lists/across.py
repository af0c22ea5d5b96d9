"""Lists across two modalities: pairs of a voice and a face, and a probe with its candidates (1:N matching)."""

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np

from cross_modal_kd.config import TaskConfig
from cross_modal_kd.evaluation.trial_lists.pickled import plain_rows
from cross_modal_kd.evaluation.trial_lists.read import COLUMNS, PICKLES, TrialList, lines_of, read_trials, target_of
from cross_modal_kd.evaluation.trial_lists.sides import unit_of_names
from cross_modal_kd.modalities import modality_of_ending
from cross_modal_kd.samples import AmbiguousNameError, EmbeddingTable, SamplesError, rows_of_names

PROBE, CANDIDATE, TRUE = "probe", re.compile(r"candidate_?\d+"), ("true", "index")
EXPECTED = (
    "'voice face label' (or the label first, 1 and 0 or target and nontarget), or 'probe candidate_1 ... candidate_N', "
    "the first of which is the true one, or with the true one's place, from 0, first or last"
)
ADVICE = (
    "One side of the list is of the student's samples (score_trials.embeddings), the other of the teacher's "
    "(score_trials.teacher), both of the dev or test split"
)


def read_across(file: Path, probes: Literal["voices", "faces"] | None = None) -> TrialList:
    """A list of pairs, or of probes with N candidates each; which of them its first line tells.

    Args:
        file: a text, a .csv file with a header (``read_trials``' columns; ``probe``, ``candidate_1``, ... and perhaps
            ``true``) or without, a .parquet file of pairs, or a .pkl file of plain lists (``[wav, jpg, 1]``), as
            vfal-eva has them.
        probes: of vfal-eva's files of matching, whose items are of both: which side is the probe; null: the voices.

    Returns:
        The list. Of probes: N trials each, in the order of the candidates, one of which is a target.

    Raises:
        SamplesError: a line is none of these or unlike the first, a probe's true place is none, or the list is empty or
            unreadable; it names file and line.
    """
    if probes is not None and file.suffix.lower() not in PICKLES:
        raise SamplesError(f"{file}: score_trials.probes is of vfal-eva's .pkl files; the probe of a text stands first")
    if file.suffix == ".parquet" or not file.is_file():
        return read_trials(file)
    rows = list(_rows(file, probes))
    if not rows:
        raise SamplesError(f"{file}: the list holds no trial; expected {EXPECTED}")
    header = rows[0][1] if file.suffix == ".csv" else []
    if {*COLUMNS["enrol"], *COLUMNS["test"]} & set(header):
        return read_trials(file)
    if PROBE in header:
        return _with_header(file, rows)
    words, places = _same_size(rows)
    size, label = words.shape[1], [column for column in (0, -1) if target_of(words[0, column]) is not None]
    if size == 3 and len(label) == 1:
        return _pairs(file, words, label[0], places)
    index = [column for column in (0, -1) if words[0, column].isdecimal()]
    if size < 3 or len(index) > 1 or (index and size < 4):
        raise SamplesError(f"{places[0]}: expected {EXPECTED}; found {' '.join(words[0])!r:.120}")
    names = np.delete(words, index[0], axis=1) if index else words
    return _choices(file, names[:, 0], names[:, 1:], words[:, index[0]] if index else None, places)


def sides_across(
    trials: TrialList, student: EmbeddingTable, teacher: EmbeddingTable, task: TaskConfig | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, str]]:
    """The unit vectors that a list across two modalities compares.

    The student's are those of its first d numbers, which the teacher's space binds. Which side of the list is the
    student's the endings of its names tell, where they are of the task's modalities; else where they are found.

    Args:
        trials: the list, T trials.
        student: (n, D) embeddings.
        teacher: (m, d) embeddings in the student's space, d <= D.
        task: names both modalities; None leaves it to where names are found.

    Returns:
        (V, d) vectors; the row of enrolment and of test in them, each (T,); and the modality of ``enrol`` and ``test``.

    Raises:
        SamplesError: a name has no embedding on its side, or the teacher's are longer than the student's.
    """
    if teacher.dim > student.dim:
        raise SamplesError(
            f"score_trials.teacher: expected embeddings in the student's space, of {student.dim} numbers at most, "
            f"found {teacher.dim}: take those that evaluation saves of the same run, teacher/embeddings"
        )
    bound = EmbeddingTable(student.sample_ids, student.values[:, : teacher.dim], student.fingerprint)
    (enrolled, enrol), (tested, test) = (used_names(each, trials.names) for each in (trials.enrol, trials.test))
    first = _student_first(enrolled, tested, student, teacher, task)
    of_enrol, of_test = (bound, teacher) if first else (teacher, bound)
    names = ("student", "teacher") if task is None else (task.student, task.teacher)
    vectors = [
        unit_of_names(side, table, trials, advice=ADVICE) for side, table in ((enrolled, of_enrol), (tested, of_test))
    ]
    sides = dict(zip(("enrol", "test"), names if first else names[::-1], strict=True))
    return np.concatenate(vectors), enrol, test + np.int32(len(enrolled)), sides


def used_names(numbers: np.ndarray, names: list[str]) -> tuple[list[str], np.ndarray]:
    """The names that one side of a list uses.

    Args:
        numbers: (T,) of the names.
        names: all of the list's.

    Returns:
        Those that are used, and (T,) the trials' numbers among these.
    """
    there = np.zeros(len(names), dtype=bool)
    there[numbers] = True
    place = np.cumsum(there, dtype=np.int32) - np.int32(1)
    return [names[number] for number in np.flatnonzero(there).tolist()], place[numbers]


def _rows(file: Path, probes: Literal["voices", "faces"] | None) -> Iterator[tuple[str, list[str]]]:
    """(file and line, words) of every line or item."""
    if file.suffix.lower() in PICKLES:
        yield from ((f"{file}, item {n}", words) for n, words in enumerate(plain_rows(file, EXPECTED, probes), 1))
    elif file.suffix == ".csv":
        lines = list(lines_of(file))
        for (number, _), words in zip(lines, csv.reader(line for _, line in lines), strict=False):
            yield f"{file}, line {number}", [word.strip() for word in words]
    else:
        yield from ((f"{file}, line {number}", line.split()) for number, line in lines_of(file))


def _same_size(rows: list[tuple[str, list[str]]]) -> tuple[np.ndarray, list[str]]:
    """(L, words) of L lines, and their places."""
    size = len(rows[0][1])
    for place, words in rows:
        if len(words) != size or "" in words:
            raise SamplesError(f"{place}: expected {size} names and labels as in the first line, found {words!r:.120}")
    return np.array([words for _, words in rows], dtype=object).reshape(len(rows), size), [place for place, _ in rows]


def _with_header(file: Path, rows: list[tuple[str, list[str]]]) -> TrialList:
    """Of columns ``probe``, ``candidate_1``, ... and perhaps the true one's place."""
    words, places = _same_size(rows)
    header = words[0].tolist()
    candidates = [column for column, name in enumerate(header) if CANDIDATE.fullmatch(name)]
    true = next((header.index(name) for name in TRUE if name in header), None)
    if len(words) < 2:
        raise SamplesError(f"{file}: the list holds no trial; expected {EXPECTED}")
    words, places = words[1:], places[1:]
    at = None if true is None else words[:, true]
    return _choices(file, words[:, header.index(PROBE)], words[:, candidates], at, places)


def _pairs(file: Path, words: np.ndarray, label: int, places: list[str]) -> TrialList:
    targets = [target_of(word) for word in words[:, label]]
    if None in targets:
        row = targets.index(None)
        raise SamplesError(f"{places[row]}: expected a label of 1 or 0, found {words[row, label]!r}")
    names, numbers = _numbered(np.delete(words, label, axis=1))
    return TrialList(file, names, numbers[:, 0], numbers[:, 1], np.array(targets, dtype=np.int8))


def _choices(
    file: Path, probes: np.ndarray, candidates: np.ndarray, true: np.ndarray | None, places: list[str]
) -> TrialList:
    """A list of 1:N matching."""
    count, size = candidates.shape
    if size < 2:
        raise SamplesError(f"{places[0]}: expected two candidates of each probe at least, found {size}; {EXPECTED}")
    at = np.zeros(count, dtype=np.int64)
    for row, place in enumerate(true if true is not None else ()):
        if not place.isdecimal() or int(place) >= size:
            raise SamplesError(f"{places[row]}: expected the true one's place, 0 to {size - 1}, found {place!r}")
        at[row] = int(place)
    twice = [row for row, each in enumerate(candidates) if each[at[row]] in np.delete(each, at[row])]
    if twice:
        raise SamplesError(
            f"{places[twice[0]]}: its true candidate {candidates[twice[0], at[twice[0]]]!r} stands there twice"
        )
    names, numbers = _numbered(np.column_stack([probes, candidates]))
    target = (np.arange(size) == at[:, None]).astype(np.int8)
    return TrialList(file, names, np.repeat(numbers[:, 0], size), numbers[:, 1:].ravel(), target.ravel(), size)


def _numbered(words: np.ndarray) -> tuple[list[str], np.ndarray]:
    names, numbers = np.unique(words.astype(str), return_inverse=True)
    return names.tolist(), numbers.reshape(words.shape).astype(np.int32)


def _student_first(
    enrolled: list[str], tested: list[str], student: EmbeddingTable, teacher: EmbeddingTable, task: TaskConfig | None
) -> bool:
    """Whether the list's first side is the student's."""
    if task is not None:
        of_side = _modality(enrolled), _modality(tested)
        if of_side in ((task.student, task.teacher), (task.teacher, task.student)):
            return of_side[0] == task.student
    straight = _found(enrolled, student) + _found(tested, teacher)
    return straight >= _found(enrolled, teacher) + _found(tested, student)


def _modality(names: Sequence[str]) -> str | None:
    """The modality of all names by their endings; None where they differ or say nothing."""
    endings = {PurePosixPath(name).suffix for name in names}
    found = {None if (each := modality_of_ending(ending)) is None else each.name for ending in endings}
    return found.pop() if len(found) == 1 else None


def _found(names: Sequence[str], table: EmbeddingTable) -> float:
    """The share of names that have an embedding."""
    try:
        return float((rows_of_names(names, table.sample_ids) >= 0).mean())
    except AmbiguousNameError:
        return 0.0
