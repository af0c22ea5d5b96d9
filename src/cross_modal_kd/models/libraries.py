"""Where encoders come from. Each modality registers the libraries that it has; nothing heavy is imported here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cross_modal_kd.config import EncoderConfig, InputConfig, LibraryTraits, NoOptions, Options

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import pandas as pd
    from torch import Tensor

    from cross_modal_kd.models.encoders import Encoder
    from cross_modal_kd.models.reading import Reading


@dataclass(frozen=True)
class EncoderLibrary:
    """One library of encoders.

    create: an encoder of that name with fresh weights; None where the library is used pretrained and frozen only.
    pretrained: the same with the weights that the library has for it; None where it has none, or ``create`` is None.
    published: where ``create`` builds what others have published: the folder or file at a path -> (the options that it
    says, what an encoder of that name and those options has for tensors). Nothing of it is run; ValueError names it.
    options: what its encoders may be built with (``config.registered.LibraryTraits``): by default nothing.
    weights_options: which of them say where pretrained weights lie.
    embed: of a library without ``create``, the samples of its modality -> (N, D) float32 embeddings, L2-normalised.
    reading: of a library with ``embed``, how much of each of its samples is read; None where all of it is.
    opened: of a library without ``create`` and ``embed``, the network, with weights that stay where they lie.
    weights: of a library without ``create``, SHA-256 of the weights, which stay where they lie.
    takes: name of an encoder -> those of ``options`` that it has, where its library's encoders differ in them.
    check: of a library without ``create``, raises ValueError for a name or an option that it does not have; of one with
    it, building the encoder tells.
    """

    create: "Callable[[EncoderConfig, InputConfig], Encoder] | None" = None
    pretrained: "Callable[[EncoderConfig, InputConfig], Encoder] | None" = None
    published: "Callable[[EncoderConfig, InputConfig, Path], tuple[dict[str, Any], dict[str, Tensor]]] | None" = None
    options: Options = NoOptions
    weights_options: tuple[str, ...] = ()
    embed: "Callable[[EncoderConfig, pd.DataFrame], np.ndarray] | None" = None
    reading: "Callable[[EncoderConfig, pd.DataFrame], Reading] | None" = None
    opened: "Callable[[EncoderConfig, InputConfig], Encoder] | None" = None
    weights: Callable[[EncoderConfig], str] | None = None
    takes: Callable[[str], list[str]] | None = None
    check: Callable[[EncoderConfig], None] | None = None

    def __post_init__(self) -> None:
        if self.create is None and ((self.embed is None and self.opened is None) or self.weights is None):
            raise ValueError("an encoder library needs `create`, or `weights` and `embed` or `opened`; give it these")

    @property
    def traits(self) -> LibraryTraits:
        """What is announced of it."""
        pretrained = self.create is None or self.pretrained is not None
        by_path = self.published is not None
        return LibraryTraits(self.create is not None, pretrained, self.options, self.weights_options, by_path)


_LIBRARIES: dict[str, EncoderLibrary] = {}


def register_libraries(libraries: Mapping[str, EncoderLibrary]) -> None:
    """Make libraries known to ``library_of``; their names are checked where the modality is announced.

    Args:
        libraries: by name, as ``encoder.library`` names it; a name that is known already is replaced.
    """
    _LIBRARIES.update(libraries)


def withdraw_libraries(names: Mapping[str, EncoderLibrary]) -> None:
    """Undo ``register_libraries``.

    Args:
        names: what was given to it; only its keys count.

    Raises:
        KeyError: one of them is not registered.
    """
    for name in names:
        del _LIBRARIES[name]


def library_of(name: str) -> EncoderLibrary:
    """A registered library.

    Args:
        name: as ``encoder.library`` names it.

    Returns:
        The library.

    Raises:
        ValueError: it is not registered; the message lists those that are.
    """
    if name not in _LIBRARIES:
        raise ValueError(
            f"unknown encoder library {name!r}; registered: {', '.join(_LIBRARIES) or 'none'} "
            "(import cross_modal_kd.modalities to register those of the project)"
        )
    return _LIBRARIES[name]


def trainable_libraries() -> list[str]:
    """The registered libraries whose encoders can be trained."""
    return [name for name, library in _LIBRARIES.items() if library.create is not None]
