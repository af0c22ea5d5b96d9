"""Encoders of raw waves: transformers' networks of wav2vec 2.0's kind, and statistics of their frames."""

from typing import Any

import torch
from torch import Tensor, nn

from cross_modal_kd.modalities.speech.config import SpeechAugmentation, undithered
from cross_modal_kd.models import Encoder

OWN = ("pooling", "normalize")


class WaveEncoder(Encoder):
    """Waves (B, T) through convolutions and attention, then the mean over time, or mean and deviation.

    What its pretraining had for regularisation beside dropout, masks and layers left out, is off.

    Args:
        name: of the network, the ``model_type`` that transformers has for it: ``wavlm`` say.
        options: of its configuration (``TransformersOptions``), and ``pooling`` and ``normalize``.
    """

    def __init__(self, name: str, options: dict[str, Any]) -> None:
        super().__init__()
        from transformers import AutoConfig, AutoModel

        own = {key: value for key, value in options.items() if key not in OWN}
        off = {"apply_spec_augment": False, "mask_time_prob": 0.0, "mask_feature_prob": 0.0, "layerdrop": 0.0}
        config = AutoConfig.for_model(name, **own, **off)
        self.network: nn.Module = AutoModel.from_config(config, trust_remote_code=False)
        self.network.register_parameter("masked_spec_embed", None)
        self._last = bool(getattr(config, "do_stable_layer_norm", False))
        self._both = options.get("pooling", "mean") == "statistics"
        self._normalize = bool(options.get("normalize", False))
        self.num_features = int(config.hidden_size) * (2 if self._both else 1)

    def forward(self, waveforms: Tensor) -> Tensor:
        """Waves to statistics of their frames.

        Args:
            waveforms: (B, T) float in [-1, 1], at the encoder's rate, T of 25 ms at least.

        Returns:
            (B, num_features): the mean of the last layer's frames, then, of ``statistics``, their deviation.
        """
        waves = waveforms.float()
        if self._normalize:
            waves = waves - waves.mean(dim=1, keepdim=True)
            waves = waves / (waves.square().mean(dim=1, keepdim=True) + 1e-7).sqrt()
        frames = self.network(waves).last_hidden_state.float()
        mean = frames.mean(dim=1)
        if not self._both:
            return mean
        spread = (frames - mean.unsqueeze(1)).square().mean(dim=1)
        return torch.cat([mean, (spread + 1e-7).sqrt()], dim=1)

    def layer_names(self) -> list[list[str]]:
        """The convolutions; what lies between them and the first block of attention; each of these blocks.

        Then the last norm, of a network that has it behind them. See ``Encoder.layer_names``.
        """
        found: dict[int, list[str]] = {}
        for name, _ in self.named_parameters():
            parts = name.split(".")[1:]
            place = 0 if parts[0] == "feature_extractor" else 1
            if parts[:2] == ["encoder", "layers"]:
                place = 2 + int(parts[2])
            elif parts[:2] == ["encoder", "layer_norm"] and self._last:
                place = 1 << 20
            found.setdefault(place, []).append(name)
        return [found[place] for place in sorted(found)]

    def augment_features(self, augmentation: SpeechAugmentation) -> None:
        """It has no mel features. See ``Encoder.augment_features``.

        Raises:
            ValueError: masks on features, or dither, are asked for.
        """
        if augmentation.dither:
            raise ValueError(undithered(augmentation.dither, "the wave itself"))
        if augmentation.spec_augment is not None:
            raise ValueError(
                "training.augmentation.speech.spec_augment masks mel features, and an encoder of transformers hears "
                "the wave itself; set it to null"
            )
