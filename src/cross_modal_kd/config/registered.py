"""What each modality announces of itself, so that parameters are checked without importing a modality.

Filled by ``cross_modal_kd.modalities.register``; ``import cross_modal_kd.modalities`` announces those of the project.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ValidationError

from cross_modal_kd.config.strict import Strict, first_errors


class NoOptions(Strict):
    """Of an encoder that takes none."""


# One model for every encoder of a library, or a model for each encoder that it has.
Options = type[BaseModel] | Mapping[str, type[BaseModel]]


@dataclass(frozen=True)
class LibraryTraits:
    """What is known of an encoder library before it is imported.

    Attributes:
        trainable: its encoders can be trained here.
        pretrained: it brings weights of its own.
        options: the models that the options of a configuration must pass, each with its types and ranges: nothing else
            reaches the library. One for all of its encoders, or one for each that it has.
        weights: which of the options say where pretrained weights lie; those are a pretrained teacher's alone, and none
            is taken from a saved model.
        by_path: it takes weights from a folder or file that others have published.
    """

    trainable: bool = True
    pretrained: bool = True
    options: Options = NoOptions
    weights: tuple[str, ...] = ()
    by_path: bool = False


@dataclass(frozen=True)
class Announced:
    """What of a modality can be configured.

    Attributes:
        inputs: the model of its block in ``inputs``; None where nothing is turned into tensors.
        libraries: of encoders, by the name that ``encoder.library`` has.
        student: what a task starts from in the block ``student`` where it says nothing (its ``encoder``).
        teacher: likewise in the block ``teacher``.
        augmentation: the model of its block in ``training.augmentation``; None where there is none.
    """

    inputs: type[BaseModel] | None = None
    libraries: Mapping[str, LibraryTraits] = field(default_factory=dict)
    student: Mapping[str, Any] = field(default_factory=dict)
    teacher: Mapping[str, Any] = field(default_factory=dict)
    augmentation: type[BaseModel] | None = None


_ANNOUNCED: dict[str, Announced] = {}


def announce(modality: str, announced: Announced) -> None:
    """Make a modality known to the parameters.

    Args:
        modality: its name, as the column ``modality`` of the samples table has it.
        announced: what of it can be configured.

    Raises:
        ValueError: the name, or the name of one of its libraries, is taken.
    """
    taken = [name for name in announced.libraries if name in _libraries()]
    if modality in _ANNOUNCED or taken:
        raise ValueError(f"modality {modality!r}: the name {(taken or [modality])[0]!r} is registered already")
    _ANNOUNCED[modality] = announced


def withdraw(modality: str) -> None:
    """Undo ``announce``.

    Args:
        modality: its name.

    Raises:
        KeyError: it is not registered.
    """
    del _ANNOUNCED[modality]


def modality_names() -> tuple[str, ...]:
    """The registered modalities, in the order of their registration."""
    return tuple(_ANNOUNCED)


def input_blocks() -> dict[str, type[BaseModel]]:
    """By modality, the model of its block in ``inputs``; a modality that turns nothing into tensors has none.

    Raises:
        ValueError: no modality is registered yet.
    """
    _require_some()
    return {name: found.inputs for name, found in _ANNOUNCED.items() if found.inputs is not None}


def augmentation_block(modality: str) -> type[BaseModel]:
    """The model of a modality's block in ``training.augmentation``.

    Args:
        modality: its name.

    Returns:
        The model.

    Raises:
        ValueError: it has none, or is not registered; the message lists those that have.
    """
    having = {name: found.augmentation for name, found in _ANNOUNCED.items() if found.augmentation is not None}
    return having[_check("block of training.augmentation", modality, having)]


def default_of(role: Literal["student", "teacher"], modality: str) -> Mapping[str, Any]:
    """What a task of this modality starts from.

    Args:
        role: the block.
        modality: as ``task.student`` or ``task.teacher`` names it.

    Returns:
        Values of that block; none where the modality is not registered or has none, and the task has to say it.
    """
    return getattr(_ANNOUNCED[modality], role) if modality in _ANNOUNCED else {}


def libraries_of(modality: str) -> Mapping[str, LibraryTraits]:
    """The encoder libraries of a modality.

    Args:
        modality: its name.

    Returns:
        What each of them can do, by name.

    Raises:
        ValueError: it is not registered; the message lists those that are.
    """
    return _ANNOUNCED[check_modality(modality)].libraries


def input_blocks_of(library: str) -> set[str]:
    """The block in ``inputs`` that decides what encoders of a library see.

    Args:
        library: its name.

    Returns:
        The block's name, a set of one; empty where nothing is turned into tensors for it.
    """
    return {name for name, found in _ANNOUNCED.items() if library in found.libraries and found.inputs is not None}


def library_traits(library: str) -> LibraryTraits:
    """Traits of an encoder library.

    Args:
        library: its name.

    Returns:
        What it can do.

    Raises:
        ValueError: it is not registered; the message lists those that are.
    """
    return _libraries()[check_library(library)]


def check_options(library: str, name: str, options: Mapping[str, object]) -> None:
    """Let pass what an encoder may be built with.

    Args:
        library: a registered one.
        name: of the encoder, in that library.
        options: plain values by name.

    Raises:
        ValueError: the library has no such encoder, or an option is not known, or not of its type and range; the
            message lists what is.
    """
    models = library_traits(library).options
    if isinstance(models, Mapping) and name not in models:
        raise ValueError(f"encoder.name {name!r} is not known for {library}; expected one of: {sorted(models)}")
    model = models[name] if isinstance(models, Mapping) else models
    try:
        model.model_validate(dict(options))
    except ValidationError as error:
        raise ValueError(f"encoder.options of {name!r} ({library}): {first_errors(error)}") from error


def weights_options(library: str, options: Mapping[str, object]) -> list[str]:
    """Those of an encoder's options that say where pretrained weights lie.

    Args:
        library: a registered one.
        options: plain values by name.

    Returns:
        Their names.

    Raises:
        ValueError: the library is not registered.
    """
    return [name for name in library_traits(library).weights if name in options]


def check_modality(name: str) -> str:
    """The name, if a modality is registered under it.

    Args:
        name: what was given.

    Returns:
        ``name`` itself.

    Raises:
        ValueError: it is not registered; the message lists those that are.
    """
    return _check("modality", name, _ANNOUNCED)


def check_student(name: str) -> str:
    """The name, if it is that of a modality whose encoders can be trained.

    Args:
        name: as ``task.student`` has it.

    Returns:
        ``name`` itself.

    Raises:
        ValueError: it is not; the message lists those that are.
    """
    learning = [each for each, found in _ANNOUNCED.items() if any(of.trainable for of in found.libraries.values())]
    if check_modality(name) not in learning:
        raise ValueError(
            f"task.student: none of the encoder libraries of {name!r} can be trained; expected one of: "
            f"{', '.join(learning)}"
        )
    return name


def check_library(name: str) -> str:
    """The name, if an encoder library is registered under it.

    Args:
        name: what was given.

    Returns:
        ``name`` itself.

    Raises:
        ValueError: it is not registered; the message lists those that are.
    """
    return _check("encoder library", name, _libraries())


def _libraries() -> dict[str, LibraryTraits]:
    return {name: traits for found in _ANNOUNCED.values() for name, traits in found.libraries.items()}


def _require_some() -> None:
    if not _ANNOUNCED:
        raise ValueError("no modality is registered yet: import cross_modal_kd.modalities first")


def _check(kind: str, name: str, there: Mapping[str, object]) -> str:
    _require_some()
    if name not in there:
        raise ValueError(f"unknown {kind} {name!r}; expected one of: {', '.join(map(repr, there))}")
    return name


StudentModalityName = Annotated[str, AfterValidator(check_student)]
ModalityName = Annotated[str, AfterValidator(check_modality)]
LibraryName = Annotated[str, AfterValidator(check_library)]
