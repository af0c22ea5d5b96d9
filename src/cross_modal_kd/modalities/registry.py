"""The modalities that there are."""

from cross_modal_kd.config import Announced, announce, withdraw
from cross_modal_kd.modalities.modality import Modality, ModalityError
from cross_modal_kd.models import register_libraries, withdraw_libraries

_MODALITIES: dict[str, Modality] = {}


def register(modality: Modality) -> None:
    """Make a modality known: to the parameters, to the layouts of files and to every stage.

    Args:
        modality: an instance; its name and the names of its encoder libraries must be new.

    Raises:
        ValueError: one of the names is taken.
    """
    traits = {name: library.traits for name, library in modality.libraries.items()}
    announced = Announced(modality.inputs, traits, modality.student, modality.teacher, modality.augmentation)
    announce(modality.name, announced)
    register_libraries(modality.libraries)
    _MODALITIES[modality.name] = modality


def unregister(name: str) -> None:
    """Undo ``register``, in a test or a notebook.

    Args:
        name: of a registered modality; its encoder libraries and its block in ``inputs`` go with it.

    Raises:
        ModalityError: it is not registered.
    """
    modality = modality_of(name)
    del _MODALITIES[name]
    withdraw_libraries(modality.libraries)
    withdraw(name)


def modality_of(name: str) -> Modality:
    """The modality of that name, as the column ``modality`` and the parameters ``task`` have it.

    Args:
        name: ``image``, ``speech``, ``text`` or that of another registered one.

    Returns:
        The instance that was registered.

    Raises:
        ModalityError: it is not registered; the message lists those that are.
    """
    if name not in _MODALITIES:
        raise ModalityError(f"unknown modality {name!r}; there are: {', '.join(_MODALITIES)}")
    return _MODALITIES[name]


def modality_of_ending(ending: str) -> Modality | None:
    """The modality of files with that ending.

    Args:
        ending: with the dot, ``.png``; upper case is the same.

    Returns:
        The first registered one that has the ending among its ``endings``, None where there is none.
    """
    found = (each for each in _MODALITIES.values() if ending.lower() in each.endings)
    return next(found, None)


def modality_of_library(library: str) -> Modality:
    """The modality that has an encoder library.

    Args:
        library: as ``encoder.library`` names it.

    Returns:
        The registered modality.

    Raises:
        ModalityError: none has it.
    """
    for each in _MODALITIES.values():
        if library in each.libraries:
            return each
    raise ModalityError(f"no modality has the encoder library {library!r}; there are: {', '.join(_MODALITIES)}")


def known_endings() -> str:
    """The endings of files of every registered modality, for messages.

    Returns:
        By modality, ``image: .png, .jpg; speech: .wav``; those without files are left out.
    """
    return "; ".join(f"{each.name}: {', '.join(each.endings)}" for each in _MODALITIES.values() if each.endings)
