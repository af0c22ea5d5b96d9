"""What the names of a list stand for: embeddings, models of several utterances, and the cohort beside them."""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cross_modal_kd.evaluation.trial_lists.read import TrialList
from cross_modal_kd.metrics import unit_rows
from cross_modal_kd.samples import (
    AmbiguousNameError,
    EmbeddingTable,
    SamplesError,
    first_few,
    read_csv,
    read_parquet,
    rows_of_names,
)
from cross_modal_kd.storage import text_in

logger = logging.getLogger(__name__)

NAMES, SPEAKERS = ("name", "sample_id", "utterance"), ("speaker", "label")


Centre = np.ndarray | float
"""(D,) what is subtracted from every embedding first; 0 leaves them as they are."""


ADVICE = (
    "Give the embeddings that the list is about (score_trials.embeddings), or the list of models (score_trials.models)"
)


def unit_of_names(
    names: Sequence[str], table: EmbeddingTable, trials: TrialList, centre: Centre = 0.0, advice: str = ADVICE
) -> np.ndarray:
    """Embeddings of some names of a list.

    Args:
        names: n of them.
        table: of all embeddings.
        trials: the list, for messages.
        centre: subtracted first.
        advice: what to do about a name that has none.

    Returns:
        (n, D) unit vectors.

    Raises:
        SamplesError: a name has no embedding, may be one of several, or has one without a direction.
    """
    rows = _rows(names, table, lambda name: trials.first_of([name])[1])
    if lacking := {name for name, row in zip(names, rows.tolist(), strict=True) if row < 0}:
        first, place = trials.first_of(lacking)
        raise SamplesError(f"{place}: {first!r} has no embedding{_and_more(len(lacking))}; {_there(table)}. {advice}")
    values = table.values[rows] - centre
    return _unit(values, lambda row: f"{trials.first_of([names[row]])[1]}: the embedding of {names[row]!r}")


def unit_of_models(
    names: Sequence[str],
    models: Mapping[str, Sequence[str]],
    file: Path,
    table: EmbeddingTable,
    trials: TrialList,
    centre: Centre = 0.0,
) -> np.ndarray:
    """Models of some names of a list: the mean of their utterances' unit embeddings, of unit length again.

    Args:
        names: n of them.
        models: utterances by model.
        file: that these are of, for messages.
        table: of all embeddings.
        trials: the list, for messages.
        centre: subtracted from each utterance first.

    Returns:
        (n, D) unit vectors.

    Raises:
        SamplesError: a name is no model, or an utterance has no embedding, or they cancel each other out.
    """
    if lacking := {name for name in names if name not in models}:
        first, place = trials.first_of(lacking)
        raise SamplesError(
            f"{place}: {first!r} is no model of {file}{_and_more(len(lacking))}; there are {first_few(models, 3)}"
        )
    utterances = [utterance for name in names for utterance in models[name]]
    rows = _rows(utterances, table, lambda _: str(file))
    if (lacking_rows := np.flatnonzero(rows < 0)).size:
        first = utterances[lacking_rows[0]]
        of = next(name for name in names if first in models[name])
        raise SamplesError(
            f"{file}: {first!r} of the model {of!r} has no embedding{_and_more(len(lacking_rows))}; {_there(table)}"
        )
    counts = np.array([len(models[name]) for name in names])
    sums = np.add.reduceat(unit_rows(table.values[rows] - centre), np.cumsum(counts) - counts, axis=0)
    return _unit(sums, lambda row: f"{file}: the mean of the model {names[row]!r}")


def read_models(file: Path) -> dict[str, list[str]]:
    """Utterances of each model.

    Args:
        file: a text with ``model utterance utterance ...`` on each line.

    Returns:
        Utterances by model.

    Raises:
        SamplesError: a line has no utterance, or a model has two lines; it is named.
    """
    models: dict[str, list[str]] = {}
    for number, (model, *utterances) in word_lines(file):
        if not utterances or model in models:
            found = "a model without any" if not utterances else "a second line of that model"
            raise SamplesError(
                f"{file}, line {number}: expected 'model utterance utterance ...', found {found}: {model!r}"
            )
        models[model] = utterances
    if not models:
        raise SamplesError(f"{file}: the list holds no model")
    return models


def enrolment_of(trials: TrialList, file: Path | None) -> str:
    """How enrolments are made, in words for tables.

    CN-Celeb publishes two protocols, whose figures are not to be set beside each other: Avg is the mean of the
    embeddings of ``enroll.map``, Concat the embedding of these utterances joined into one file.

    Args:
        trials: the list.
        file: of its models; None where its enrolments are samples.

    Returns:
        The words.
    """
    names = [trials.names[number] for number in np.unique(trials.enrol).tolist()]
    sizes = [1] if file is None else [len(utterances) for utterances in read_models(file).values()]
    if max(sizes) > 1:
        return f"Avg: the mean of the unit embeddings of {min(sizes)} to {max(sizes)} utterances of each model"
    joined = all(name.partition(".")[0].endswith("-enroll") for name in names)
    return "Concat: the one embedding of a file of joined utterances" if joined else "the embedding of one utterance"


def cohort_of(table: EmbeddingTable, labels: Path) -> tuple[np.ndarray, list[str]]:
    """The embeddings of a cohort, and whose they are.

    Args:
        table: with embeddings of training samples.
        labels: the file that says whose they are, as ``AsNormConfig`` has it; rows of a table without a speaker are
            left out, and so are names without an embedding, which the log says.

    Returns:
        n rows of the table; n speakers.

    Raises:
        SamplesError: no name has an embedding, one is given to two speakers, or a line or column is wrong.
    """
    names, speakers = _labels(labels)
    rows = _rows(names, table, lambda _: str(labels))
    there = rows >= 0
    given = pd.DataFrame({"name": names, "speaker": speakers}).drop_duplicates()["name"]
    if (twice := given[given.duplicated()]).size:
        raise SamplesError(f"{labels}: {first_few(twice)} is given to more than one speaker; keep one line of it")
    found = np.asarray(speakers, dtype=object)[there].tolist()
    logger.info(
        "cohort: %d speakers of %d embeddings; %d of the %d names in %s have none",
        *(len(set(found)), there.sum(), (~there).sum(), len(there), labels),
    )
    if len(set(found)) < 2:
        raise SamplesError(
            f"{labels}: {len(set(found))} of its speakers have an embedding, a cohort needs at least two; "
            f"{_there(table)}. Give the embeddings of the training samples (score_trials.as_norm.embeddings)"
        )
    return rows[there], found


def cohort_means(values: np.ndarray, speakers: Sequence[str], labels: Path) -> np.ndarray:
    """The speakers of a cohort: the mean of each one's unit embeddings, of unit length again.

    Args:
        values: (n, D) embeddings.
        speakers: n, whose they are.
        labels: the file that says it, for messages.

    Returns:
        (C, D) unit vectors, by the speakers' names.

    Raises:
        SamplesError: the embeddings of a speaker cancel each other out.
    """
    codes, found = pd.factorize(np.asarray(speakers, dtype=object), sort=True)
    sums = np.zeros((len(found), values.shape[1]), dtype=np.float32)
    np.add.at(sums, codes, unit_rows(values))
    return _unit(sums, lambda row: f"{labels}: the mean of the speaker {found[row]!r}")


def speakers_of(names: Sequence[str], file: Path) -> list[str | None]:
    """Whose some utterances are.

    Args:
        names: n of them.
        file: as ``AsNormConfig.labels``; of a table all rows count, of whatever split.

    Returns:
        n speakers, None of those whom the file does not name.

    Raises:
        SamplesError: a name may be one of several, or the file is wrong.
    """
    known = dict(zip(*_labels(file, every=True), strict=True))
    speakers = list(known.values())
    return [None if row < 0 else speakers[row] for row in rows_of(names, list(known), str(file)).tolist()]


def flat_members(members: Sequence[Sequence[str]]) -> tuple[list[str], np.ndarray]:
    """The utterances of several sides in one list.

    Args:
        members: of each of V sides, one at least.

    Returns:
        All of them, and (V,) where each side's begin.
    """
    counts = np.array([len(each) for each in members])
    return [name for each in members for name in each], np.cumsum(counts) - counts


def magnitudes_of(
    names: Sequence[str], starts: np.ndarray, table: EmbeddingTable, centre: Centre, place: str
) -> np.ndarray:
    """The length of each side's embedding, of a model that of the mean of its utterances'.

    Args:
        names: of ``flat_members``, which have embeddings.
        starts: likewise, (V,).
        table: of embeddings.
        centre: subtracted first.
        place: where the names stand, for messages.

    Returns:
        (V,) float64, above 0.
    """
    values = table.values[rows_of(names, table.sample_ids, place)] - centre
    counts = np.diff(np.append(starts, len(values)))
    return np.linalg.norm(np.add.reduceat(values, starts, axis=0, dtype=np.float64) / counts[:, None], axis=1)


def _labels(file: Path, every: bool = False) -> tuple[list[str], list[str]]:
    """Names and speakers, of a table with splits those of its training rows, or of every one."""
    if file.suffix not in (".parquet", ".csv"):
        pairs = []
        for number, words in word_lines(file):
            if len(words) != 2:
                raise SamplesError(
                    f"{file}, line {number}: expected 'utterance speaker', found {' '.join(words)!r:.120}"
                )
            pairs.append(words)
        return [name for name, _ in pairs], [speaker for _, speaker in pairs]
    rows = read_parquet(file) if file.suffix == ".parquet" else read_csv(file, [])
    columns = [next((name for name in kinds if name in rows), None) for kinds in (NAMES, SPEAKERS)]
    if None in columns:
        raise SamplesError(
            f"{file}: expected columns 'name' and 'speaker' (or 'sample_id' and 'label'), found {list(rows)}"
        )
    if "split" in rows and not every:
        rows = rows[rows["split"] == "train"]
    said = pd.DataFrame({column: filled(rows[column]) for column in columns})
    named = said.dropna()
    if len(named) < len(said):
        logger.info("%s: %d of its %d rows have no %s or no %s", file, len(said) - len(named), len(said), *columns)
    name, speaker = (named[column].tolist() for column in columns)
    return name, speaker


def filled(column: pd.Series) -> pd.Series:
    """A column of a table as text, null where a cell is blank: nobody is called that.

    Args:
        column: (n,) of any type; a CSV has blank cells as empty text.

    Returns:
        (n,) text, with its index.
    """
    text = column.astype("str")
    return text.where(column.notna() & (text.str.strip() != ""))


def word_lines(file: Path) -> list[tuple[int, list[str]]]:
    """The words of each line of a text, without blank lines.

    Args:
        file: in UTF-8.

    Returns:
        Number of the line and its words.

    Raises:
        SamplesError: it cannot be read.
    """
    try:
        lines = text_in(file).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SamplesError(f"{file}: not a readable text in UTF-8 ({error})") from error
    return [(number, line.split()) for number, line in enumerate(lines, 1) if line.strip()]


def rows_of(names: Sequence[str], there: Sequence[str], place: str) -> np.ndarray:
    """The row of each name, -1 where there is none.

    Args:
        names: n of them.
        there: N names, each once.
        place: where the first stand, for messages.

    Returns:
        (n,).

    Raises:
        SamplesError: a name may be one of several.
    """
    try:
        return rows_of_names(names, there)
    except AmbiguousNameError as error:
        raise SamplesError(f"{place}: {error}") from error


def _rows(names: Sequence[str], table: EmbeddingTable, place_of: Callable[[str], str]) -> np.ndarray:
    try:
        return rows_of_names(names, table.sample_ids)
    except AmbiguousNameError as error:
        raise SamplesError(f"{place_of(error.name)}: {error}") from error


def _unit(values: np.ndarray, what: Callable[[int], str]) -> np.ndarray:
    """(n, D) unit vectors of others; SamplesError for one of zeros, which has no cosine with anything."""
    if (zeros := np.flatnonzero(~values.any(axis=1))).size:
        raise SamplesError(
            f"{what(int(zeros[0]))} is all zeros{_and_more(len(zeros), 'vectors')}: it has no direction and no score. "
            "Make the embeddings again, or take it out"
        )
    return unit_rows(values)


def _and_more(count: int, what: str = "names") -> str:
    return f" (and {count - 1} {what} more)" if count > 1 else ""


def _there(table: EmbeddingTable) -> str:
    return f"there are {len(table)}, such as {first_few(table.sample_ids[:2])}" if len(table) else "there are none"
