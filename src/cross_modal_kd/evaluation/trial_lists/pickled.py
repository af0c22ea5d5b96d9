"""Pickles of plain trials, as vfal-eva publishes its items: read without a class or a function being looked up.

A pickle is a program: it can name anything that can be imported, and call it. Here it may build lists, tuples,
dictionaries, strings and numbers, and every other instruction is refused before it runs.
"""

import io
import pickle
import struct
from pathlib import Path
from typing import Any, NoReturn

from cross_modal_kd.samples import SamplesError

ALLOWED = frozenset(
    code[0]
    for code in (
        *(pickle.PROTO, pickle.FRAME, pickle.STOP, pickle.MARK, pickle.POP, pickle.POP_MARK),
        *(pickle.NONE, pickle.NEWTRUE, pickle.NEWFALSE, pickle.FLOAT, pickle.BINFLOAT),
        *(pickle.INT, pickle.BININT, pickle.BININT1, pickle.BININT2, pickle.LONG, pickle.LONG1, pickle.LONG4),
        *(pickle.STRING, pickle.BINSTRING, pickle.SHORT_BINSTRING),
        *(pickle.UNICODE, pickle.BINUNICODE, pickle.SHORT_BINUNICODE, pickle.BINUNICODE8),
        *(pickle.EMPTY_LIST, pickle.LIST, pickle.APPEND, pickle.APPENDS),
        *(pickle.EMPTY_TUPLE, pickle.TUPLE, pickle.TUPLE1, pickle.TUPLE2, pickle.TUPLE3),
        *(pickle.EMPTY_DICT, pickle.DICT, pickle.SETITEM, pickle.SETITEMS),
        *(pickle.PUT, pickle.BINPUT, pickle.LONG_BINPUT, pickle.MEMOIZE),
        *(pickle.GET, pickle.BINGET, pickle.LONG_BINGET),
        *(pickle.GLOBAL, pickle.STACK_GLOBAL, pickle.INST),
    )
)
"""The last three name a class, which ``find_class`` refuses with its name."""


MOST = 2**63
"""Of a number; one of a thousand digits takes minutes to write down."""


class _Refused(ValueError):
    """What a pickle asks for and is not given."""


class _Plain(pickle._Unpickler):
    """The unpickler in Python, whose memo is a dictionary: C's makes room for whatever number a pickle writes."""

    dispatch = {code: load for code, load in pickle._Unpickler.dispatch.items() if code in ALLOWED}

    def find_class(self, module: str, name: str) -> NoReturn:
        """Refuse."""
        raise _Refused(f"it asks for {module}.{name}, and a pickle of trials is plain lists, texts and numbers")


def plain_rows(file: Path, expected: str) -> list[list[str]]:
    """The items of a pickled list, each a list of names and perhaps a label.

    Args:
        file: that is there.
        expected: what an item is, for messages.

    Returns:
        A list of words for each item.

    Raises:
        SamplesError: it asks for a class or for what is no container, text or number; is damaged; or holds other items.
    """
    advice = f"where you trust it, write its items down as a text, one a line: {expected}"
    try:
        found = _Plain(io.BytesIO(file.read_bytes()), encoding="utf-8").load()
    except _Refused as error:
        raise SamplesError(f"{file}: this pickle is not loaded: {error}; {advice}") from error
    except KeyError as error:  # an instruction that is not in the table
        raise SamplesError(
            f"{file}: this pickle is not loaded: it holds the instruction {error}, which plain lists, texts and "
            f"numbers do not need; {advice}"
        ) from error
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError, IndexError, struct.error, OSError,
            MemoryError, OverflowError) as error:  # fmt: skip
        raise SamplesError(
            f"{file}: not a readable pickle ({type(error).__name__}: {error}); fetch it again"
        ) from error
    if not isinstance(found, list | tuple):
        raise SamplesError(f"{file}: expected a list of items, found {_what(found)}; {advice}")
    return [_words(file, number, item, advice) for number, item in enumerate(found, 1)]


def _words(file: Path, number: int, item: Any, advice: str) -> list[str]:
    if not isinstance(item, list | tuple) or not all(map(_is_word, item)):
        raise SamplesError(
            f"{file}, item {number}: expected a list of names and a label, found {_what(item)}; {advice}"
        )
    return [str(int(each)) if isinstance(each, bool) else str(each) for each in item]


def _is_word(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, int) and abs(value) < MOST)


def _what(found: Any) -> str:
    return f"{type(found).__name__} of {len(found)}" if hasattr(found, "__len__") else type(found).__name__
