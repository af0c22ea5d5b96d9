"""Open sounds, read in blocks from any place: libsndfile's formats, and by PyAV those of phones and browsers."""

import io
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath

import numpy as np

from cross_modal_kd.modalities.files import Content, opened
from cross_modal_kd.modalities.speech.contents import left_behind, other_kind
from cross_modal_kd.modalities.speech.cut import is_cut, stated_by_av, stated_by_soundfile
from cross_modal_kd.modalities.speech.mpeg import counted
from cross_modal_kd.samples import UnreadableSampleError

BLOCK = 2**20
"""Values (frames times channels) of a block: 4 MB."""
AV_FORMATS = {".m4a": "mp4", ".mp4": "mp4", ".aac": "aac", ".webm": "webm"}
"""FFmpeg's format by ending: no other is tried, so that no file can name others to be opened."""
EXACT = ("PCM_", "ULAW", "ALAW")
"""Beginnings of libsndfile's subtypes (FLAC's too) of which any place is found to the sample, and decoded by itself."""

_SPARE_S, _SPARE_AV_S = 0.05, 0.2  # of which encoders' delays make a whole sound shorter than its file says


class Sound:
    """A sound in a file; each reading opens it anew, so that one object serves several.

    Args:
        data: the file or its bytes.
        name: of the sample, for errors; its ending says who decodes it.

    Attributes:
        sample_rate: in Hz.
        frames: as the file claims them, or as counted where it does not say.
        floating: whether its numbers are stored as floating-point ones, which have no fixed range.
        heard_s: seconds up to the end of the block that was read last; silence that is not stored counts.

    Raises:
        UnreadableSampleError: bytes that are no sound.
    """

    def __init__(self, data: Content, name: str) -> None:
        self._data, self._name = data, name
        self._format = AV_FORMATS.get(PurePosixPath(name).suffix.lower())
        self.floating, self.heard_s = False, 0.0
        with opened(data) as stream:
            try:
                self.sample_rate, self.frames = self._claims(stream)
            except MemoryError:
                raise
            except Exception as error:  # libsndfile's errors, FFmpeg's, and those of their wrappers, mean the same here
                raise _unreadable(self._data, self._name, error) from error

    def blocks(self, start: int = 0, most: int = BLOCK) -> Iterator[np.ndarray]:
        """The sound from a frame on, a block at a time.

        Args:
            start: the first frame.
            most: frames of a block, at most, where libsndfile decodes.

        Yields:
            (n, channels) float32, n above 0.

        Raises:
            UnreadableSampleError: a damaged sound.
        """
        with opened(self._data) as stream:
            try:
                yield from (
                    self._by_soundfile(stream, start, most) if self._format is None else self._by_av(stream, start)
                )
            except (MemoryError, GeneratorExit):
                raise
            except Exception as error:
                raise _unreadable(self._data, self._name, error) from error

    def stretch(self, start: int, count: int) -> np.ndarray:
        """Some frames, of which no more than they and a block are in memory; libsndfile decodes them alone.

        Args:
            start: the first.
            count: how many, at most.

        Returns:
            (n, channels) float32; n is less than ``count`` where the sound ends before.

        Raises:
            UnreadableSampleError: a damaged sound.
        """
        found: list[np.ndarray] = []
        missing, blocks = count, self.blocks(start, max(1, count))
        for block in blocks:
            found.append(block[:missing])
            missing -= len(found[-1])
            if missing <= 0:
                break
        blocks.close()  # type: ignore[attr-defined]  # a generator
        return np.concatenate(found) if found else np.empty((0, 1), dtype=np.float32)

    def stated_s(self) -> float | None:
        """How long the file says that the sound is, where that is longer than what was heard of it.

        Returns:
            Seconds, infinite where it says that it goes on, and not for how long; None of a whole sound, and where the
            file does not say. To be asked after all of it was read.

        Raises:
            UnreadableSampleError: bytes that are no sound.
        """
        with opened(self._data) as stream:
            try:
                stated = self._states(stream)
            except MemoryError:
                raise
            except Exception as error:
                raise _unreadable(self._data, self._name, error) from error
        return stated if is_cut(stated, self.heard_s, _SPARE_S if self._format is None else _SPARE_AV_S) else None

    def spread(self) -> tuple[float, float, bool]:
        """The whole sound's lowest and highest number, and whether all are whole ones; of a file, looked up once.

        Returns:
            Lowest (at most 0), highest (at least 0), whether whole.

        Raises:
            UnreadableSampleError: a damaged sound.
        """
        if isinstance(self._data, Path):
            return _spread_of(self._data, self._name, self._data.stat().st_mtime_ns)
        return _spread(self)

    def _claims(self, stream: io.BufferedReader | io.BytesIO) -> tuple[int, int]:
        if self._format is not None:
            return self._av_claims(stream)
        import soundfile

        with soundfile.SoundFile(counted(stream)) as file:
            self.floating = file.subtype in ("FLOAT", "DOUBLE")
            return int(file.samplerate), int(file.frames)

    def _states(self, stream: io.BufferedReader | io.BytesIO) -> float | None:
        if self._format is not None:
            import av

            with av.open(stream, mode="r", format=self._format) as container:
                return stated_by_av(container)
        import soundfile

        with soundfile.SoundFile(counted(stream)) as file:
            return stated_by_soundfile(file, stream)

    def _av_claims(self, stream: io.BufferedReader | io.BytesIO) -> tuple[int, int]:
        import av

        with av.open(stream, mode="r", format=self._format) as container:
            if not container.streams.audio:
                raise ValueError("it holds no sound")
            first = next(container.decode(container.streams.audio[0]))
            rate, duration = int(first.sample_rate), container.duration
            if duration is not None and duration > 0:
                return rate, round(duration / 1_000_000 * rate)
            return rate, first.samples + sum(frame.samples for frame in container.decode(container.streams.audio[0]))

    def _by_soundfile(self, stream: io.BufferedReader | io.BytesIO, start: int, most: int) -> Iterator[np.ndarray]:
        import soundfile

        with soundfile.SoundFile(counted(stream)) as file:
            if start:
                file.seek(min(start, file.frames))
            size = max(1, min(most, BLOCK // file.channels))
            while len(block := file.read(size, dtype="float32", always_2d=True)):
                self.heard_s = file.tell() / self.sample_rate
                yield block

    def _by_av(self, stream: io.BufferedReader | io.BytesIO, start: int) -> Iterator[np.ndarray]:
        import av

        with av.open(stream, mode="r", format=self._format) as container:
            track = container.streams.audio[0]
            if start:
                container.seek(int(start / self.sample_rate * 1_000_000))
            to_float = av.AudioResampler(format="fltp")
            for frame in container.decode(track):
                begin = 0 if frame.time is None else round((frame.time - self._offset(track)) * self.sample_rate)
                skipped = max(0, start - begin) if start else 0
                self.heard_s = max(self.heard_s, (begin + frame.samples) / self.sample_rate)
                for part in to_float.resample(frame):
                    if skipped < part.samples:
                        yield np.ascontiguousarray(part.to_ndarray().T[skipped:])

    @staticmethod
    def _offset(track: "object") -> float:
        """Seconds at which a stream begins."""
        begin, base = getattr(track, "start_time", None), getattr(track, "time_base", None)
        return float(begin * base) if begin is not None and base is not None else 0.0


def exact_stretch(data: Content, name: str, sample_rate: int, frames: int, part: slice) -> np.ndarray | None:
    """Some frames, opened and decoded alone, with the very numbers that a reading of the whole has there.

    Args:
        data: the file or its bytes.
        name: of the sample, for errors.
        sample_rate: in Hz, that it is expected to have.
        frames: that it is expected to have.
        part: from a frame to another one.

    Returns:
        (part.stop - part.start, channels) float32; None of a format whose places are not found to the sample (any but
        WAV, AIFF and FLAC), of floating-point numbers, and where rate or frames are others.

    Raises:
        UnreadableSampleError: a damaged sound.
    """
    import soundfile

    if PurePosixPath(name).suffix.lower() in (*AV_FORMATS, ".mp3"):
        return None
    with opened(data) as stream:
        try:  # by its number libsndfile reads a file itself; of a stream it asks Python for every block
            with soundfile.SoundFile(stream.fileno() if isinstance(data, Path) else stream, closefd=False) as file:
                as_expected = file.samplerate == sample_rate and file.frames == frames
                if not as_expected or file.format == "OGG" or not file.subtype.startswith(EXACT):
                    return None
                file.seek(part.start)
                found = file.read(part.stop - part.start, dtype="float32", always_2d=True)
        except MemoryError:
            raise
        except Exception as error:
            raise _unreadable(data, name, error) from error
    return found if len(found) == part.stop - part.start else None


def _unreadable(data: Content, name: str, error: Exception) -> UnreadableSampleError:
    if (known := other_kind(data, name) or left_behind(data, name)) is not None:
        return UnreadableSampleError(name, known)
    why = getattr(error, "error_string", None) or getattr(error, "strerror", None) or error
    return UnreadableSampleError(name, f"not a readable sound ({type(error).__name__}: {why})")


@lru_cache(maxsize=4096)
def _spread_of(file: Path, name: str, _modified_ns: int) -> tuple[float, float, bool]:
    return _spread(Sound(file, name))


def _spread(sound: Sound) -> tuple[float, float, bool]:
    low, high, whole = 0.0, 0.0, True
    for block in sound.blocks():
        low, high = min(low, float(block.min())), max(high, float(block.max()))
        whole = whole and bool((block == np.rint(block)).all())
    return low, high, whole
