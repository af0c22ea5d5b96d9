"""Random changes to a batch of waveforms that leave the speaker as it is."""

import torch
from torch import Generator, Tensor


def augment_speech(inputs: Tensor, generator: Generator) -> Tensor:
    """Half of the batch with coloured noise at 5 to 25 dB SNR, all with a gain of -6 to 6 dB.

    The noise has an amplitude spectrum of f^-c, c between 0 (white) and 1 (brown), drawn per sound.

    Args:
        inputs: (B, T) float in [-1, 1].
        generator: the source of what is random, on the device of ``inputs``.

    Returns:
        (B, T) float, clipped to [-1, 1].
    """
    count, length, device = len(inputs), inputs.shape[1], inputs.device

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, 1, generator=generator, device=device)

    spectrum = torch.fft.rfft(torch.randn(count, length, generator=generator, device=device))
    frequency = torch.arange(1, spectrum.shape[1] + 1, device=device, dtype=torch.float32)
    noise = torch.fft.irfft(spectrum * frequency ** -uniform(0, 1), n=length)
    power = inputs.square().mean(dim=1, keepdim=True)
    wanted = power / 10 ** (uniform(5, 25) / 10)
    noise = noise * (wanted / noise.square().mean(dim=1, keepdim=True).clamp_min(1e-12)).sqrt()
    noisy = torch.where(uniform(0, 1) < 0.5, inputs + noise, inputs)
    return (noisy * 10 ** (uniform(-6, 6) / 20)).clamp(-1, 1)
