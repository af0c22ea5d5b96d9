"""Sounds of one speaker as one: an address ``a.flac#join/b.flac/c.flac`` is what is heard of them in turn."""

import io
from pathlib import Path, PurePosixPath

import numpy as np

from cross_modal_kd.samples.errors import SamplesError, UnreadableSampleError
from cross_modal_kd.samples.stretches import stretch_bytes

JOIN = "join/"


def joined_path(paths: list[str]) -> str:
    """Address of several recordings as one.

    Args:
        paths: at least two, relative to their source's root, in one folder; each ends as one of ``CUT`` does.

    Returns:
        The path of the first and the names of the others.

    >>> joined_path(["id1/a.flac", "id1/b.flac", "id1/c.flac"])
    'id1/a.flac#join/b.flac/c.flac'
    """
    first, *others = paths
    return f"{first}#{JOIN}" + "/".join(PurePosixPath(path).name for path in others)


def joined_files(path: str) -> list[str]:
    """The files that an address is read from.

    Args:
        path: as a source or ``joined_path`` gives it.

    Returns:
        Their paths; the path alone where it is not of several.

    >>> joined_files("id1/a.flac#join/b.flac/c.flac")
    ['id1/a.flac', 'id1/b.flac', 'id1/c.flac']
    """
    first, mark, others = path.partition(f"#{JOIN}")
    return [first, *(str(PurePosixPath(first).with_name(name)) for name in others.split("/"))] if mark else [path]


def recording_bytes(file: Path, member: str, source: str) -> bytes:
    """A stretch of a recording, or several recordings as one, as a WAV file.

    Args:
        file: the (first) recording.
        member: ``t=start,end``, or ``join/`` and the names of the others, which lie beside it.
        source: of the recording, for errors.

    Returns:
        The bytes of a WAV.

    Raises:
        SamplesError: the member is no such address, or a file is missing.
        UnreadableSampleError: a file is no sound, is damaged, or has another rate or number of channels than the first.
    """
    if not member.startswith(JOIN):
        return stretch_bytes(file, member, source)
    import soundfile

    waves, rates, subtypes = [], set(), set()
    for each in (file, *(file.with_name(name) for name in member.removeprefix(JOIN).split("/"))):
        if not each.is_file():
            raise SamplesError(f"{source}: the file {each} is missing; restore it, or run ingestion again")
        try:
            with soundfile.SoundFile(each) as sound:
                rates.add((sound.samplerate, sound.channels))
                subtypes.add(sound.subtype)
                waves.append(sound.read(dtype="float32"))
        except soundfile.SoundFileError as error:
            raise UnreadableSampleError(each.name, f"not a readable sound ({error}); copy it once more") from error
    if len(rates) > 1:
        raise UnreadableSampleError(
            f"{file.name}#{member}", f"sounds of one rate and number of channels are joined, found {sorted(rates)}"
        )
    plain, written = subtypes <= {"PCM_16", "PCM_S8", "PCM_U8"}, io.BytesIO()
    ((rate, _),) = rates
    soundfile.write(written, np.concatenate(waves), rate, subtype="PCM_16" if plain else "FLOAT", format="WAV")
    return written.getvalue()
