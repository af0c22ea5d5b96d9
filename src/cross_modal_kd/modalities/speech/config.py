"""How sounds become tensors."""

from pydantic import Field

from cross_modal_kd.config import Strict


class SpeechInputConfig(Strict):
    """sample_rate in Hz; crop_s: seconds of a training crop; eval_s: seconds heard at evaluation, at most.

    n_mels: bands of the log-mel features.
    """

    sample_rate: int = Field(16000, ge=4000, le=384000)
    crop_s: float = Field(2.0, gt=0, le=3600)
    eval_s: float = Field(6.0, gt=0, le=3600)
    n_mels: int = Field(40, ge=8, le=1024)
