"""What can be wrong with samples."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cross_modal_kd.storage import without_addresses

if TYPE_CHECKING:
    import pandas as pd


READ_BEFORE = (
    "It could be read when the samples table was made: restore it and run the same command again, or take it out of "
    "its source and run ingestion again"
)


class SamplesError(ValueError):
    """A set of samples that cannot be used as it is: the message names what, and what to do."""


class UnreadableSampleError(ValueError):
    """One file that cannot be decoded, or whose content is no use.

    Args:
        name: of the sample, for whoever looks for the file.
        reason: why, as ``rejected_samples`` has it: addresses in memory, which differ from run to run, are taken out.
    """

    def __init__(self, name: str, reason: str) -> None:
        reason = without_addresses(reason)
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason

    def __reduce__(self) -> tuple[type["UnreadableSampleError"], tuple[str, str]]:
        """As one process gives it to another."""
        return type(self), (self.name, self.reason)


@contextmanager
def read_before() -> Iterator[None]:
    """A context that reads files which ingestion has read: one that can be read no more says what to do.

    Yields:
        Nothing.

    Raises:
        SamplesError: a file is damaged, or the file system does not give it; the message names it.
    """
    try:
        yield
    except UnreadableSampleError as error:
        raise SamplesError(f"{error.name}: {error.reason}. {READ_BEFORE}") from error
    except OSError as error:
        if error.filename is None:
            raise
        why = f"the file cannot be read ({type(error).__name__}: {error.strerror})"
        raise SamplesError(f"{error.filename}: {why}. {READ_BEFORE}") from error


class TooManyRejectedError(SamplesError):
    """More of a source cannot be used than ``ingestion.max_rejected_share`` allows.

    Args:
        message: in words.
        rejected: source, path and reason.
    """

    def __init__(self, message: str, rejected: "pd.DataFrame") -> None:
        super().__init__(message)
        self.rejected = rejected


class ListingError(SamplesError):
    """Sources whose files cannot be listed: every one of them, in words.

    Args:
        errors: of each source.
        rows: of the samples table, of the sources that could be listed.
        rejected: source, path and reason, of these.
        counts: of published sets, of these.
    """

    def __init__(
        self, errors: "list[str]", rows: "pd.DataFrame", rejected: "pd.DataFrame", counts: "pd.DataFrame"
    ) -> None:
        super().__init__("\n".join(errors))
        self.errors, self.rows, self.rejected, self.counts = errors, rows, rejected, counts


def first_few(values: Iterable[object], limit: int = 5) -> str:
    """``'a', 'b', 'c' and 7 more``, in sorted order, for messages.

    Args:
        values: Names of any kind.
        limit: How many are shown, at least 1.

    Returns:
        Words for a message.

    >>> first_few(["b", "a", "c"], limit=2)
    "'a', 'b' and 1 more"
    """
    ordered = sorted(map(str, values))
    shown = ", ".join(map(repr, ordered[:limit]))
    return shown if len(ordered) <= limit else f"{shown} and {len(ordered) - limit} more"
