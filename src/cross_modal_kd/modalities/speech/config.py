"""How sounds become tensors."""

from pydantic import Field, model_validator

from cross_modal_kd.config import Strict

WINDOW_S = 0.025


def fourier_points(sample_rate: int) -> int:
    """Points of the Fourier transform of one window: the power of two that holds it.

    Args:
        sample_rate: in Hz.

    Returns:
        How many.
    """
    return 1 << (int(WINDOW_S * sample_rate) - 1).bit_length()


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
