"""What is done to training crops as speaker recognition in the field does it: rooms and noise, from files or made here.

``augment.py`` is the small augmentation of whole batches that a training has without ``training.augmentation``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from cross_modal_kd.modalities.speech.config import SpeechAugmentation
from cross_modal_kd.modalities.speech.degrade import Wave, convolved, mix_at_snr, reverberation
from cross_modal_kd.modalities.speech.read import read_crop, resample
from cross_modal_kd.samples import SamplesError

KINDS = {"noise": "noise", "music": "music", "babble": "speech"}
"""The folder of MUSAN that each kind of noise is taken from."""
SIMULATED, REAL = "simulated_rirs", "real_rirs_isotropic_noises"
SYNTHETIC_T60 = (0.2, 0.9)

Voice = Callable[[np.random.Generator], Wave]
"""A crop of another speaker, of the length of the crop in hand."""


@dataclass(frozen=True)
class Field:
    """Rooms and noise for crops at one rate. It holds no state but the names of files.

    Attributes:
        config: how often, and how loud.
        sample_rate: of the crops, in Hz.
        sounds: files of MUSAN by kind; none where noise is made of the data.
        rooms: files of impulse responses; none where rooms are synthetic.
    """

    config: SpeechAugmentation
    sample_rate: int
    sounds: dict[str, list[str]]
    rooms: list[str]

    @classmethod
    def of(cls, config: SpeechAugmentation, sample_rate: int) -> "Field":
        """Look for the files that a configuration names.

        Args:
            config: whose folders are read.
            sample_rate: of the crops, in Hz.

        Returns:
            The files, in the order of their names.

        Raises:
            SamplesError: a folder has none of them.
        """
        sounds = {} if config.musan is None else {kind: _musan(config.musan, name) for kind, name in KINDS.items()}
        return cls(config, sample_rate, sounds, [] if config.rirs is None else _rirs(Path(config.rirs)))

    def __call__(self, wave: Wave, rng: np.random.Generator, voice: Voice | None) -> Wave:
        """A crop in a room, with noise, or as it is.

        Args:
            wave: (T,) float32 in [-1, 1].
            rng: draws what is done.
            voice: gives a crop of another speaker; None where there is no other.

        Returns:
            (T,) float32 in [-1, 1].

        Raises:
            UnreadableSampleError: a file of noise or of a room cannot be read.
        """
        if rng.random() >= self.config.probability:
            return wave
        return self._room(wave, rng) if rng.random() < self.config.rooms else self._noise(wave, rng, voice)

    def _room(self, wave: Wave, rng: np.random.Generator) -> Wave:
        if not self.rooms:
            return reverberation(wave, rng.uniform(*SYNTHETIC_T60), rng, self.sample_rate)
        return convolved(wave, read_response(Path(self.rooms[rng.integers(len(self.rooms))]), self.sample_rate))

    def _noise(self, wave: Wave, rng: np.random.Generator, voice: Voice | None) -> Wave:
        kinds = list(self.sounds) or (["noise", "babble"] if voice else ["noise"])
        kind = kinds[rng.integers(len(kinds))]
        snr = rng.uniform(*getattr(self.config, kind))
        if kind != "babble":
            sound = self._of_file(kind, len(wave), rng) if self.sounds else coloured(len(wave), rng)
            return mix_at_snr(wave, sound, snr)
        mixture = np.zeros(len(wave))
        for _ in range(rng.integers(self.config.voices[0], self.config.voices[1] + 1)):
            one = self._of_file(kind, len(wave), rng) if voice is None or self.sounds else voice(rng)
            mixture += one / max(1e-6, float(np.sqrt(np.mean(one.astype(np.float64) ** 2))))
        return mix_at_snr(wave, mixture, snr)

    def _of_file(self, kind: str, length: int, rng: np.random.Generator) -> Wave:
        """A random stretch of a random file, repeated where the file is shorter."""
        import soundfile

        file = Path(self.sounds[kind][rng.integers(len(self.sounds[kind]))])
        about = soundfile.info(file)
        whole = int(about.frames * self.sample_rate / about.samplerate)
        start = int(rng.integers(max(1, whole - length + 1)))
        return np.resize(read_crop(file, str(file), self.sample_rate, start, length), length)


def coloured(length: int, rng: np.random.Generator) -> Wave:
    """Gaussian noise with an amplitude spectrum of f^-c, c drawn evenly between 0 (white) and 1 (brown).

    Args:
        length: T, in samples.
        rng: draws it.

    Returns:
        (T,) float32, of any scale.
    """
    spectrum = np.fft.rfft(rng.standard_normal(length))
    shaped = spectrum * np.arange(1, len(spectrum) + 1) ** -rng.uniform(0, 1)
    return np.fft.irfft(shaped, n=length).astype(np.float32)


def read_response(file: Path, sample_rate: int) -> np.ndarray:
    """The first channel of an impulse response, from its loudest sample (the direct sound) on.

    Args:
        file: a WAV file, of one channel or several.
        sample_rate: wanted, in Hz.

    Returns:
        (R,) float32, its loudest sample 1 or -1.

    Raises:
        SamplesError: it cannot be read, or is silent.
    """
    import soundfile

    try:
        channels, rate = soundfile.read(file, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError) as error:
        raise SamplesError(f"{file}: not a readable impulse response ({error}); unpack RIRS_NOISES again") from error
    first = channels[:, 0]
    if not np.isfinite(first).all() or not first.any():
        raise SamplesError(f"{file}: the impulse response is silent or not finite; take the file away")
    first = first / np.abs(first).max()
    response = first if rate == sample_rate else resample(first, rate, sample_rate)
    return response[int(np.abs(response).argmax()) :]


def _musan(folder: str, name: str) -> list[str]:
    found = sorted(str(file) for file in (Path(folder) / name).rglob("*.wav"))
    if not found:
        raise SamplesError(
            f"augmentation.speech.musan: there is no WAV file under {Path(folder) / name}; expected MUSAN's folders "
            f"{', '.join(KINDS.values())}"
        )
    return found


def _rirs(folder: Path) -> list[str]:
    """Impulse responses: whole paths, since names repeat across rooms; of the real ones those that ``rir_list`` names.

    Isotropic noises lie beside the real ones.
    """
    found = [str(file) for file in (folder / SIMULATED).rglob("*.wav")]
    if (listed := folder / REAL / "rir_list").is_file():
        names = [
            PurePosixPath(line.split()[-1]).name for line in listed.read_text("utf-8").splitlines() if line.split()
        ]
        found += [str(folder / REAL / name) for name in names if (folder / REAL / name).is_file()]
    if not found:
        raise SamplesError(
            f"augmentation.speech.rirs: there is no impulse response under {folder}; expected {SIMULATED}/**/*.wav, or "
            f"{REAL}/rir_list with its files"
        )
    return sorted(found)
