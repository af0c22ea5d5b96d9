"""Speech."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from cross_modal_kd.config import EncoderConfig, IngestionConfig, InputConfig
from cross_modal_kd.modalities.address import data_address
from cross_modal_kd.modalities.files import Content, digest, size_of
from cross_modal_kd.modalities.modality import Corrupt, Decoded, Modality, Preview, Row, Standalone, Taken, known
from cross_modal_kd.modalities.speech.config import SpeechAugmentation, SpeechInputConfig
from cross_modal_kd.modalities.speech.options import (
    OF_TRANSFORMERS,
    EcapaOptions,
    ResNetOptions,
    StatisticsOptions,
    TransformersOptions,
)
from cross_modal_kd.models import EncoderLibrary
from cross_modal_kd.samples import Roots, UnreadableSampleError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from torch import Generator, Tensor

    from cross_modal_kd.modalities.degradation import Degradation
    from cross_modal_kd.modalities.inputs import Inputs
    from cross_modal_kd.models import Encoder

MOST_BYTES = 200_000
MIME = {
    ".ogg": "audio/ogg",
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".mp4": "audio/mp4",
    ".aac": "audio/aac",
    ".webm": "audio/webm",
}


def _speechbrain(config: EncoderConfig, inputs: InputConfig) -> "Encoder":
    from cross_modal_kd.modalities.speech.encoders import SpeechEncoder

    speech = inputs.of(SpeechInputConfig)
    return SpeechEncoder(config.name, speech.sample_rate, speech.n_mels, dict(config.options))


def _statistics(config: EncoderConfig, inputs: InputConfig) -> "Encoder":
    from cross_modal_kd.modalities.speech.encoders import StatisticsEncoder

    speech = inputs.of(SpeechInputConfig)
    return StatisticsEncoder(config.name, speech.sample_rate, speech.n_mels, **config.options)


def _transformers(config: EncoderConfig, inputs: InputConfig) -> "Encoder":  # noqa: ARG001 (it hears the wave itself)
    from cross_modal_kd.modalities.speech.wave_encoder import WaveEncoder

    return WaveEncoder(config.name, dict(config.options))


def _published(kind: str) -> "Callable[[EncoderConfig, InputConfig, Path], tuple[dict[str, Any], dict[str, Tensor]]]":
    def read(config: EncoderConfig, inputs: InputConfig, path: Path) -> "tuple[dict[str, Any], dict[str, Tensor]]":
        from cross_modal_kd.modalities.speech import published

        return getattr(published, kind)(config, inputs.of(SpeechInputConfig), path)

    return read


LIBRARIES = {
    "speechbrain": EncoderLibrary(
        _speechbrain,
        published=_published("speechbrain"),
        options={"ECAPA_TDNN": EcapaOptions, "ResNet": ResNetOptions},
    ),
    "tstp": EncoderLibrary(
        _statistics,
        published=_published("wespeaker"),
        options={"ResNet18": StatisticsOptions, "ResNet34": StatisticsOptions},
    ),
    "transformers": EncoderLibrary(
        _transformers,
        published=_published("transformers"),
        options=dict.fromkeys(OF_TRANSFORMERS, TransformersOptions),
    ),
}
ECAPA = {
    "library": "speechbrain",
    "name": "ECAPA_TDNN",
    "options": {
        "channels": [64, 64, 64, 64, 192],
        "kernel_sizes": [5, 3, 3, 3, 1],
        "dilations": [1, 2, 3, 4, 1],
        "attention_channels": 32,
        "res2net_scale": 4,
        "se_channels": 32,
        "lin_neurons": 128,
    },
}


class Speech(Modality):
    """Mono waves (T,) float32 in [-1, 1], and their rate in Hz."""

    name = "speech"
    version = 3
    plural = "speech"
    hub = "audio"
    concerns = (
        "A voice identifies a person: embeddings and enrolments of voices are biometric data (in the EU, Article 9 "
        "GDPR). Enrol and compare only people who have consented, for the purpose that they were told, and delete on "
        "request.",
        "Error rates differ with language, accent, age, sex, microphone and room, and were measured on the speakers "
        "above alone, not by such groups. A threshold found on them need not hold for others: find yours on people "
        "like yours.",
        "It does not tell a living voice from a recording or a synthetic one.",
    )
    endings = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".m4a", ".mp4", ".aac", ".webm")
    about = ("sample_rate",)
    inputs = SpeechInputConfig
    columns = {"waveform": "double[]", "sample_rate": "long"}
    libraries = LIBRARIES
    student = {"encoder": ECAPA}
    teacher = {"pretrained": False, "encoder": ECAPA}
    augmentation = SpeechAugmentation

    def content(self, row: Row, roots: Roots) -> Content:
        """The row's file, or the bytes of a member of a container. See ``Modality.content``."""
        return roots.content(row["source"], row["path"])

    def decode(self, content: Content, name: str, inputs: InputConfig | None = None) -> Decoded:
        """The wave at its own rate, or resampled to ``inputs.speech.sample_rate``. See ``Modality.decode``.

        Of a sound above 60 s it is six stretches of 10 s, evenly spread.
        """
        from cross_modal_kd.modalities.speech.read import decode_speech, read_speech

        if inputs is None:
            wave, sample_rate = decode_speech(content, name)
        else:
            sample_rate = inputs.of(SpeechInputConfig).sample_rate
            wave = read_speech(content, name, sample_rate)
        return Decoded(wave, {"sample_rate": sample_rate})

    def inspect(self, row: Row, roots: Roots, ingestion: IngestionConfig) -> dict[str, Any]:
        """``duration_s`` in seconds, ``sample_rate`` in Hz, as stored, and ``sha256``. See ``Modality.inspect``.

        The whole sound is decoded, a block at a time.

        Raises:
            UnreadableSampleError: shorter than ``ingestion.min_duration_s``, silent, or what cannot be read.
        """
        from cross_modal_kd.modalities.speech.read import SILENT, examine_speech

        content, name = self.content(row, roots), row["path"]
        found = examine_speech(content, name)
        if found.duration_s < ingestion.min_duration_s:
            raise UnreadableSampleError(
                name, f"{found.duration_s:.2f} s, shorter than ingestion.min_duration_s = {ingestion.min_duration_s}"
            )
        if not found.audible:
            raise UnreadableSampleError(name, SILENT)
        return {"duration_s": found.duration_s, "sample_rate": found.sample_rate, "sha256": digest(content)}

    def decoded_bytes(self, row: Row) -> int:
        """Four bytes a value, of a minute at most. See ``Modality.decoded_bytes``."""
        from cross_modal_kd.modalities.speech.read import LONGEST_S

        if not known(row, "duration_s", "sample_rate"):
            return 4 * LONGEST_S * 48_000
        return int(4 * min(LONGEST_S, row["duration_s"]) * row["sample_rate"])

    def load(
        self, samples: "pd.DataFrame", roots: Roots, inputs: InputConfig, corrupt: Corrupt | None = None
    ) -> "Inputs":
        """float32 waveforms (T,). See ``Modality.load``."""
        from cross_modal_kd.modalities.speech.inputs import SpeechInputs

        return SpeechInputs(samples, roots, inputs, corrupt)

    def take(self, given: Any, name: str, inputs: InputConfig) -> Taken:
        """A path, bytes, or (wave, rate in Hz), to (T,) float32. See ``Modality.take``."""
        from cross_modal_kd.modalities.speech.take import take_speech

        return take_speech(given, name, inputs.of(SpeechInputConfig))

    def of_columns(self, values: Sequence[Any]) -> "tuple[np.ndarray, int]":
        """(T,) float32 and its rate in Hz. See ``Modality.of_columns``."""
        import numpy as np

        return np.asarray(values[0], dtype=np.float32), int(values[1])

    def examples(self, inputs: InputConfig) -> "Sequence[Tensor]":
        """A training crop, and what is heard at evaluation.

        Args:
            inputs: of which the block ``speech`` counts.

        Returns:
            (2, T) float32 each, T = seconds times rate.
        """
        import torch

        speech = inputs.of(SpeechInputConfig)
        return [torch.zeros(2, int(seconds * speech.sample_rate)) for seconds in (speech.crop_s, speech.eval_s)]

    def standalone(self, inputs: InputConfig) -> Standalone:
        """Waveforms of any length at the student's rate. See ``Modality.standalone``."""
        speech = inputs.of(SpeechInputConfig)
        facts = {"sample_rate": speech.sample_rate, "samples": int(speech.eval_s * speech.sample_rate)}
        reader = Path(__file__).with_name("read_input.py")
        return Standalone("waveform", {0: "samples"}, facts, reader, ("soundfile",))

    def probes(self, row: Row, roots: Roots, inputs: InputConfig) -> "Sequence[Tensor]":
        """As evaluation hears it, whole, and cut or repeated to lengths from 0.1 s to twice that of evaluation.

        See ``Modality.probes``.
        """
        import numpy as np
        import torch

        speech = inputs.of(SpeechInputConfig)
        wave = self.read(row, roots, inputs).value
        seconds = (0.1, 0.37, 1.0, speech.crop_s, 2 * speech.eval_s)
        lengths = dict.fromkeys([len(wave), *(round(each * speech.sample_rate) for each in seconds)])
        return [*super().probes(row, roots, inputs), *(torch.from_numpy(np.resize(wave, n)) for n in lengths)]

    def augment(self, inputs: "Tensor", generator: "Generator") -> "Tensor":
        """Louder or softer, half of them with noise. See ``Modality.augment``."""
        from cross_modal_kd.modalities.speech.augment import augment_speech

        return augment_speech(inputs, generator)

    @property
    def measures(self) -> Mapping[str, Callable[..., float]]:
        """Each takes the wave and its rate. See ``Modality.measures``."""
        from cross_modal_kd.modalities.speech.quality import MEASURES

        return MEASURES

    @property
    def batched(self) -> "Mapping[str, Callable[[Sequence[tuple[Any, ...]]], np.ndarray]]":
        """Seconds of speech, which a network finds. See ``Modality.batched``."""
        from cross_modal_kd.modalities.speech.quality import BATCHED

        return BATCHED

    def in_order(self, samples: "pd.DataFrame") -> "pd.DataFrame":
        """Clips of similar length side by side, which is what the batched measures are fastest at.

        See ``Modality.in_order``.
        """
        return samples.sort_values("duration_s", kind="stable")

    @property
    def degradations(self) -> "Mapping[str, Degradation]":
        """Noise, rooms, clipping, a narrow band; some need the rate or other clips. See ``Modality.degradations``."""
        from cross_modal_kd.modalities.speech.degrade import DEGRADATIONS

        return DEGRADATIONS

    def preview(self, row: Row, roots: Roots, large: bool = False) -> Preview:
        """The file itself, named and not played where it is too long for a page; large: a WAV with its outline.

        Too long is above 200 kB; a format that pages may not play is named too. See ``Modality.preview``.
        """
        from cross_modal_kd.modalities.speech.preview import outline, wav

        if large:
            sound = self.read(row, roots)
            content = data_address("audio/wav", wav(sound.value, sound.about["sample_rate"]))
            return Preview("sound", content, outline(sound.value))
        file, mime = self.content(row, roots), MIME.get(PurePosixPath(row["path"]).suffix.lower())
        if mime is None or size_of(file) > MOST_BYTES:
            return Preview("text", row["path"])
        return Preview("sound", data_address(mime, roots.bytes(row["source"], row["path"])))
