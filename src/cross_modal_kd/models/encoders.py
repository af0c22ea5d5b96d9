"""What an encoder is. Those of a library are built by the modality that registers it.

Every encoder takes a batch of raw inputs as its modality reads them (uint8 images, float waveforms), owns its own
feature extraction, returns one vector per input and has an attribute ``num_features``.
"""

from pathlib import Path
from typing import Any

from pydantic import ValidationError
from torch import Tensor, nn

from cross_modal_kd.config import EncoderConfig, InputConfig, first_errors, input_blocks_of
from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.models.errors import ModelError
from cross_modal_kd.models.fit import building, filled, require_fit
from cross_modal_kd.models.libraries import library_of, trainable_libraries

PRETRAINED = "pretrained"
OF_A_LIBRARY = (TypeError, IndexError, KeyError, AssertionError, ArithmeticError)
"""What a library's own code raises where it is built with options that do not go together."""


class Encoder(nn.Module):
    """Raw inputs (B, ...) to features (B, num_features)."""

    num_features: int

    def layer_names(self) -> list[list[str]]:
        """Names of the parameters by layer, from the inputs on: for layer-wise learning rates, and to freeze the first.

        Returns:
            By default a layer for every module two levels down, in the order of their names' first appearance.
        """
        found: dict[tuple[str, ...], list[str]] = {}
        for name, _ in self.named_parameters():
            found.setdefault(tuple(name.split(".")[:2]), []).append(name)
        return list(found.values())

    def augment_features(self, augmentation: Any) -> None:
        """Have features changed in training, as the modality's block in ``training.augmentation`` says.

        By default nothing is.

        Args:
            augmentation: the block.
        """

    def make_portable(self) -> None:
        """Put what computes the same, for inputs of any size, in the place of what no exported graph can hold."""


def described(config: EncoderConfig, inputs: InputConfig, pretrained: bool | str) -> EncoderConfig:
    """The encoder with the options that the folder or file of its weights says, once its tensors were found to fit.

    Args:
        config: the library, the name of an encoder in it, and its options.
        inputs: how the samples become tensors.
        pretrained: as ``create_encoder`` has it; where it is no path the encoder is what it was.

    Returns:
        The encoder that a saved model names.

    Raises:
        ValueError: the path does not hold such an encoder, or an option is not what it says; the message names it.
    """
    return _published(config, inputs, pretrained)[0] if isinstance(pretrained, str) else config


def _published(config: EncoderConfig, inputs: InputConfig, path: str) -> tuple[EncoderConfig, dict[str, Tensor]]:
    """The encoder that a path says, and its tensors, which fit it."""
    library = library_of(config.library)
    if library.published is None or library.create is None:
        raise ValueError(f"{path}: encoder.library {config.library!r} takes no weights from a path")
    said, tensors = library.published(config, inputs, Path(path))
    other = [name for name in said if config.options.get(name, said[name]) != said[name]]
    if other:
        raise ValueError(
            f"{path}: its encoder has {', '.join(f'{name} = {said[name]}' for name in other)}, found "
            f"{', '.join(f'encoder.options.{name} = {config.options[name]}' for name in other)}; take that out (null)"
        )
    build = library.create
    try:
        whole = EncoderConfig(library=config.library, name=config.name, options={**config.options, **said})
        require_fit(lambda: build(whole, inputs), tensors)
    except ValidationError as error:
        raise ValueError(f"{path}: {first_errors(error)}") from error
    except (ValueError, *OF_A_LIBRARY) as error:
        raise ValueError(
            f"{path}: its tensors are not those of {config.name!r} ({config.library}) with these options: {error}; "
            "give the path of one, or correct encoder.name and encoder.options"
        ) from error
    return whole, tensors


def create_encoder(config: EncoderConfig, inputs: InputConfig, pretrained: bool | str = False) -> Encoder:
    """The trainable encoder that ``config`` names.

    Args:
        config: the library, the name of an encoder in it, and its options.
        inputs: how the samples become tensors, since that decides the encoder's first layer.
        pretrained: with the weights that the library has for it, or with those of the folder or file at a path; the
            only way to them.

    Returns:
        An encoder in training mode on the CPU, with fresh weights where it is not pretrained.

    Raises:
        ValueError: the library trains no encoder here, has none of that name, or the options do not fit it.
    """
    if isinstance(pretrained, str):
        whole, tensors = _published(config, inputs, pretrained)
        return filled(lambda: create_encoder(whole, inputs), tensors).train()
    library = library_of(config.library)
    create = library.pretrained if pretrained else library.create
    if create is None:
        raise ValueError(
            f"encoder.library {config.library!r} is used pretrained and frozen only; "
            f"a trained encoder needs one of: {', '.join(trainable_libraries())}"
        )
    try:
        return create(config, inputs)
    except OF_A_LIBRARY as error:
        raise ValueError(
            f"encoder.options of {config.name!r} ({config.library}): it cannot be built with {config.options} "
            f"({type(error).__name__}: {error})"
        ) from error


def saved_encoder(bundle: ModelBundle) -> EncoderConfig:
    """The encoder that a saved model names, whose options are on the list of its library.

    Args:
        bundle: of a student or of a pretrained teacher.

    Returns:
        The configuration.

    Raises:
        ModelError: there is none, the library or an option is not known, or an option says where weights lie.
    """
    with building(bundle):
        return EncoderConfig(**bundle.config["encoder"]).require_fresh("a saved model brings its own")


def saved_inputs(bundle: ModelBundle) -> InputConfig:
    """How the inputs of a saved model are read.

    Args:
        bundle: of a student or of a pretrained teacher.

    Returns:
        The block ``inputs``.

    Raises:
        ModelError: a key is missing, unknown, or not of its type and range: a default in its place would be read
            differently from what the model was trained on.
    """
    library = saved_encoder(bundle).library
    with building(bundle):
        said: dict[str, Any] = bundle.config["inputs"]
        inputs = InputConfig(**said)
        full = inputs.model_dump(mode="json")
        for block in {name for name in said if name != "cache_mb"} | input_blocks_of(library):
            if not _same(said.get(block), full.get(block)):
                raise ValueError(f"inputs.{block} must be such as {full.get(block)}, found {said.get(block)}")
        return inputs


def _same(said: Any, full: Any) -> bool:
    """Whether two plain values are equal, as are their types; a whole number may stand for the same one with a dot."""
    if isinstance(said, dict) and isinstance(full, dict):
        return said.keys() == full.keys() and all(_same(value, full[name]) for name, value in said.items())
    return said == full and isinstance(said, bool) == isinstance(full, bool)


def build_pretrained(bundle: ModelBundle, inputs: InputConfig) -> Encoder:
    """The encoder of a pretrained teacher, with the weights that were saved of it.

    Args:
        bundle: of kind ``pretrained``, of a library whose encoders are built, or opened, here.
        inputs: how the samples become tensors.

    Returns:
        The encoder, in evaluation mode on the CPU.

    Raises:
        ModelError: the bundle holds another kind of model, or one that cannot be built.
    """
    if bundle.kind != PRETRAINED:
        raise ModelError(f"{bundle.where}: expected a model of kind {PRETRAINED!r}, found {bundle.kind!r}")
    encoder = saved_encoder(bundle)
    with building(bundle):
        if (opened := library_of(encoder.library).opened) is not None:
            return opened(encoder, inputs).eval()
        return filled(lambda: create_encoder(encoder, inputs), bundle.tensors)
