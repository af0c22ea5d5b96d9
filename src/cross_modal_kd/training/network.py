"""A network before it is trained: whether it can be built, takes its inputs, and how large it is (imports torch)."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from cross_modal_kd.config import ConfigError, EncoderConfig, InputConfig, library_traits
from cross_modal_kd.modalities import modality_of
from cross_modal_kd.models import Student, described, library_of


def parameters_of(
    encoder: EncoderConfig, inputs: InputConfig, dim: int, modality: str, where: str, pretrained: bool | str = False
) -> int:
    """The number of parameters of a network that is to be trained, once it was found to work.

    It is built and given two empty inputs of every shape that it will meet; without memory (on torch's device ``meta``)
    where its library can do that. The weights that it starts from are not fetched, and no generator is moved on; where
    they lie at a path it is seen that they are those of such a network.

    Args:
        encoder: library, name and options.
        inputs: how samples become tensors.
        dim: length of the embedding.
        modality: of the samples.
        where: the block of parameters that names the encoder, for errors: ``student``.
        pretrained: as that block has it.

    Returns:
        How many numbers are learnt, encoder and embedding together.

    Raises:
        ConfigError: the library has no such encoder or option, or the encoder does not take such inputs, or the weights
            at the path are not its own.
    """
    try:
        encoder = _with_fresh_weights(described(encoder, inputs, pretrained))
    except ValueError as error:
        raise ConfigError(f"{where}.pretrained: {error}") from error
    examples = modality_of(modality).examples(inputs)
    with torch.random.fork_rng(devices=[]):
        try:
            network = _tried(encoder, inputs, dim, examples, "meta")
        except Exception:  # not every layer can be built or run without memory: what is really wrong is wrong here too
            try:
                network = _tried_in_memory(encoder, inputs, dim, examples, where)
            except ConfigError as error:
                blamed = _options_to_blame(encoder, inputs, dim, examples, where)
                raise ConfigError(f"{error}. {blamed}" if blamed else str(error)) from error
    return sum(parameter.numel() for parameter in network.parameters())


def _with_fresh_weights(encoder: EncoderConfig) -> EncoderConfig:
    if not library_traits(encoder.library).pretrained:
        return encoder
    options = {name: value for name, value in encoder.options.items() if not name.startswith("pretrained")}
    return encoder.model_copy(update={"options": options})


def _tried(encoder: EncoderConfig, inputs: InputConfig, dim: int, examples: Sequence[Tensor], device: str) -> nn.Module:
    """The network, after it was given the examples."""
    with torch.device(device):
        network = Student(encoder, inputs, dim).eval()
    with torch.no_grad():
        for example in examples:
            network(example.to(device))
    return network


def _tried_in_memory(
    encoder: EncoderConfig, inputs: InputConfig, dim: int, examples: Sequence[Tensor], where: str
) -> nn.Module:
    named = f"{encoder.library}'s {encoder.name!r} with the options {encoder.options or '{}'}"
    try:
        network = _tried(encoder, inputs, dim, (), "cpu")
    except Exception as error:
        raise ConfigError(f"{where}.encoder: {named} cannot be built: {_told(error)}") from error
    for example in examples:
        shape = "x".join(map(str, example.shape[1:]))
        try:
            with torch.no_grad():
                network(example)
        except Exception as error:
            raise ConfigError(
                f"{where}.encoder: {named} does not take inputs of {shape}, which `inputs` makes: {_told(error)}"
            ) from error
    return network


def _options_to_blame(
    encoder: EncoderConfig, inputs: InputConfig, dim: int, examples: Sequence[Tensor], where: str
) -> str:
    """A sentence on the options without which the network works, and those that it takes; empty if it never does."""

    def works(options: Mapping[str, Any]) -> bool:
        try:
            _tried(encoder.model_copy(update={"options": dict(options)}), inputs, dim, examples, "cpu")
        except Exception:
            return False
        return True

    given = encoder.options
    without = {name: {other: value for other, value in given.items() if other != name} for name in given}
    named = [name for name, others in without.items() if works(others)] or (list(given) if works({}) else [])
    if not named:
        return ""
    takes = library_of(encoder.library).takes
    known = f". The options that {encoder.name!r} takes: {', '.join(takes(encoder.name))}" if takes else ""
    keys = " and ".join(f"{where}.encoder.options.{name}" for name in named)
    lacking = [name for name in named if takes and name not in takes(encoder.name)]
    value = "correct its value (how many numbers?), or take it out"
    why = f"{encoder.name!r} has no such option, take it out" if lacking == named else value
    return f"It works without {keys}: {why}{known}"


def _told(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
