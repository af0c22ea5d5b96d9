"""Names of a list among those that there are: with or without folders before them and an ending behind."""

import re
from collections.abc import Sequence

import numpy as np

from cross_modal_kd.samples.errors import SamplesError
from cross_modal_kd.samples.names import one_form

ENDING = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}$")  # .wav, .flac, .m4a, .jpeg
KALDI = re.compile(r"(id[0-9]{5})-([A-Za-z0-9_-]{11})-([0-9]{5})$")  # VoxCeleb's names as Kaldi's recipes join them
ENLARGED = "1.6"  # the folder of VoxCeleb1's crops that lists leave out: boxes enlarged so much
NONE, SEVERAL = -1, -2


class AmbiguousNameError(SamplesError):
    """A name that may be one of several.

    Args:
        name: as a list has it.
        alike: some of what it may be.
    """

    def __init__(self, name: str, alike: Sequence[str]) -> None:
        super().__init__(f"{name!r} may be {' or '.join(map(repr, alike))}: write it as one of them is written")
        self.name = name


def rows_of_names(wanted: Sequence[str], there: Sequence[str]) -> np.ndarray:
    """The row of each name: of the very same one, else of the only one that is the same but for what may differ.

    First the ending may differ or lack (lists say .wav where files are .flac), and ``./``, ``/`` or a backslash; then
    either name may have folders before the other: ``id1/clip/1.wav`` is ``voxceleb/id1/clip/1``, and so is
    ``/data/wav/voxceleb/id1/clip/1.wav``. An utterance of VoxCeleb may be written as Kaldi's recipes do,
    ``id10270-x6uYqmx31kE-00001``, a crop of VoxCeleb1 without the folder ``1.6``; a member of a tar
    (``set/0.tar#id1/1.wav``) by its name in it.

    Args:
        wanted: n names.
        there: N names, each once.

    Returns:
        (n,) rows, -1 where there is none.

    Raises:
        AmbiguousNameError: A name may be one of several.

    >>> rows_of_names(["a/1.wav", "b/1.flac", "c/1.wav"], ["set/a/1", "b/1.wav"]).tolist()
    [0, 1, -1]
    """
    known = {name: row for row, name in enumerate(there)}
    rows = np.array([known.get(name, NONE) for name in wanted], dtype=np.intp)
    for find in (_but_for_endings, _but_for_folders):
        left = np.flatnonzero(rows == NONE)
        if not len(left):
            break
        rows[left] = find([wanted[place] for place in left.tolist()], there)
        if (several := left[rows[left] == SEVERAL]).size:
            name = wanted[several[0]]
            alike = [each for each in there if _alike(name, each)][:2]
            raise AmbiguousNameError(name, alike)
    return rows


def _alike(name: str, other: str) -> bool:
    """Whether one is the end of the other, folder by folder, but for endings."""
    one, two = f"/{_plain(name)}", f"/{_plain(other)}"
    return one.endswith(two) or two.endswith(one)


def _plain(name: str) -> str:
    folders = one_form(name).replace("\\", "/").replace(".tar#", ".tar/").split("/")
    parts = [part for part in folders if part not in ("", ".", ENLARGED)]
    plain = ENDING.sub("", "/".join(parts))
    return KALDI.sub(r"\1/\2/\3", plain) if plain[-6:-5] == "-" else plain


def _but_for_endings(wanted: list[str], there: Sequence[str]) -> list[int]:
    known: dict[str, int] = {}
    for row, name in enumerate(there):
        plain = _plain(name)
        known[plain] = SEVERAL if plain in known else row
    return [known.get(_plain(name), NONE) for name in wanted]


def _but_for_folders(wanted: list[str], there: Sequence[str]) -> list[int]:
    """Ends of the names that there are are looked up among those wanted, so that memory grows with these alone."""
    plain = [_plain(name) for name in wanted]
    found = dict.fromkeys(plain, NONE)
    ends: dict[str, list[str]] = {}
    for name in found:
        for end in _ends(name):
            ends.setdefault(end, []).append(name)
    for row, name in enumerate(map(_plain, there)):
        for longer in [*ends.get(name, ()), *(end for end in _ends(name) if end in found)]:
            found[longer] = row if found[longer] == NONE else SEVERAL
    return [found[name] for name in plain]


def _ends(name: str) -> list[str]:
    """The name without its first folder, its first two, and so on."""
    parts = name.split("/")
    return ["/".join(parts[start:]) for start in range(1, len(parts))]
