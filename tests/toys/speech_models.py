"""Published speech encoders in small: folders in the layouts of SpeechBrain, WeSpeaker and transformers.

``wespeaker_embeddings`` is WeSpeaker's ResNet written down by the names of its tensors, from its published description,
and ``wespeaker_ecapa_embeddings`` its ECAPA-TDNN.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

RATE = 16_000
BANDS = 24
ECAPA = {
    "channels": [16, 16, 16, 16, 48],
    "kernel_sizes": [5, 3, 3, 3, 1],
    "dilations": [1, 2, 3, 4, 1],
    "attention_channels": 8,
    "lin_neurons": 12,
}
RESNET = {"channels": [8, 8, 16, 16], "strides": [1, 2, 2, 2], "block_sizes": [1, 1, 2, 1], "lin_neurons": 12}
HYPERPARAMS = """\
# Feature parameters
n_mels: {bands}

# Pretrain folder (HuggingFace)
pretrained_path: speechbrain/spkrec-voxceleb

# Output parameters
out_n_neurons: 7205

# Model params
compute_features: !new:speechbrain.lobes.features.Fbank
    n_mels: !ref <n_mels>

mean_var_norm: !new:speechbrain.processing.features.InputNormalization
    norm_type: sentence
    std_norm: False

embedding_model: !new:speechbrain.lobes.models.{name}.{name}
    input_size: !ref <n_mels>
{arguments}

classifier: !new:speechbrain.lobes.models.ECAPA_TDNN.Classifier
    input_size: 192
    out_neurons: !ref <out_n_neurons>

mean_var_norm_emb: !new:speechbrain.processing.features.InputNormalization
    norm_type: global
    std_norm: False

modules:
    compute_features: !ref <compute_features>
    embedding_model: !ref <embedding_model>

label_encoder: !new:speechbrain.dataio.encoder.CategoricalEncoder

pretrainer: !new:speechbrain.utils.parameter_transfer.Pretrainer
    loadables:
        embedding_model: !ref <embedding_model>
    paths:
        embedding_model: !ref <pretrained_path>/embedding_model.ckpt
"""
WESPEAKER = """\
dataset_args:
  aug_prob: 0.6
  fbank_args:
    dither: 1.0
    frame_length: 25
    frame_shift: 10
    num_mel_bins: {bands}
  num_frms: 200
  resample_rate: 16000
model: {model}
model_args:
  embed_dim: 12
  feat_dim: {bands}
  pooling_func: TSTP
  two_emb_layer: false
projection_args:
  project_type: arc_margin
"""


def moved(module: nn.Module) -> nn.Module:
    """The module in evaluation mode, with the statistics of its batch norms where no two are alike."""
    generator = torch.Generator().manual_seed(5)
    for name, tensor in module.state_dict().items():
        if ("running" in name or "norm" in name or "bn" in name) and tensor.is_floating_point():
            tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
    return module.eval()


def speechbrain_model(folder: Path, name: str = "ECAPA_TDNN") -> nn.Module:
    """``embedding_model.ckpt`` and ``hyperparams.yaml``, and the module that they are of."""
    from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN
    from speechbrain.lobes.models.ResNet import ResNet

    torch.manual_seed(3)
    options = ECAPA if name == "ECAPA_TDNN" else RESNET
    module = moved({"ECAPA_TDNN": ECAPA_TDNN, "ResNet": ResNet}[name](input_size=BANDS, **options))
    folder.mkdir(exist_ok=True)
    torch.save(module.state_dict(), folder / "embedding_model.ckpt")
    arguments = "\n".join(f"    {key}: {value}" for key, value in options.items())
    (folder / "hyperparams.yaml").write_text(HYPERPARAMS.format(bands=BANDS, name=name, arguments=arguments))
    return module


def speechbrain_embeddings(module: nn.Module, waves: Tensor) -> Tensor:
    """What SpeechBrain's EncoderClassifier.encode_batch does."""
    from speechbrain.lobes.features import Fbank
    from speechbrain.processing.features import InputNormalization

    whole = torch.ones(len(waves))
    features = InputNormalization(norm_type="sentence", std_norm=False)(Fbank(n_mels=BANDS)(waves), whole)
    with torch.no_grad():
        return module(features, whole).flatten(1)


def wespeaker_tensors(depths: tuple[int, ...] = (3, 4, 6, 3), channels: int = 4, dim: int = 12) -> dict[str, Tensor]:
    """A state dict with the names and shapes of WeSpeaker's ResNet (TSTP, one linear layer), and its classifier's."""
    generator, found = torch.Generator().manual_seed(9), {}

    def normed(name: str, norm: str, out: int, before: int, size: int) -> None:
        found[f"{name}.weight"] = torch.randn(out, before, size, size, generator=generator) / (size * before**0.5)
        for each in ("weight", "bias", "running_mean", "running_var"):
            found[f"{norm}.{each}"] = 0.5 + torch.rand(out, generator=generator)
        found[f"{norm}.num_batches_tracked"] = torch.tensor(7)

    normed("conv1", "bn1", channels, 1, 3)
    before = channels
    for stage, depth in enumerate(depths):
        width = channels << stage
        for block in range(depth):
            at = f"layer{stage + 1}.{block}"
            normed(f"{at}.conv1", f"{at}.bn1", width, before, 3)
            normed(f"{at}.conv2", f"{at}.bn2", width, width, 3)
            if block == 0 and stage > 0:
                normed(f"{at}.shortcut.0", f"{at}.shortcut.1", width, before, 1)
            before = width
    found["seg_1.weight"] = torch.randn(dim, 2 * before * BANDS // 8, generator=generator) / 8
    found["seg_1.bias"] = torch.randn(dim, generator=generator)
    found["projection.weight"] = torch.randn(30, dim, generator=generator)
    return found


def wespeaker_model(folder: Path, model: str = "ResNet34") -> dict[str, Tensor]:
    """``avg_model.pt`` and ``config.yaml``."""
    folder.mkdir(exist_ok=True)
    tensors = wespeaker_tensors()
    torch.save(tensors, folder / "avg_model.pt")
    (folder / "config.yaml").write_text(WESPEAKER.format(bands=BANDS, model=model))
    return tensors


def wespeaker_embeddings(tensors: dict[str, Tensor], wave: Tensor) -> Tensor:
    """The embedding of one sound (T,), in [-1, 1]: Kaldi's features of 16 bits less their mean, ResNet, TSTP, seg_1."""
    from torchaudio.compliance.kaldi import fbank

    def normed(x: Tensor, name: str) -> Tensor:
        mean, variance, weight, bias = (
            tensors[f"{name}.{each}"] for each in ("running_mean", "running_var", "weight", "bias")
        )
        return F.batch_norm(x, mean, variance, weight, bias, eps=1e-5)

    features = fbank(
        wave[None] * (1 << 15), num_mel_bins=BANDS, sample_frequency=RATE, window_type="hamming", dither=0.0
    )
    x = (features - features.mean(dim=0)).T[None, None]
    x = F.relu(normed(F.conv2d(x, tensors["conv1.weight"], padding=1), "bn1"))
    for stage in range(1, 5):
        block = 0
        while f"layer{stage}.{block}.conv1.weight" in tensors:
            at, stride = f"layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1
            inner = F.relu(normed(F.conv2d(x, tensors[f"{at}.conv1.weight"], stride=stride, padding=1), f"{at}.bn1"))
            inner = normed(F.conv2d(inner, tensors[f"{at}.conv2.weight"], padding=1), f"{at}.bn2")
            if f"{at}.shortcut.0.weight" in tensors:
                x = normed(F.conv2d(x, tensors[f"{at}.shortcut.0.weight"], stride=stride), f"{at}.shortcut.1")
            x, block = F.relu(inner + x), block + 1
    statistics = torch.cat([x.mean(dim=-1).flatten(1), (x.var(dim=-1) + 1e-7).sqrt().flatten(1)], dim=1)
    return (statistics @ tensors["seg_1.weight"].T + tensors["seg_1.bias"])[0]


def wespeaker_ecapa(folder: Path, context: bool = True, width: int = 16, scale: int = 8) -> dict[str, Tensor]:
    """``avg_model.pt`` and ``config.yaml`` of WeSpeaker's ECAPA-TDNN (ASTP), and the tensors."""
    generator, found = torch.Generator().manual_seed(11), {}

    def layer(name: str, *shape: int) -> None:
        found[f"{name}.weight"] = torch.randn(shape, generator=generator) / torch.tensor(shape[1:]).prod() ** 0.5
        found[f"{name}.bias"] = torch.randn(shape[0], generator=generator) / 4

    def norm(name: str, size: int) -> None:
        for each in ("weight", "bias", "running_mean", "running_var"):
            found[f"{name}.{each}"] = 0.5 + torch.rand(size, generator=generator)
        found[f"{name}.num_batches_tracked"] = torch.tensor(7)

    layer("layer1.conv", width, BANDS, 5)
    norm("layer1.bn", width)
    for number in (2, 3, 4):
        at = f"layer{number}.se_res2block"
        for outer in (0, 2):
            layer(f"{at}.{outer}.conv", width, width, 1)
            norm(f"{at}.{outer}.bn", width)
        for part in range(scale - 1):
            layer(f"{at}.1.convs.{part}", width // scale, width // scale, 3)
            norm(f"{at}.1.bns.{part}", width // scale)
        layer(f"{at}.3.linear1", 6, width)
        layer(f"{at}.3.linear2", width, 6)
    layer("conv", 3 * width, 3 * width, 1)
    layer("pool.linear1", 8, (9 if context else 3) * width, 1)
    layer("pool.linear2", 3 * width, 8, 1)
    norm("bn", 6 * width)
    layer("linear", 12, 6 * width)
    found["projection.weight"] = torch.randn(30, 12, generator=generator)
    folder.mkdir(exist_ok=True)
    torch.save(found, folder / "avg_model.pt")
    described = WESPEAKER.format(bands=BANDS, model=f"ECAPA_TDNN_{'GLOB_' if context else ''}c512")
    (folder / "config.yaml").write_text(described.replace("TSTP", "ASTP").replace("  two_emb_layer: false\n", ""))
    return found


def wespeaker_ecapa_embeddings(tensors: dict[str, Tensor], wave: Tensor) -> Tensor:
    """The embedding of one sound (T,), in [-1, 1]: zeros beside the ends, parts of channels in turn, ASTP, linear."""
    from torchaudio.compliance.kaldi import fbank

    def convolved(x: Tensor, name: str, dilation: int = 1) -> Tensor:
        weight = tensors[f"{name}.weight"]
        reach = dilation * (weight.shape[2] // 2)
        return F.conv1d(F.pad(x, (reach, reach)), weight, tensors[f"{name}.bias"], dilation=dilation)

    def normed(x: Tensor, name: str) -> Tensor:
        each = (tensors[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
        return F.batch_norm(x, *each, eps=1e-5)

    features = fbank(
        wave[None] * (1 << 15), num_mel_bins=BANDS, sample_frequency=RATE, window_type="hamming", dither=0.0
    )
    features = features.double()
    tensors = {name: tensor.double() for name, tensor in tensors.items()}
    x = normed(F.relu(convolved((features - features.mean(dim=0)).T[None], "layer1.conv")), "layer1.bn")
    layers = []
    for number in (2, 3, 4):
        at = f"layer{number}.se_res2block"
        inner = normed(F.relu(convolved(x, f"{at}.0.conv")), f"{at}.0.bn")
        count = sum(f"{at}.1.convs.{part}.weight" in tensors for part in range(99))
        *parts, untouched = inner.chunk(count + 1, dim=1)
        done = []
        for part, each in enumerate(parts):
            heard = each + done[-1] if done else each
            done.append(normed(F.relu(convolved(heard, f"{at}.1.convs.{part}", number)), f"{at}.1.bns.{part}"))
        inner = normed(F.relu(convolved(torch.cat([*done, untouched], 1), f"{at}.2.conv")), f"{at}.2.bn")
        gate = F.relu(F.linear(inner.mean(2), tensors[f"{at}.3.linear1.weight"], tensors[f"{at}.3.linear1.bias"]))
        gate = F.linear(gate, tensors[f"{at}.3.linear2.weight"], tensors[f"{at}.3.linear2.bias"]).sigmoid()
        x = x + inner * gate[..., None]
        layers.append(x)
    x = F.relu(convolved(torch.cat(layers, 1), "conv"))
    context = x
    if tensors["pool.linear1.weight"].shape[1] > x.shape[1]:
        flat = x.mean(2, keepdim=True), (x.var(2, keepdim=True) + 1e-7).sqrt()
        context = torch.cat([x, *(each.expand_as(x) for each in flat)], 1)
    weights = convolved(convolved(context, "pool.linear1").tanh(), "pool.linear2").softmax(2)
    mean = (weights * x).sum(2)
    spread = ((weights * x.square()).sum(2) - mean.square()).clamp(min=1e-7).sqrt()
    pooled = normed(torch.cat([mean, spread], 1), "bn")
    return F.linear(pooled, tensors["linear.weight"], tensors["linear.bias"])[0].float()


def wave_model(folder: Path, name: str = "wavlm", normalize: bool = True, **other: object) -> nn.Module:
    """A small network of raw waves as ``save_pretrained`` writes it, with its preprocessor."""
    from transformers import AutoConfig, AutoModel, Wav2Vec2FeatureExtractor

    torch.manual_seed(2)
    config = AutoConfig.for_model(
        name,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=20,
        conv_dim=[8, 8, 8],
        conv_stride=[10, 8, 4],
        conv_kernel=[20, 8, 4],
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
        layerdrop=0.5,
        **other,
    )
    module = AutoModel.from_config(config).eval()
    module.save_pretrained(folder)
    Wav2Vec2FeatureExtractor(do_normalize=normalize).save_pretrained(folder)
    return module
