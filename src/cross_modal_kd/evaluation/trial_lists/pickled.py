"""Pickles of plain trials, as vfal-eva publishes its items: read without a class or a function being looked up.

A pickle is a program: it can name anything that can be imported, and call it. Here it may build lists, tuples, sets,
dictionaries, strings and numbers, and every other instruction is refused before it runs. numpy's texts, in which
vfal-eva's items have the names of people, are read by what stands here in the place of numpy's own classes.
"""

import io
import pickle
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Literal

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
        *(pickle.EMPTY_SET, pickle.ADDITEMS, pickle.BINBYTES, pickle.SHORT_BINBYTES),
        *(pickle.PUT, pickle.BINPUT, pickle.LONG_BINPUT, pickle.MEMOIZE),
        *(pickle.GET, pickle.BINGET, pickle.LONG_BINGET),
        *(pickle.GLOBAL, pickle.STACK_GLOBAL, pickle.INST, pickle.REDUCE, pickle.BUILD),
    )
)
"""The last five name a class, call it, or give an object its state: of what ``KNOWN`` has, and of nothing else."""


MOST = 2**63
"""Of a number; one of a thousand digits takes minutes to write down."""


class _Refused(ValueError):
    """What a pickle asks for and is not given."""


class _TextType:
    """In the place of numpy's dtype of a text of so many characters."""

    def __init__(self, kind: str, *_: Any) -> None:
        if not re.fullmatch(r"U[0-9]{1,4}", kind):
            raise _Refused(f"it asks for numpy.dtype({kind!r}), and a pickle of trials has plain numbers")

    def built(self, state: Any) -> None:
        """Take the state that numpy gives it, of which the order of bytes counts."""
        if not isinstance(state, tuple) or len(state) < 2 or state[1] != "<":
            raise _Refused(f"it asks for a numpy.dtype of the state {state!r:.60}")


def _text(kind: _TextType, raw: bytes) -> str:
    """In the place of numpy's scalar."""
    if not isinstance(kind, _TextType) or not isinstance(raw, bytes):
        raise _Refused("it asks for a numpy.scalar that is no text")
    return raw.decode("utf-32-le").rstrip("\0")


KNOWN: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(("builtins.set", "__builtin__.set"), set),
    "numpy.dtype": _TextType,
    **dict.fromkeys(("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar"), _text),
}


class _Plain(pickle._Unpickler):
    """The unpickler in Python, whose memo is a dictionary: C's makes room for whatever number a pickle writes."""

    stack: list[Any]
    dispatch: ClassVar[dict[int, Callable[..., None]]] = {
        code: load for code, load in pickle._Unpickler.dispatch.items() if code in ALLOWED
    }

    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        """What stands here in the place of a class; every other is refused."""
        if (found := KNOWN.get(f"{module}.{name}")) is None:
            raise _Refused(f"it asks for {module}.{name}, and a pickle of trials is plain lists, texts and numbers")
        return found

    def load_reduce(self) -> None:
        """Call what ``find_class`` has found, and nothing else."""
        given = self.stack.pop()
        if not any(self.stack[-1] is each for each in KNOWN.values()) or not isinstance(given, tuple):
            raise _Refused("it calls what is no class")
        self.stack[-1] = self.stack[-1](*given)

    def load_build(self) -> None:
        """Give numpy's type of a text its state, and nothing else any."""
        state = self.stack.pop()
        if not isinstance(self.stack[-1], _TextType):
            raise _Refused("it changes an object")
        self.stack[-1].built(state)

    dispatch[pickle.REDUCE[0]] = load_reduce
    dispatch[pickle.BUILD[0]] = load_build


def plain_rows(file: Path, expected: str, probes: Literal["voices", "faces"] | None = None) -> list[list[str]]:
    """The items of a pickled list, each a list of names and perhaps a label.

    vfal-eva's files are dictionaries (its scripts): ``list`` has items of verification, ``[wav, jpg, label]``;
    ``match_list`` of matching, ``(name, wav, jpg, other name, other wav, other jpg)``, or ``[wavs, jpgs]`` of N people
    each, the first of whom is asked for. Either a voice is the probe among faces or a face among voices.

    Args:
        file: that is there.
        expected: what an item is, for messages.
        probes: of a ``match_list``; null takes voices.

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
    if isinstance(found, dict) and "match_list" in found:
        items = _matching(file, found["match_list"], probes or "voices", advice)
    else:
        if probes is not None:
            raise SamplesError(f"{file}: score_trials.probes is of a pickle with a match_list, found {_what(found)}")
        items = found["list"] if isinstance(found, dict) and "list" in found else found
    if not isinstance(items, list | tuple):
        has = f" with {', '.join(map(repr, found))}" if isinstance(found, dict) else ""
        raise SamplesError(f"{file}: expected a list of items, found {_what(found)}{has:.200}; {advice}")
    return [_words(file, number, item, advice) for number, item in enumerate(items, 1)]


def _matching(file: Path, items: Any, probes: str, advice: str) -> list[list[Any]]:
    """The probe and its candidates, the true one first, of every item of a ``match_list``."""
    rows = []
    for number, item in enumerate(items if isinstance(items, list | tuple) else [items], 1):
        match item:
            case (_, wav, jpg, _, other_wav, other_jpg):
                sides = [[wav, other_wav], [jpg, other_jpg]]
            case (list() | tuple() as wavs, list() | tuple() as jpgs) if wavs and jpgs:
                sides = [[*wavs], [*jpgs]]
            case _:
                raise SamplesError(
                    f"{file}, item {number} of its match_list: expected six names, or a list of sounds and one of "
                    f"images, found {_what(item)}; {advice}"
                )
        asked, among = sides if probes == "voices" else sides[::-1]
        rows.append([asked[0], *among])
    return rows


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
