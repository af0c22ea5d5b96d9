"""How sounds become tensors."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, model_validator

from cross_modal_kd.config import Grown, Strict

WINDOW_S = 0.025


def fourier_points(sample_rate: int) -> int:
    """Points of the Fourier transform of one window: the power of two that holds it.

    Args:
        sample_rate: in Hz.

    Returns:
        How many.
    """
    return 1 << (int(WINDOW_S * sample_rate) - 1).bit_length()


def undithered(dither: float, heard: str) -> str:
    """Why there is no dither for an encoder.

    Args:
        dither: that is asked for.
        heard: what the encoder hears in place of Kaldi's filter bank.

    Returns:
        A sentence.
    """
    return (
        f"augmentation.speech.dither is {dither:g}: it is of Kaldi's filter bank, and the encoder hears {heard}; set "
        "encoder.options.features: kaldi, or take dither away"
    )


class SpeechInputConfig(Strict):
    """sample_rate: in Hz; crop_s: seconds of a training crop; eval_s: seconds heard at evaluation, at most.

    n_mels: log-mel features a frame, fewer than the frequencies that a window of 25 ms tells apart at that rate.
    """

    sample_rate: int = Field(16000, ge=4000, le=384_000)
    crop_s: float = Field(2.0, ge=0.1, le=3600)
    eval_s: float = Field(6.0, ge=0.1, le=3600)
    n_mels: int = Field(40, ge=8, le=1024)

    @model_validator(mode="after")
    def _mels_apart(self) -> "SpeechInputConfig":
        most = fourier_points(self.sample_rate) // 2
        if self.n_mels > most:
            raise ValueError(
                f"n_mels: expected at most {most} at {self.sample_rate} Hz, whose windows tell no more frequencies "
                f"apart; found {self.n_mels}"
            )
        return self


def _rising(pair: tuple[float, float]) -> tuple[float, float]:
    if pair[0] > pair[1]:
        raise ValueError(f"expected [lowest, highest], found {list(pair)}")
    return pair


Range = Annotated[tuple[float, float], AfterValidator(_rising)]


class SpecAugment(Strict):
    """Bands and frames of a training crop's features that are set to their mean, 0 (Park et al., Interspeech 2019).

    Attributes:
        bands: widest mask over mel bands; a width below is drawn evenly.
        frames: likewise over frames, of 10 ms.
        probability: of a crop to be masked. The values are WeSpeaker's (its VoxCeleb recipe leaves the masks off).
    """

    bands: int = Field(8, ge=0)
    frames: int = Field(10, ge=0)
    probability: float = Field(0.6, ge=0, le=1)


class SpeechAugmentation(Grown):
    """What a training does to its crops as they are read: another speed, then a room or noise; then dither and masks.

    All but these two is drawn from (seed, epoch, sample): the same in any process, and after an interruption; they are
    drawn on the device, by the generator that each epoch seeds. Source of the scheme and of its values: WeSpeaker's
    VoxCeleb recipe (Wang et al., "Wespeaker", ICASSP 2023).

    Attributes:
        speeds: of which each epoch draws one for each sample, the first 1; the pitch goes with them. In a task of open
            labels each is a speaker of its own (Yamamoto et al., "Speaker augmentation and bandwidth extension for deep
            speaker embedding", Interspeech 2019), who has no partner in the teacher's modality.
        probability: of a crop to be given a room or noise.
        rooms: share of those that get a room; the others get noise.
        musan: folder of MUSAN (or of its split copy), with ``noise``, ``music`` and ``speech``. null makes noise of the
            data: coloured noise, and babble of training samples of other labels.
        rirs: folder RIRS_NOISES, whose simulated and real responses are taken (the first channel), and not its
            point-source noises, which are MUSAN's. null makes synthetic rooms, of T60 from 0.2 to 0.9 s.
        noise: lowest and highest SNR in dB, over the crop.
        music: likewise.
        babble: likewise.
        voices: fewest and most voices of a babble; 1 as in WeSpeaker, 3 to 7 as in Kaldi's recipe.
        spec_augment: masks on the features; null has none.
        dither: deviation d of the Gaussian noise that Kaldi's filter bank (``encoder.options.features: kaldi``) adds to
            every sample of a frame, waves being those of 16 bits: 1.0 is one step of these.
    """

    later: ClassVar[tuple[str, ...]] = ("dither",)

    speeds: tuple[Annotated[float, Field(ge=0.5, le=2)], ...] = (1.0,)
    probability: float = Field(0.6, ge=0, le=1)
    rooms: float = Field(0.5, ge=0, le=1)
    musan: str | None = None
    rirs: str | None = None
    noise: Range = (0.0, 15.0)
    music: Range = (5.0, 15.0)
    babble: Range = (10.0, 30.0)
    voices: tuple[int, int] = (1, 1)
    spec_augment: SpecAugment | None = None
    dither: float = Field(0.0, ge=0, le=32768)

    on_batches: ClassVar[bool] = False
    mixup: ClassVar[float | None] = None

    @model_validator(mode="after")
    def _begins_with_itself(self) -> "SpeechAugmentation":
        if not self.speeds or self.speeds[0] != 1 or len(set(self.speeds)) < len(self.speeds):
            raise ValueError(f"speeds: expected 1 and then others, each once, found {list(self.speeds)}")
        if not 1 <= self.voices[0] <= self.voices[1]:
            raise ValueError(f"voices: expected [fewest, most], from 1 on, found {list(self.voices)}")
        return self

    def misfits(self, blocks: Mapping[str, Any]) -> Iterator[str]:
        """Folders that are not there, and dither where it has no place.

        Args:
            blocks: All blocks by name.

        Yields:
            A sentence for each.
        """
        for name in ("musan", "rirs"):
            if (folder := getattr(self, name)) is not None and not Path(folder).is_dir():
                yield f"augmentation.speech.{name}: there is no folder {folder}; say null to make do without it"
        if self.dither and not isinstance(blocks["student"].pretrained, str):  # what a path says is seen as it is read
            heard = blocks["student"].encoder.options.get("features", "log_mel")
            if heard != "kaldi":
                yield undithered(self.dither, heard)
