"""What speaker networks hear: mel features of waveforms, as this project makes them, or as a toolkit's models do.

Each is given waveforms (B, T) in [-1, 1] and returns (B, frames, bands) float32 of mean 0 over time, under autocast
too: bf16 would round the energies before their log.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from cross_modal_kd.modalities.speech.config import WINDOW_S, fourier_points

HOP_S = 0.010
FULL_SCALE = 32768  # Kaldi's waves are those of 16 bits
PREEMPHASIS = 0.97
DYNAMICS_DB = 80


class Features(nn.Module):
    """Waveforms (B, T) to features (B, frames, bands), less the mean over time."""

    def forward(self, waveforms: Tensor) -> Tensor:
        """Waveforms to features, in float32 under autocast too.

        Args:
            waveforms: (B, T) float in [-1, 1].

        Returns:
            (B, frames, bands) float32.
        """
        with torch.autocast(waveforms.device.type, enabled=False):
            features = self.energies(waveforms.float())
            return features - features.mean(dim=1, keepdim=True)

    def energies(self, waveforms: Tensor) -> Tensor:
        """The logarithm of the energy in each band.

        Args:
            waveforms: (B, T) float32.

        Returns:
            (B, frames, bands) float32.
        """
        raise NotImplementedError


class LogMel(Features):
    """This project's own: 25 ms windows (Hann) every 10 ms, the logarithm of torchaudio's mel energies.

    Of T samples there are 1 + T // (samples in 10 ms) frames.

    Args:
        sample_rate: of the waveforms, in Hz.
        n_mels: bands.
    """

    def __init__(self, sample_rate: int, n_mels: int) -> None:
        super().__init__()
        with torch.device("cpu"):  # it looks at its own filters, which a network that is only outlined has not
            from torchaudio.transforms import MelSpectrogram  # whose package has numbers of its own

            self.mel = MelSpectrogram(
                sample_rate,
                n_fft=fourier_points(sample_rate),
                win_length=int(WINDOW_S * sample_rate),
                hop_length=int(HOP_S * sample_rate),
                n_mels=n_mels,
            )

    def energies(self, waveforms: Tensor) -> Tensor:
        """See ``Features.energies``."""
        return (self.mel(waveforms) + 1e-6).log().transpose(1, 2)


class KaldiFbank(Features):
    """Kaldi's filter bank as WeSpeaker's models hear it, of many waveforms at once.

    Frames of 25 ms every 10 ms that lie wholly within the sound, of waves of 16 bits, each less its mean, with a
    pre-emphasis of 0.97 and a Hamming window; powers in triangles over Kaldi's mel scale from 20 Hz on, their
    logarithm. The same as ``torchaudio.compliance.kaldi.fbank(wave * 32768, window_type="hamming", dither=dither)``.

    Attributes:
        dither: deviation of the Gaussian noise that every sample of a frame is given first, in training alone, drawn by
            torch's own generator; 0, which it is at first, draws none. It is no part of a saved model.

    Args:
        sample_rate: of the waveforms, in Hz.
        n_mels: bands.
    """

    window: Tensor
    bank: Tensor

    def __init__(self, sample_rate: int, n_mels: int) -> None:
        super().__init__()
        self._length, self._hop = int(WINDOW_S * sample_rate), int(HOP_S * sample_rate)
        self._points, self.dither = fourier_points(sample_rate), 0.0
        with torch.device("cpu"):  # the module has a number of its own, which would be that of an outline
            from torchaudio.compliance.kaldi import get_mel_banks

            window = torch.hamming_window(self._length, periodic=False)
            bank, _ = get_mel_banks(n_mels, self._points, sample_rate, 20.0, 0.0, 100.0, -500.0, 1.0)
            bank = nn.functional.pad(bank, (0, 1)).T.contiguous()
        self.register_buffer("window", window, persistent=False)
        self.register_buffer("bank", bank, persistent=False)

    def energies(self, waveforms: Tensor) -> Tensor:
        """See ``Features.energies``."""
        frames = (waveforms * FULL_SCALE).unfold(1, self._length, self._hop)
        if self.training and self.dither:
            frames = frames + self.dither * torch.randn_like(frames)
        frames = frames - frames.mean(dim=2, keepdim=True)
        before = torch.cat([frames[..., :1], frames[..., :-1]], dim=2)
        spectrum = torch.fft.rfft((frames - PREEMPHASIS * before) * self.window, self._points)
        powers = torch.view_as_real(spectrum).square().sum(dim=-1)
        return (powers @ self.bank).clamp(min=torch.finfo(torch.float32).eps).log()


class SpeechBrainFbank(Features):
    """SpeechBrain's filter bank as its speaker models hear it, ``speechbrain.lobes.features.Fbank``.

    Windows of 25 ms (Hamming) every 10 ms; the energies in decibels, no more than 80 below the loudest of the sound.

    Args:
        sample_rate: of the waveforms, in Hz.
        n_mels: bands.
    """

    window: Tensor
    bank: Tensor

    def __init__(self, sample_rate: int, n_mels: int) -> None:
        super().__init__()
        self._length, self._hop = round(WINDOW_S * sample_rate), round(HOP_S * sample_rate)
        with torch.device("cpu"):
            from speechbrain.processing.features import Filterbank

            filters = Filterbank(
                n_mels, log_mel=False, f_max=sample_rate // 2, n_fft=self._length, sample_rate=sample_rate
            )
            bank = filters(torch.eye(self._length // 2 + 1)[None])[0]
            window = torch.hamming_window(self._length)
        self.register_buffer("window", window, persistent=False)
        self.register_buffer("bank", bank, persistent=False)

    def energies(self, waveforms: Tensor) -> Tensor:
        """See ``Features.energies``."""
        spectrum = torch.stft(
            *(waveforms, self._length, self._hop, self._length, self.window),
            pad_mode="constant",
            return_complex=True,
        )
        powers = torch.view_as_real(spectrum).square().sum(dim=-1).transpose(1, 2)
        decibels = 10 * (powers @ self.bank).clamp(min=1e-10).log10()
        return decibels.maximum(decibels.amax(dim=(1, 2), keepdim=True) - DYNAMICS_DB)


FEATURES: Mapping[str, Callable[[int, int], Features]] = {
    "log_mel": LogMel,
    "kaldi": KaldiFbank,
    "speechbrain": SpeechBrainFbank,
}
