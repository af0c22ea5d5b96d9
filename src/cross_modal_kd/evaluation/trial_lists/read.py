"""Lists of trials: text files, CSV and Parquet tables of millions of rows, to numbers of names."""

import logging
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cross_modal_kd.samples import SamplesError, read_csv, require_columns
from cross_modal_kd.storage import encoding_of

if TYPE_CHECKING:
    import pyarrow as pa

logger = logging.getLogger(__name__)

BLOCK = 1 << 22  # bytes of a text that are parsed at a time; some are read ahead
ROWS = 1 << 17  # of a table at a time, and lines where a text is read word by word
TARGET = {"1": 1, "0": 0, "target": 1, "nontarget": 0, "true": 1, "false": 0}
COLUMNS = {
    "enrol": ("enrol", "enrol_id", "enroll", "enroll_id", "model"),
    "test": ("test", "test_id"),
    "label": ("label", "target"),
}
PICKLES = (".pkl", ".pickle")
PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip", ".tar", ".7z")
LINE = "expected 'label enrol test', 'enrol test label' or 'enrol test', labels being 1 and 0 or target and nontarget"


@dataclass(frozen=True)
class TrialList:
    """T trials of U names.

    Attributes:
        file: that they are of.
        names: U, each once.
        enrol: (T,) int32, number of the enrolment's name.
        test: (T,) int32, number of the test's.
        target: (T,) int8, 1 target, 0 impostor; None of a list without labels.
        choices: N of a list of 1:N matching, whose trials are N candidates of each probe, one after another, of which
            one is a target; None of a list of pairs.
    """

    file: Path
    names: list[str]
    enrol: np.ndarray
    test: np.ndarray
    target: np.ndarray | None
    choices: int | None = None

    def __len__(self) -> int:
        return len(self.enrol)

    @property
    def targets(self) -> int | None:
        """How many trials are targets; None of a list without labels."""
        return None if self.target is None else int(np.count_nonzero(self.target))

    def first_of(self, names: Collection[str]) -> tuple[str, str]:
        """Which of some names stands first, and where, for messages.

        Args:
            names: some of the list's, at least one.

        Returns:
            The name; the file with the line, of a Parquet file with the row.
        """
        asked = np.array([name in names for name in self.names])
        row = int(np.argmax(asked[self.enrol] | asked[self.test]))
        name = self.names[(self.enrol if asked[self.enrol[row]] else self.test)[row]]
        if self.file.suffix in (".parquet", *PICKLES):
            return name, f"{self.file}, row {row // (self.choices or 1) + 1}"
        words = ((number, re.split(r"[\s,;|\"]+", line)) for number, line in lines_of(self.file))
        line = next((number for number, found in words if name in found), row + 1)
        return name, f"{self.file}, line {line}"


def require_once(trials: TrialList) -> None:
    """A pair that stands in a list twice, or a file that is compared with itself, is a warning.

    Args:
        trials: the list, T trials; 16 to 24 bytes a trial are taken for a moment.

    Raises:
        SamplesError: one pair is a target and an impostor.
    """
    names = len(trials.names)
    short: Any = np.uint32 if 2 * names**2 < 2**32 else np.int64
    pairs = np.minimum(trials.enrol, trials.test).astype(short) * short(names)
    pairs += np.maximum(trials.enrol, trials.test).astype(short)
    pairs *= short(2)
    if trials.target is not None:
        pairs += trials.target.astype(short)
    pairs.sort()
    again = pairs[1:] >> 1 == pairs[:-1] >> 1
    if (both := pairs[1:][again & (pairs[1:] != pairs[:-1])] >> 1).size:
        one, other = divmod(int(both[0]), names)
        raise SamplesError(
            f"{trials.file}: {trials.names[one]!r} and {trials.names[other]!r} are a target trial and an impostor "
            f"trial too ({both.size:,} pairs are so): correct the list, or fetch it anew"
        )
    for count, what in (
        (np.count_nonzero(again), "stand in the list more than once, and count as often"),
        (np.count_nonzero(trials.enrol == trials.test), "compare a file with itself"),
    ):
        if count:
            logger.warning("%s: %s of its %s trials %s", trials.file, f"{count:,}", f"{len(trials):,}", what)


def _empty(file: Path) -> SamplesError:
    return SamplesError(f"{file}: the list holds no trial; {LINE}")


def target_of(word: str) -> int | None:
    """Whether a word is a label, and which; ``True`` and ``False``, as tables are written, are some.

    Args:
        word: of a line.

    Returns:
        1 or 0, None for what is no label.
    """
    return TARGET.get(word.lower())


class _Malformed(ValueError):
    """A row that is no trial. row: its place among those of the file, from 0; found: what is wrong with it."""

    def __init__(self, row: int, found: str) -> None:
        super().__init__(found)
        self.row, self.found = row, found


class _Gathered:
    """Rows of texts to numbers of names, block by block."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._parts: list[tuple[np.ndarray, ...]] = []
        self._rows = 0

    def add(self, enrol: "pa.Array", test: "pa.Array", label: "pa.Array | None") -> None:
        """Some more rows. Raises _Malformed."""
        sides = [self._coded(each, self._number, np.int32) for each in (enrol, test)]
        self._parts.append((*sides, *([] if label is None else [self._coded(label, target_of, np.int8)])))
        self._rows += len(enrol)

    def _coded(self, column: "pa.Array", number: Any, dtype: Any) -> np.ndarray:
        coded = column.dictionary_encode()
        values = coded.dictionary.to_pylist()
        numbers = [None if value in ("", None) else number(str(value).strip()) for value in values]
        rows = coded.indices.fill_null(-1).to_numpy()
        if None in numbers or (rows < 0).any():
            wrong = [place for place, value in enumerate(numbers) if value is None] + [-1]
            row = int(np.argmax(np.isin(rows, wrong)))
            raise _Malformed(self._rows + row, repr(values[rows[row]]) if rows[row] >= 0 else "nothing")
        return np.asarray(numbers, dtype=dtype)[rows]

    def _number(self, name: str) -> int:
        return self._numbers.setdefault(name, len(self._numbers))

    def all(self, file: Path) -> TrialList:
        """The whole list. Raises SamplesError where it is empty."""
        if not self._rows:
            raise _empty(file)
        enrol, test, *target = (np.concatenate(parts) for parts in zip(*self._parts, strict=True))
        return TrialList(file, list(self._numbers), enrol, test, target[0] if target else None)


def read_trials(file: Path) -> TrialList:
    """A list of trials; the order of its columns is found out from the labels.

    Args:
        file: a .csv or .parquet table with the columns ``enrol``, ``test`` and, where they are known, ``label``
            (``COLUMNS`` has their other names), or a text with a trial on each line.

    Returns:
        The list, nine bytes a trial.

    Raises:
        SamplesError: a line is no trial, a column is missing, or the list is empty or unreadable; it names file and
            line.
    """
    if not file.is_file():
        raise SamplesError(f"{file}: there is no such list of trials")
    if file.suffix.lower() in PACKED:
        raise SamplesError(f"{file}: a packed file is not read; unpack it, and give the list")
    if file.suffix.lower() in PICKLES:
        raise SamplesError(
            f"{file}: a pickle can run any code as it is loaded, so none is; one of plain trials is read as a list "
            "across two modalities (score_trials.teacher). Where you trust it, write its trials down as a text: "
            f"{LINE}"
        )
    if file.suffix == ".parquet":
        return _parquet(file)
    return _csv(file) if file.suffix == ".csv" else _text(file)


def _text(file: Path) -> TrialList:
    import pyarrow as pa
    from pyarrow import csv

    number, first = next(lines_of(file), (0, ""))
    if not number:
        raise _empty(file)
    order = _order(file, number, first.split())
    delimiter = "\t" if first.split("\t") == first.split() else " "
    gathered = _Gathered()
    try:
        batches = csv.open_csv(
            file,
            csv.ReadOptions(column_names=[str(place) for place in range(len(order))], block_size=BLOCK),
            csv.ParseOptions(delimiter=delimiter, quote_char=False),
            csv.ConvertOptions(column_types={str(place): pa.string() for place in range(len(order))}),
        )
        for batch in batches:
            gathered.add(*(None if place is None else batch.column(place) for place in _places(order)))
    except (pa.ArrowException, _Malformed):  # more blanks than one, or a line that is no trial: which?
        return _word_by_word(file, order)
    return gathered.all(file)


def _word_by_word(file: Path, order: list[str]) -> TrialList:
    """The list, parted at blanks of any number. Raises SamplesError for the first line that is no trial."""
    import pyarrow as pa

    gathered, rows = _Gathered(), list[list[str]]()
    label = order.index("label") if "label" in order else None

    def add() -> None:
        columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
        gathered.add(*(None if place is None else columns[place] for place in _places(order)))
        rows.clear()

    for number, line in lines_of(file):
        words = line.split()
        if len(words) != len(order) or (label is not None and target_of(words[label]) is None):
            raise SamplesError(
                f"{file}, line {number}: expected {' '.join(order)!r} as in the first line, found {line!r:.120}"
            )
        rows.append(words)
        if len(rows) == ROWS:
            add()
    if rows:
        add()
    return gathered.all(file)


def lines_of(file: Path) -> Iterator[tuple[int, str]]:
    """The lines of a text that are not blank.

    Args:
        file: in UTF-8.

    Yields:
        Number, from 1, and text.

    Raises:
        SamplesError: it is in no UTF-8.
    """
    try:
        with file.open("rb") as stream:
            encoding = encoding_of(stream.read(4))
        with file.open(encoding=encoding) as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield number, line.strip("\r\n")
    except UnicodeDecodeError as error:
        raise SamplesError(f"{file}: not a text in UTF-8 ({error.reason} 0x{error.object[error.start]:02x})") from error


def _order(file: Path, number: int, words: list[str]) -> list[str]:
    """What stands where, found out from the first line."""
    labels = [place for place in (0, 2) if len(words) == 3 and target_of(words[place]) is not None]
    if len(words) == 2:
        return ["enrol", "test"]
    if len(labels) != 1:
        raise SamplesError(f"{file}, line {number}: {LINE}; found {' '.join(words)!r:.120}")
    return ["label", "enrol", "test"] if labels == [0] else ["enrol", "test", "label"]


def _places(order: list[str]) -> list[int | None]:
    return [order.index(name) if name in order else None for name in ("enrol", "test", "label")]


def _csv(file: Path) -> TrialList:
    import pyarrow as pa
    from pyarrow import csv

    gathered = _Gathered()
    try:
        header = next(lines_of(file), (1, ""))[1].split(",")
        wanted = _columns(file, header)
        options = csv.ConvertOptions(include_columns=wanted, column_types=dict.fromkeys(wanted, pa.string()))
        for batch in csv.open_csv(file, csv.ReadOptions(block_size=BLOCK), convert_options=options):
            gathered.add(*_padded(batch.columns))
        return gathered.all(file)
    except (
        pa.ArrowException,
        _Malformed,
        SamplesError,
    ):  # another delimiter, quotes in the header, or an error: which?
        table = read_csv(file, [])
    wanted, gathered = _columns(file, table.columns), _Gathered()
    try:
        gathered.add(*_padded([pa.array(table[name].to_list(), pa.string()) for name in wanted]))
    except _Malformed as error:
        line = table.index[error.row]
        raise SamplesError(f"{file}, line {line}: expected names and a label of 1 or 0, found {error.found}") from error
    return gathered.all(file)


def _parquet(file: Path) -> TrialList:
    import pyarrow as pa
    import pyarrow.parquet as pq

    gathered = _Gathered()
    try:
        table = pq.ParquetFile(file)
        wanted = _columns(file, table.schema_arrow.names)
        for batch in table.iter_batches(ROWS, columns=wanted):
            columns = [_as_text(batch.column(batch.schema.get_field_index(name))) for name in wanted]
            gathered.add(*_padded(columns))
    except _Malformed as error:
        row = error.row + 1
        raise SamplesError(f"{file}, row {row}: expected names and a label of 1 or 0, found {error.found}") from error
    except (pa.ArrowException, OSError) as error:
        raise SamplesError(f"{file}: not a readable Parquet file ({error}); make it again") from error
    return gathered.all(file)


def _as_text(column: "pa.Array") -> "pa.Array":
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_floating(column.type):  # integers beside a blank
        column = column.cast(pa.int64())
    return column.cast(pa.string())


def _columns(file: Path, there: Iterable[str]) -> list[str]:
    """The columns of enrolment, test and, if there is one, label. Raises SamplesError."""
    there = [name.strip() for name in there]
    found = {kind: [name for name in names if name in there] for kind, names in COLUMNS.items()}
    require_columns(file, there, [found[kind][0] if found[kind] else kind for kind in ("enrol", "test")])
    return [found[kind][0] for kind in COLUMNS if found[kind]]


def _padded(columns: list["pa.Array"]) -> list["pa.Array | None"]:
    return [*columns, None][:3]
