"""The modalities that there are."""

from cross_modal_kd.config.registered import Announced, LibraryTraits, announce, withdraw
from cross_modal_kd.modalities.modality import Modality, ModalityError
from cross_modal_kd.models.libraries import register_libraries, withdraw_libraries

_MODALITIES: dict[str, Modality] = {}


def register(modality: Modality) -> None:
    """Make a modality known: to the parameters, to the layouts of files and to every stage.

    Args:
        modality: an instance; its name and the names of its encoder libraries must be new.

    Raises:
        ValueError: one of the names is taken.
    """
    traits = {
        name: LibraryTraits(library.create is not None, library.pretrained)
        for name, library in modality.libraries.items()
    }
    announce(modality.name, Announced(modality.inputs, traits, modality.student, modality.teacher))
    register_libraries(modality.libraries)
    _MODALITIES[modality.name] = modality


def unregister(name: str) -> None:
    """Undo ``register``, in a test or a notebook. Raises ModalityError for a modality that is not registered."""
    modality = modality_of(name)
    del _MODALITIES[name]
    withdraw_libraries(modality.libraries)
    withdraw(name)


def modality_of(name: str) -> Modality:
    """The modality of that name, as the column ``modality`` and the parameters ``task`` have it.

    Raises:
        ModalityError: it is not registered; the message lists those that are.
    """
    if name not in _MODALITIES:
        raise ModalityError(f"unknown modality {name!r}; there are: {', '.join(_MODALITIES)}")
    return _MODALITIES[name]


def modality_of_ending(ending: str) -> Modality | None:
    """The modality of files with that ending (``.png``; upper case is the same), None where there is none."""
    found = (each for each in _MODALITIES.values() if ending.lower() in each.endings)
    return next(found, None)
