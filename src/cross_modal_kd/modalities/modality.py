"""What a modality is: everything that speech, images and texts do each in their own way, as one object."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, TypeVar

from pydantic import BaseModel

from cross_modal_kd.config import IngestionConfig, InputConfig
from cross_modal_kd.modalities.files import digest
from cross_modal_kd.models import EncoderLibrary
from cross_modal_kd.samples import Roots, SamplesError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import pandas as pd
    from torch import Generator, Tensor

    from cross_modal_kd.modalities.degradation import Degradation
    from cross_modal_kd.modalities.inputs import Inputs
    from cross_modal_kd.models import Reading

Row = Mapping[str, Any]
Named = TypeVar("Named")


class ModalityError(ValueError):
    """A modality, measure or degradation that is not there; the message lists what is."""


class Corrupt(Protocol):
    """(sample_id, decoded sample) to a damaged sample of the same kind: what studies do to samples as they are read.

    It is called from several threads, so it keeps no state, and the same sample_id meets the same damage whenever it is
    read. What the modality tells beside the sample comes by name (speech: ``sample_rate`` in Hz).
    """

    def __call__(self, sample_id: str, sample: Any, **about: Any) -> Any: ...


class Augment(Protocol):
    """A batch of raw inputs to a batch of the same shape, on the batch's device; all randomness from the generator."""

    def __call__(self, inputs: "Tensor", generator: "Generator") -> "Tensor": ...


@dataclass(frozen=True)
class Decoded:
    """A sample, and what is known about it.

    Attributes:
        value: the sample, as measures and degradations take it.
        about: what they take beside it, by name.
    """

    value: Any
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Taken:
    """A sample from outside the samples table.

    Attributes:
        decoded: as quality is measured on it.
        tensor: as a network is given it, read as ``load`` reads it for evaluation; None where the modality has none.
        unread: how much of it behind its beginning the network is not given, in words; empty where it is given all.
    """

    decoded: Decoded
    tensor: "Tensor | None" = None
    unread: str = ""


@dataclass(frozen=True)
class Preview:
    """A sample as a page shows it.

    Attributes:
        kind: how the page shows ``content``.
        content: a ``data:`` address (image, sound), or words.
        outline: of a sound, (-highest, -lowest) value of each of its stretches: negated, as a screen's coordinates run
            downwards.
    """

    kind: Literal["image", "sound", "text"]
    content: str
    outline: Sequence[tuple[float, float]] = ()


@dataclass(frozen=True)
class Standalone:
    """How an exported encoder of a modality is fed without this package.

    Attributes:
        input: what its one input is called.
        axes: names of the axes that may have any size, by their place in one sample, from 0.
        facts: how a sample becomes that input, as plain values for export.json, which ``reader`` is given.
        reader: a module that imports nothing of this package; its ``read(path, facts)`` gives one sample as an array,
            or raises a ValueError that says what is wrong with the file.
        needs: packages that it imports beside numpy and onnxruntime.
    """

    input: str
    axes: Mapping[int, str]
    facts: Mapping[str, Any]
    reader: "Path"
    needs: tuple[str, ...]


class Modality(ABC):
    """One modality. A subclass in a folder of its own, and one ``register``, is all that a new one takes.

    Attributes:
        name: as in the column ``modality`` of the samples table.
        plural: for running text.
        version: of what a look at a file and its quality measures give; raise it where they give something else for the
            same file, so that nothing is taken from what an older version has kept.
        words: whether its samples are words, which stand in the samples table; a file that holds one is a ``.txt``.
        endings: of its files, in lower case with the dot, by which the layout ``folder`` knows them.
        about: names of what ``decode`` tells beside the sample.
        inputs: the model of its block in the parameters ``inputs``; None where nothing is turned into tensors.
        shown: samples of a label in the report's gallery, where it is the student's modality and where it is the
            teacher's.
        columns: in which a served student is given a decoded sample, a row of a table each, with their types
            (``double[]``); none where only files are served.
        libraries: of encoders, by name.
        hub: Hugging Face's word for it; empty where it has none.
        concerns: whom its samples may concern, for a model card.
        student: what a task starts from in its block ``student`` where it says nothing (an ``encoder``).
        teacher: likewise in the block ``teacher``, with ``pretrained``.
        augmentation: the model of its block in ``training.augmentation``, which its ``Inputs.augmented`` takes; None
            where there is none.
    """

    name: ClassVar[str]
    plural: ClassVar[str]
    version: ClassVar[int] = 1
    hub: ClassVar[str] = ""
    concerns: ClassVar[tuple[str, ...]] = (
        "Whom the data concern is not known to this card: whoever publishes the student adds it.",
    )
    words: ClassVar[bool] = False
    endings: ClassVar[tuple[str, ...]] = ()
    about: ClassVar[tuple[str, ...]] = ()
    inputs: ClassVar[type[BaseModel] | None] = None
    shown: ClassVar[tuple[int, int]] = (3, 2)
    columns: ClassVar[Mapping[str, str]] = {}
    libraries: ClassVar[Mapping[str, EncoderLibrary]]
    student: ClassVar[Mapping[str, Any]] = {}
    teacher: ClassVar[Mapping[str, Any]] = {}
    augmentation: ClassVar[type[BaseModel] | None] = None

    @property
    def served(self) -> tuple[str, ...]:
        """Endings of the files that a student in use is given: ``endings``, and of words ``.txt``."""
        return (".txt",) if self.words else self.endings

    @property
    @abstractmethod
    def measures(self) -> Mapping[str, Callable[..., float]]:
        """Quality measures by name: (sample, what ``about`` names, ``context``) -> a number, higher is better."""

    @property
    def batched(self) -> "Mapping[str, Callable[[Sequence[tuple[Any, ...]]], np.ndarray]]":
        """Those of the measures that have a faster way for many samples: n tuples of what a measure takes -> (n,)."""
        return {}

    def seen(self, given: tuple[Any, ...]) -> tuple[Any, ...]:
        """One sample as all of its measures are given it, so that what several ask of it is worked out once.

        Args:
            given: what a measure takes.

        Returns:
            What every measure takes too; by default the same.
        """
        return given

    @property
    @abstractmethod
    def degradations(self) -> "Mapping[str, Degradation]":
        """Known damage by name."""

    @abstractmethod
    def decode(self, content: Any, name: str, inputs: InputConfig | None = None) -> Decoded:
        """Bytes (or the text of a row) to the decoded sample.

        Args:
            content: what ``content`` returns.
            name: of the sample, for errors.
            inputs: where given, the sample is what its tensor is made of (a sound at ``inputs.speech.sample_rate``);
                else it is as stored, which is what quality is measured on.

        Returns:
            The sample and what is known about it.

        Raises:
            UnreadableSampleError: the content cannot be decoded.
        """

    def content(self, row: Row, roots: Roots) -> Any:
        """The bytes of a row's file.

        Args:
            row: of the samples table, or a candidate row; ``source`` and ``path`` are looked at.
            roots: where the files lie.

        Returns:
            What ``decode`` takes: the file's bytes, unless the modality reads no more of it than it needs (a path), or
            keeps its content in the row itself.

        Raises:
            SamplesError: the file is missing, or its path leads outside the source's root.
        """
        return roots.bytes(row["source"], row["path"])

    def digest(self, row: Row, roots: Roots) -> str:
        """The SHA-256 of a row's content as it is now, which ``inspect`` has put into its column ``sha256``.

        Args:
            row: of the samples table.
            roots: where the files lie.

        Returns:
            64 hexadecimal digits; of what is kept in the row itself those of the row.

        Raises:
            SamplesError: as ``content`` does.
        """
        content = self.content(row, roots)
        return digest(content) if isinstance(content, bytes | Path) else row["sha256"]

    def read(self, row: Row, roots: Roots, inputs: InputConfig | None = None) -> Decoded:
        """The decoded sample of a row of the samples table.

        Args:
            row: of the samples table; its path, or where it has none its sample_id, names it in errors.
            roots: where the files lie.
            inputs: see ``decode``.

        Returns:
            The sample and what is known about it.

        Raises:
            SamplesError: as ``content`` does.
            UnreadableSampleError: as ``decode`` does.
        """
        name = row["path"] if isinstance(row["path"], str) else row["sample_id"]
        return self.decode(self.content(row, roots), name, inputs)

    def inspect(self, row: Row, roots: Roots, ingestion: IngestionConfig) -> dict[str, Any]:
        """Columns of the samples table that a look at the file fills, ``sha256`` among them.

        Args:
            row: a candidate row, with ``source`` and ``path``.
            roots: where the files lie.
            ingestion: what makes a sample of no use (``min_duration_s``).

        Returns:
            By column: what ``facts`` tells, and the SHA-256 of the content in hexadecimal.

        Raises:
            SamplesError: the file is missing.
            UnreadableSampleError: the sample is of no use, and why.
        """
        content = self.content(row, roots)
        found = self.facts(self.decode(content, row["path"]), row["path"], ingestion)
        return found | {"sha256": digest(content)}

    def facts(self, decoded: Decoded, name: str, ingestion: IngestionConfig) -> dict[str, Any]:
        """Size, duration, rate: columns of the samples table; none by default.

        Args:
            decoded: the sample as stored.
            name: of the sample, for errors.
            ingestion: what makes a sample of no use.

        Returns:
            Values by column, each a column of the samples table.

        Raises:
            UnreadableSampleError: the sample is of no use, and why.
        """
        return {}

    def decoded_bytes(self, row: Row) -> int:  # noqa: ARG002 (for those that need many)
        """About how much memory a decoded sample takes: so many are measured at a time as fit.

        Args:
            row: of the samples table.

        Returns:
            Bytes; 0 by default, of samples that are small.
        """
        return 0

    def load(
        self, samples: "pd.DataFrame", roots: Roots, inputs: InputConfig, corrupt: Corrupt | None = None
    ) -> "Inputs":
        """The samples as tensors, in the table's order; refused by default.

        Args:
            samples: rows of the samples table, all of this modality.
            roots: where the files lie.
            inputs: how they become tensors; the modality's own block, and ``cache_mb``.
            corrupt: damage done to each decoded sample, before it is resized or cropped.

        Returns:
            One input a row.

        Raises:
            SamplesError: samples of this modality are not read as tensors.
        """
        raise SamplesError(f"inputs of modality {self.name!r} are not read as tensors: only frozen encoders take them")

    def reading(self, samples: "pd.DataFrame", inputs: InputConfig) -> "Reading | None":  # noqa: ARG002 (for texts)
        """How much of each sample ``load`` and ``take`` leave out behind its beginning.

        Args:
            samples: rows of the samples table, all of this modality.
            inputs: how they become tensors.

        Returns:
            What is read of each; None by default, of samples that are read whole or by parts from all over them.
        """
        return None

    def take(self, given: Any, name: str, inputs: InputConfig) -> Taken:
        """A sample from outside the samples table, as a student in use is given it; refused by default.

        Args:
            given: a path, the bytes of a file, or what the modality calls a decoded sample (pixels, a wave with its
                rate, words).
            name: of the sample, for errors.
            inputs: how it becomes a tensor.

        Returns:
            The sample, whose tensor is that of a row of the samples table with the same content.

        Raises:
            UnreadableSampleError: it cannot be read, is of no use, or is no sample of this modality; and why.
            ModalityError: samples of this modality are not taken one by one.
        """
        raise ModalityError(f"modality {self.name!r} has no `take`: it reads rows of the samples table alone")

    def of_columns(self, values: Sequence[Any]) -> Any:
        """A decoded sample, as a table has it, in the form that ``take`` takes; refused by default.

        Args:
            values: of each of ``columns``, in their order: plain values, lists or arrays.

        Returns:
            What the modality calls a decoded sample.

        Raises:
            UnreadableSampleError: the values are no sample of this modality.
            ModalityError: the modality has no ``columns``.
        """
        raise ModalityError(f"modality {self.name!r} has no `columns`: its students are served files alone")

    def examples(self, inputs: InputConfig) -> "Sequence[Tensor]":
        """Two empty inputs of each shape that an encoder of this modality is given.

        Args:
            inputs: how samples become tensors.

        Returns:
            Batches (2, ...), as ``load`` would give them; none where a modality does not say.
        """
        return ()

    def standalone(self, inputs: InputConfig) -> Standalone:
        """How an exported student of this modality is fed without this package; refused by default.

        Args:
            inputs: how the student's samples become tensors.

        Returns:
            Names, facts and a program.

        Raises:
            ModalityError: no program is written for this modality.
        """
        raise ModalityError(
            f"students of modality {self.name!r} are not exported: its `standalone` says how they are fed without this "
            "package"
        )

    def probes(self, row: Row, roots: Roots, inputs: InputConfig) -> "Sequence[Tensor]":
        """A sample as inputs of every shape that an exported student may meet; as evaluation reads it by default.

        Args:
            row: of the samples table.
            roots: where the files lie.
            inputs: how samples become tensors.

        Returns:
            Inputs (...), that of evaluation first.

        Raises:
            SamplesError: the sample cannot be read.
        """
        import pandas as pd

        from cross_modal_kd.modalities.inputs import Item

        return [self.load(pd.DataFrame([row]), roots, inputs)[Item(0)][1]]

    def augment(self, inputs: "Tensor", generator: "Generator") -> "Tensor":
        """Random changes to a batch that leave its labels as they are; none by default.

        Args:
            inputs: raw inputs (B, ...), as ``load`` gives them.
            generator: the source of what is random, on the device of ``inputs``.

        Returns:
            (B, ...) of the same shape and device.
        """
        return inputs

    def context(self, samples: "pd.DataFrame") -> tuple[Any, ...]:
        """What measures take beyond the sample and what is known of it, fitted on the training split; none by default.

        Args:
            samples: rows of the samples table, all of this modality, of every split.

        Returns:
            The last arguments of every measure, in their order.
        """
        return ()

    def in_order(self, samples: "pd.DataFrame") -> "pd.DataFrame":
        """The samples in the order in which they are measured fastest; as given by default.

        Args:
            samples: rows of the samples table, all of this modality.

        Returns:
            The same rows.
        """
        return samples

    @abstractmethod
    def preview(self, row: Row, roots: Roots, large: bool = False) -> Preview:
        """A row of the samples table as a page shows it.

        Args:
            row: of the samples table.
            roots: where the files lie.
            large: whether it is what the page is about, not one of many.

        Returns:
            What the page shows, with all that it needs inside.
        """


def known(row: Row, *columns: str) -> bool:
    """Whether a row of the samples table has values there.

    Args:
        row: of the table, or a part of one.
        *columns: by name.

    Returns:
        False where one of them is missing or null.
    """
    from pandas import notna

    return all(name in row and bool(notna(row[name])) for name in columns)


def chosen(there: Mapping[str, Named], names: Sequence[str] | None, what: str, where: str) -> dict[str, Named]:
    """The named entries of a mapping, or all of them.

    Args:
        there: what there is, by name.
        names: the wanted ones, None for all.
        what: what an entry is, for the error.
        where: the parameter that names them, for the error.

    Returns:
        The entries by name, in the order of ``names``, or of ``there`` where all are wanted.

    Raises:
        ModalityError: a name that is not there, listing those that are.
    """
    unknown = sorted(set(names or []) - set(there))
    if unknown:
        raise ModalityError(
            f"unknown {what} {', '.join(map(repr, unknown))}; there are: {', '.join(there)}; correct {where}"
        )
    return {name: there[name] for name in (there if names is None else names)}
