"""Speech encoders that others have published, on this machine: SpeechBrain's, WeSpeaker's, those of transformers.

Descriptions beside the weights (YAML, JSON) are read as data: no tag of theirs makes an object. Weights are tensors by
name and nothing else: of a pickle no code is run (``torch.load(weights_only=True)``).
"""

import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml
from pydantic import BaseModel
from torch import Tensor

from cross_modal_kd.config import EncoderConfig
from cross_modal_kd.modalities.speech.config import SpeechInputConfig
from cross_modal_kd.modalities.speech.options import EcapaOptions, ResNetOptions, TransformersOptions
from cross_modal_kd.storage import parse_json, require_readable

Published = tuple[dict[str, Any], dict[str, Tensor]]

LARGEST = 1 << 20
"""Bytes of a description; published ones have a few thousand."""


def speechbrain(config: EncoderConfig, speech: SpeechInputConfig, path: Path) -> Published:
    """A speaker model of SpeechBrain: ``embedding_model.ckpt``, and ``hyperparams.yaml`` where it lies beside it.

    Or WeSpeaker's of the same paper, for ``ECAPA_TDNN``: ``avg_model.pt``, and ``config.yaml``.

    Args:
        config: its name, ``ECAPA_TDNN`` or ``ResNet``.
        speech: rate and bands, which must be those of the model.
        path: the folder, or the checkpoint in it.

    Returns:
        The options that the description says, and ``features``; the encoder's tensors.

    Raises:
        ValueError: the path holds no such model; the message names the file, and says what was expected.
    """
    ecapa = config.name == "ECAPA_TDNN"
    file = _file(path, ["embedding_model.ckpt", *(["avg_model.pt"] if ecapa else [])])
    found = _tensors(file)
    if ecapa and "layer1.conv.weight" in found:
        if (beside := file.with_name("config.yaml")).is_file():
            _require_wespeaker(beside, WESPEAKERS_ECAPA, "ASTP", speech)
        return _of_wespeakers_ecapa(file, found)
    beside = file.with_name("hyperparams.yaml")
    said = _hyperparams(beside, config.name, speech) if beside.is_file() else {}
    return {**said, "features": "speechbrain"}, {f"network.{name}": tensor for name, tensor in found.items()}


def wespeaker(config: EncoderConfig, speech: SpeechInputConfig, path: Path) -> Published:
    """A ResNet of WeSpeaker: ``avg_model.pt``, and ``config.yaml`` where it lies beside it.

    Its first layer, blocks and pooling are those of ``StatisticsEncoder`` under other names; its linear layer ``seg_1``
    gives the embedding. The classifier of its training, ``projection``, is left out.

    Args:
        config: its name, ``ResNet18`` or ``ResNet34``.
        speech: rate and bands, which must be those of the model.
        path: the folder, or the checkpoint in it.

    Returns:
        The options of such an encoder; its tensors.

    Raises:
        ValueError: the path holds no such model; the message names the file, and says what was expected.
    """
    file = _file(path, ["avg_model.pt"])
    if (beside := file.with_name("config.yaml")).is_file():
        _require_wespeaker(beside, [config.name], "TSTP", speech)
    found = _tensors(file)
    lacking = [name for name in ("conv1.weight", "seg_1.weight") if name not in found]
    if lacking or "seg_2.weight" in found:
        raise ValueError(
            f"{file}: expected the tensors of WeSpeaker's {config.name} with one linear layer (conv1, bn1, layer1 to "
            f"layer4, seg_1), found {_few(found)}; give the path of one"
        )
    tensors = {_renamed(name): tensor for name, tensor in found.items() if not name.startswith("projection.")}
    sizes = {"channels": len(found["conv1.weight"]), "lin_neurons": len(found["seg_1.weight"])}
    return {**sizes, "unbiased": True, "features": "kaldi"}, tensors


def transformers(config: EncoderConfig, speech: SpeechInputConfig, path: Path) -> Published:
    """A network of raw waves in the form of transformers: ``config.json``, ``preprocessor_config.json``, and weights.

    Args:
        config: its name, the ``model_type`` of the description.
        speech: the rate, which must be that of the model.
        path: the folder.

    Returns:
        The options that the descriptions say; the tensors of the network without what was built on it.

    Raises:
        ValueError: the path holds no such model; the message names the file, and says what was expected.
    """
    from transformers import AutoConfig

    file = _file(path, ["model.safetensors", "pytorch_model.bin"])
    beside = file.with_name("config.json")
    said = _json(beside)
    if said.get("model_type") != config.name:
        raise ValueError(
            f"{beside}: expected model_type {config.name!r}, which encoder.name says, found "
            f"{said.get('model_type')!r}; correct encoder.name"
        )
    if said.get("add_adapter") or said.get("adapter_attn_dim") is not None:
        raise ValueError(f"{beside}: a network with adapters is not loaded here; give the path of one without")
    own = AutoConfig.for_model(config.name).to_dict()
    options = {name: said.get(name, own[name]) for name in TransformersOptions.model_fields if name in own}
    options = {name: list(value) if isinstance(value, tuple) else value for name, value in options.items()}
    heard = _json(file.with_name("preprocessor_config.json"))
    _require(file.with_name("preprocessor_config.json"), heard.get("sampling_rate", 16_000), speech.sample_rate)
    options["normalize"] = heard.get("do_normalize", True)
    return options, _of_the_network(_tensors(file), config.name)


def _of_the_network(found: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """Tensors without what was built on the network, and by the names that weight norm has today."""
    before = f"{name.replace('-', '_')}."
    if any(each.startswith(before) for each in found):
        found = {each.removeprefix(before): tensor for each, tensor in found.items() if each.startswith(before)}
    norms = {"weight_g": "parametrizations.weight.original0", "weight_v": "parametrizations.weight.original1"}
    tensors = {}
    for each, tensor in found.items():
        stem, _, last = each.rpartition(".")
        if each != "masked_spec_embed":  # what it was trained by
            tensors[f"network.{stem}.{norms.get(last, last)}"] = tensor
    return tensors


def _renamed(name: str) -> str:
    """The name that a tensor of WeSpeaker's has in ``StatisticsEncoder``."""
    for own, ours in (("conv1.", "stem.0."), ("bn1.", "stem.1."), ("seg_1.", "linear.")):
        if name.startswith(own):
            return ours + name.removeprefix(own)
    if stage := re.fullmatch(r"layer([1-4])\.(.*)", name):
        return f"stages.{int(stage[1]) - 1}.{stage[2].replace('shortcut.', 'downsample.')}"
    return name


def _file(path: Path, names: Sequence[str]) -> Path:
    """The file of weights: the path itself, or that of a name in the folder."""
    if path.is_file():
        return path
    if not path.is_dir():
        raise ValueError(
            f"{path}: there is no such folder or file; give the path of a folder with {' or '.join(names)}"
        )
    there = [path / name for name in names if (path / name).is_file()]
    if not there:
        held = sorted(each.name for each in path.iterdir())
        raise ValueError(
            f"{path}: expected a folder with {' or '.join(names)}, found {_few(held)}; give the path of the folder or "
            "file of the model"
        )
    return there[0]


def _tensors(file: Path) -> dict[str, Tensor]:
    """The tensors of a file by name, those of floating-point numbers in float32. No code of the file is run."""
    from pickle import UnpicklingError

    try:
        require_readable(file)
        if file.suffix == ".safetensors":
            from safetensors.torch import load_file

            found = load_file(file)
        else:
            found = torch.load(file, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(file))
    except UnpicklingError as error:
        raise ValueError(
            f"{file}: expected tensors by name, found objects that only code could make, which is not run here "
            f"({str(error).splitlines()[0]}); save the model's state_dict() alone"
        ) from error
    except Exception as error:  # of torch and safetensors, which know of no base of their own
        raise ValueError(
            f"{file}: expected a file of tensors, found what cannot be read ({type(error).__name__}: "
            f"{' '.join(str(error).split())[:200]}); fetch it anew"
        ) from error
    if not isinstance(found, dict) or not all(isinstance(tensor, Tensor) for tensor in found.values()):
        named = f"the keys {_few(found)}" if isinstance(found, dict) else type(found).__name__
        raise ValueError(f"{file}: expected tensors by name, found {named}; save the model's state_dict() alone")
    return {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in found.items()}


@dataclass(frozen=True)
class Tagged:
    """A value of a description that has a tag, which stays a name. tag: without the ``!``. value: plain."""

    tag: str
    value: Any


class _AsData(yaml.SafeLoader):
    """YAML whose tags make nothing but ``Tagged``."""


def _tagged(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> Tagged:
    if isinstance(node, yaml.MappingNode):
        return Tagged(tag, loader.construct_mapping(node, deep=True))
    if isinstance(node, yaml.SequenceNode):
        return Tagged(tag, loader.construct_sequence(node, deep=True))
    return Tagged(tag, node.value)


_AsData.add_multi_constructor("!", _tagged)
_AsData.add_multi_constructor("tag:yaml.org,2002:python/", _tagged)


def _yaml(file: Path) -> dict[str, Any]:
    """A description; ``Tagged`` where a value has a tag of its own."""
    if file.stat().st_size > LARGEST:
        raise ValueError(f"{file}: expected a description of at most {LARGEST} bytes; restore the model")
    try:
        found = yaml.load(file.read_text("utf-8"), Loader=_AsData)  # noqa: S506 (a SafeLoader that knows more tags)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ValueError(f"{file}: it is no YAML ({' '.join(str(error).split())[:200]}); restore the model") from error
    if not isinstance(found, dict):
        raise ValueError(f"{file}: expected a mapping, found {type(found).__name__}; restore the model")
    return found


def _json(file: Path) -> dict[str, Any]:
    if not file.is_file():
        raise ValueError(f"{file} is missing: it says what the weights beside it are of; restore the model")
    found = parse_json(file)
    if not isinstance(found, dict):
        raise ValueError(f"{file}: expected an object, found {type(found).__name__}; restore the model")
    return found


OF_SPEECHBRAIN: Mapping[str, tuple[str, type[BaseModel]]] = {
    "ECAPA_TDNN": ("new:speechbrain.lobes.models.ECAPA_TDNN.ECAPA_TDNN", EcapaOptions),
    "ResNet": ("new:speechbrain.lobes.models.ResNet.ResNet", ResNetOptions),
}
FBANK = {
    **{"sample_rate": 16_000, "n_fft": 400, "win_length": 25, "hop_length": 10, "f_min": 0, "f_max": 8_000},
    **{"deltas": False, "context": False, "requires_grad": False, "filter_shape": "triangular"},
}
"""What SpeechBrain's features are here; ``left_frames`` and ``right_frames`` count with ``context`` alone."""


def _hyperparams(file: Path, name: str, speech: SpeechInputConfig) -> dict[str, Any]:
    """The options that ``hyperparams.yaml`` says of ``embedding_model``, once what it hears is what is heard here."""
    whole = _yaml(file)
    tag, options = OF_SPEECHBRAIN[name]
    model = _part(whole, "embedding_model", tag, file)
    fbank = _part(whole, "compute_features", "new:speechbrain.lobes.features.Fbank", file)
    norm = _part(whole, "mean_var_norm", "new:speechbrain.processing.features.InputNormalization", file)
    bands = {model.pop("input_size", None), fbank.pop("n_mels", 40)}
    if bands != {speech.n_mels}:
        raise ValueError(f"{file}: its features have {sorted(bands, key=str)} bands; set inputs.speech.n_mels to that")
    _require(file, whole.get("sample_rate", fbank.get("sample_rate", 16_000)), speech.sample_rate)
    other = {key: value for key, value in fbank.items() if key not in ("left_frames", "right_frames")}
    other = {key: value for key, value in other.items() if key not in FBANK or FBANK[key] != value}
    if other or norm != {"norm_type": "sentence", "std_norm": False}:
        raise ValueError(
            f"{file}: expected the features of SpeechBrain's speaker models (Fbank as it is, less the mean of each "
            f"sound), found compute_features {other}, mean_var_norm {norm}; give another model"
        )
    if model.pop("activation", None) not in (None, Tagged("name:torch.nn.ReLU", "")):
        raise ValueError(f"{file}: embedding_model has another activation than ReLU; give another model")
    model.pop("device", None)
    if unknown := sorted(set(model) - set(options.model_fields)):
        raise ValueError(
            f"{file}: embedding_model says {', '.join(unknown)}, which is not taken here; give another model"
        )
    return model


def _part(whole: Mapping[str, Any], key: str, tag: str, file: Path) -> dict[str, Any]:
    """What a description says of one of its parts, with the values that it refers to."""
    part = whole.get(key)
    if not isinstance(part, Tagged) or part.tag != tag or not isinstance(part.value, dict):
        found = f"!{part.tag}" if isinstance(part, Tagged) else part
        raise ValueError(f"{file}: {key}: expected !{tag} with its arguments, found {found}; correct encoder.name")
    return {name: _resolved(value, whole, file) for name, value in part.value.items()}


def _resolved(value: Any, whole: Mapping[str, Any], file: Path) -> Any:
    """The value that a reference such as ``!ref <n_mels>`` means; nothing is computed."""
    if not isinstance(value, Tagged) or value.tag != "ref":
        return value
    named = re.fullmatch(r"<(\w+)>", str(value.value))
    if named is None or named[1] not in whole or isinstance(whole[named[1]], Tagged):
        raise ValueError(f"{file}: !ref {value.value} is not the name of a plain value in it; write the value there")
    return whole[named[1]]


WESPEAKERS_ECAPA = [f"ECAPA_TDNN_{size}" for size in ("c512", "c1024", "GLOB_c512", "GLOB_c1024")]


def _of_wespeakers_ecapa(file: Path, found: Mapping[str, Tensor]) -> Published:
    """Options and tensors of ``Ecapa`` in WeSpeaker's form.

    Of the parts that a Res2Net convolution cuts its channels into, WeSpeaker leaves the last as it is and SpeechBrain
    the first: the channels before and behind it are turned by one part.
    """
    names = {name for name in found if not name.startswith("projection.")}
    tensors: dict[str, Tensor] = {}
    scale = 1 + sum(bool(re.fullmatch(r"layer2\.se_res2block\.1\.convs\.\d+\.weight", name)) for name in names)
    try:
        for name in sorted(names):
            stem, _, last = name.rpartition(".")
            ours, side = _renamed_ecapa(stem)
            tensor = found[name]
            if side is not None and tensor.ndim > side:
                tensor = tensor.roll(tensor.shape[side] // scale, dims=side)
            if last == "weight" and ".norm" not in ours and tensor.ndim == 2:  # a linear layer, there
                tensor = tensor[..., None]
            tensors[f"network.{ours}.{last}"] = tensor
        first, each = found["layer1.conv.weight"], found["layer2.se_res2block.1.convs.0.weight"]
        width, attention = len(first), found["pool.linear1.weight"]
        options = {
            "channels": [*[width] * 4, 3 * width],
            "kernel_sizes": [first.shape[2], *[each.shape[2]] * 3, 1],
            "dilations": [1, 2, 3, 4, 1],
            "attention_channels": len(attention),
            "res2net_scale": scale,
            "se_channels": len(found["layer2.se_res2block.3.linear1.weight"]),
            "lin_neurons": len(found["linear.weight"]),
            "global_context": attention.shape[1] == 9 * width,
        }
    except KeyError as error:
        raise ValueError(
            f"{file}: expected the tensors of WeSpeaker's ECAPA-TDNN with ASTP (layer1 to layer4, conv, pool, bn, "
            f"linear), found {_few(found)}, and {error} is not as there; give the path of one"
        ) from error
    return {**options, "form": "wespeaker", "features": "kaldi"}, tensors


def _renamed_ecapa(stem: str) -> tuple[str, int | None]:
    """What a layer of WeSpeaker's is called in ``Ecapa``, and along which dimension its channels are turned."""
    own = {
        "layer1.conv": "blocks.0.conv.conv",
        "layer1.bn": "blocks.0.norm.norm",
        "conv": "mfa.conv.conv",
        "pool.linear1": "asp.attention.0.conv.conv",
        "pool.linear2": "asp.attention.2.conv",
        "bn": "asp_bn.norm",
        "linear": "fc.conv",
    }
    if stem in own:
        return own[stem], None
    block = re.fullmatch(
        r"layer([234])\.se_res2block\.(?:([02])\.(conv|bn)|1\.(convs|bns)\.(\d+)|3\.linear([12]))", stem
    )
    if block is None:
        raise KeyError(stem)
    number, around, kind, inner, place, gate = block.groups()
    at = f"blocks.{int(number) - 1}"
    if gate:
        return f"{at}.se_block.conv{gate}.conv", None
    if inner:
        return f"{at}.res2net_block.blocks.{place}.{'conv.conv' if inner == 'convs' else 'norm.norm'}", None
    before = around == "0"
    layer = f"{at}.tdnn{1 if before else 2}.{'conv.conv' if kind == 'conv' else 'norm.norm'}"
    return layer, 0 if before else (1 if kind == "conv" else None)


def _require_wespeaker(file: Path, names: Sequence[str], pooling: str, speech: SpeechInputConfig) -> None:
    """Make sure that ``config.yaml`` describes a network, and features, such as are built here."""
    whole = _yaml(file)
    data, model = (_mapping(whole, key, file) for key in ("dataset_args", "model_args"))
    fbank = _mapping(data, "fbank_args", file)
    expected = {
        "model": (whole.get("model"), whole.get("model") if whole.get("model") in names else names[0]),
        "model_args.pooling_func": (model.get("pooling_func", pooling), pooling),
        "model_args.emb_bn": (model.get("emb_bn", False), False),
        "model_args.two_emb_layer": (model.get("two_emb_layer", False), False),
        "dataset_args.frontend": (data.get("frontend", "fbank"), "fbank"),
        "dataset_args.cmvn": (data.get("cmvn", True), True),
        "dataset_args.fbank_args.frame_length": (fbank.get("frame_length", 25), 25),
        "dataset_args.fbank_args.frame_shift": (fbank.get("frame_shift", 10), 10),
    }
    for key, (found, wanted) in expected.items():
        if found != wanted:
            hint = ""
            if key == "model" and str(found).startswith("ECAPA"):
                hint = ", which is read by encoder.library: speechbrain, name: ECAPA_TDNN"
            raise ValueError(
                f"{file}: {key}: expected {wanted!r}, found {found!r}{hint}; give the path of another model"
            )
    bands = {model.get("feat_dim"), fbank.get("num_mel_bins", 80)}
    if bands != {speech.n_mels}:
        raise ValueError(f"{file}: its features have {sorted(bands, key=str)} bands; set inputs.speech.n_mels to that")
    _require(file, data.get("resample_rate", 16_000), speech.sample_rate)


def _mapping(whole: Mapping[str, Any], key: str, file: Path) -> dict[str, Any]:
    found = whole.get(key, {})
    if not isinstance(found, dict):
        raise ValueError(f"{file}: {key}: expected a mapping, found {type(found).__name__}; restore the model")
    return found


def _require(file: Path, rate: Any, wanted: int) -> None:
    if rate != wanted:
        raise ValueError(
            f"{file}: the model hears sounds of {rate} Hz, found inputs.speech.sample_rate = {wanted}; set it"
        )


def _few(names: Any) -> str:
    """The first names, and how many more there are."""
    listed = list(map(str, names))
    return f"{', '.join(listed[:5]) or 'nothing'}{f' and {len(listed) - 5} more' if len(listed) > 5 else ''}"
