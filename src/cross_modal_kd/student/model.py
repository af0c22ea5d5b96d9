"""The student at work."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from cross_modal_kd.compute import device_for
from cross_modal_kd.config import TaskConfig
from cross_modal_kd.metrics import alike_rows, unit_rows
from cross_modal_kd.modalities import modality_of, modality_of_ending
from cross_modal_kd.models import build_student, saved_inputs
from cross_modal_kd.samples import UnreadableSampleError, first_few, one_form, words_of
from cross_modal_kd.student.answer import class_logits, probabilities
from cross_modal_kd.student.class_names import class_names
from cross_modal_kd.student.decide import accepts, probability_of, threshold_named
from cross_modal_kd.student.enrolment import Enrolled, Enrolment
from cross_modal_kd.student.errors import StudentError
from cross_modal_kd.student.index import Index
from cross_modal_kd.student.inputs import Read, Reader, files_in, is_one
from cross_modal_kd.student.package import PackagedStudent, load_package, save_package
from cross_modal_kd.student.record import Threshold
from cross_modal_kd.student.results import Embedding, Found, Identification, Match, Prediction, Verification
from cross_modal_kd.student.strangers import rate_of_any

ADDRESS = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+:/")
DEFAULT_THRESHOLD = "eer"


class StudentModel:
    """A student in use: it reads files, bytes and arrays of its modality by itself, and answers.

    An input is a path (``str`` or ``Path``), the ``bytes`` of a file, or an array: (wave, rate in Hz) of a sound,
    (H, W, 3) or (H, W) uint8 of an image. One input gets one answer; a list gets a list; any other iterable (a
    generator, ``files_in``) gets an iterator, of which no more than a batch is in memory. An input that cannot be read
    has its reason in ``error`` and stops nothing. The answers do not depend on how inputs are batched.

    Args:
        package: of ``load_package``.
        device: to embed on: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        batch_size: inputs that are read and embedded at a time.

    Raises:
        ModelError: the network cannot be built.
    """

    def __init__(self, package: PackagedStudent, device: str = "auto", batch_size: int = 64) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size: expected at least 1, found {batch_size}")
        self.package, self.batch_size = package, batch_size
        self.record = package.record
        self.device = device_for(device)
        self._network = build_student(package.model).to(self.device)
        self._reader = Reader(self.task.student, saved_inputs(package.model), package.quality)

    @classmethod
    def load(
        cls,
        where: str | os.PathLike[str],
        device: str = "auto",
        batch_size: int = 64,
        tracking_uri: str | None = None,
    ) -> "StudentModel":
        """A student from its folder, or from MLflow.

        Args:
            where: the folder, or an address of MLflow (``models:/<name>@champion``, ``models:/<id>``, ``runs:/...``),
                for which mlflow must be installed.
            device: see above.
            batch_size: see above.
            tracking_uri: MLflow's server; None takes MLFLOW_TRACKING_URI.

        Returns:
            The student.

        Raises:
            FileNotFoundError: there is none, or a file of it is missing.
            StudentError: a file of it is damaged, or MLflow has no such model.
        """
        address = os.fspath(where)
        if not ADDRESS.match(address):
            return cls(load_package(Path(address)), device, batch_size)
        from cross_modal_kd.tracking import fetched_model

        try:
            with fetched_model(address, "student.json", tracking_uri) as folder:
                return cls(load_package(folder), device, batch_size)
        except (ImportError, LookupError) as error:
            raise StudentError(f"{address}: {error}") from error

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the student as a folder that ``load`` reads.

        Args:
            folder: of this student alone; what it holds is replaced.
        """
        save_package(Path(folder), self.package)

    @property
    def task(self) -> TaskConfig:
        """What it was trained for: name, kind, modalities."""
        return self.record.task

    @property
    def classes(self) -> list[str]:
        """Names of the classes that it knows."""
        return list(self.record.classes)

    def name_of(self, label: str) -> str:
        """A label's name to be read.

        Args:
            label: of the training.

        Returns:
            The shortest text of it, where labels are but codes of what the teacher's texts describe; else the label.
        """
        return self._class_names.get(label, label)

    @cached_property
    def _class_names(self) -> dict[str, str]:
        return class_names(self.package.teacher.space.items)

    @property
    def thresholds(self) -> dict[str, Threshold]:
        """Operating points of ``verify`` and ``identify`` by name, found on the dev split."""
        return {threshold.name: threshold for threshold in self.record.operating.thresholds}

    def files_in(self, folder: str | os.PathLike[str]) -> Iterator[Path]:
        """The files below a folder that are of the student's modality.

        Args:
            folder: to be looked through, at every depth.

        Returns:
            Their paths, in order.

        Raises:
            NotADirectoryError: it is no folder.
        """
        if not Path(folder).is_dir():
            raise NotADirectoryError(f"{os.fspath(folder)} is no folder")
        return files_in(Path(folder), self.task.student)

    def embed(self, given: Any) -> Any:
        """Inputs as vectors of length 1: the dot product of two is their score.

        Args:
            given: one input, a list of them, or any other iterable.

        Returns:
            An ``Embedding``; a list or an iterator of them, in the order of the inputs.
        """
        return _as_asked(given, self._embeddings)

    def predict(self, given: Any, top_k: int = 5, labels: Sequence[str] | None = None) -> Any:
        """The class of each input, with its probability and the quality of the input.

        A student of a verification task names the training label that is nearest, whether or not it is the right one:
        ask ``verify`` or ``identify`` for that.

        Args:
            given: one input, a list of them, or any other iterable.
            top_k: classes that are listed.
            labels: classes named by words, which need not be those of the training: the teacher's encoder reads them.
                None takes the student's own classes.

        Returns:
            A ``Prediction``; a list or an iterator of them, in the order of the inputs.

        Raises:
            StudentError: ``labels`` are given, and the teacher reads no words or its encoder is not here; or they are
                not, and the student was trained without labels and has no classes of its own; or the teacher reads two
                of ``labels`` alike, or knows no sign of one.
            ValueError: no label or the same one twice; ``top_k`` below 1.
        """
        if top_k < 1:
            raise ValueError(f"top_k: expected at least 1, found {top_k}")
        if labels is None and not self.record.classes:
            words = modality_of(self.package.teacher.modality).words
            raise StudentError(
                "the student was trained without labels and has no classes of its own: "
                + ("name some by words (labels, --labels), or " if words else "")
                + "enrol samples and ask identify; verify and search ask for no class"
            )
        named = None if labels is None else self._named(list(labels))
        return _as_asked(given, partial(self._predictions, top_k=top_k, named=named))

    def look(self, given: Any) -> Any:
        """What ``predict`` says of each input beside a class: its quality and its embedding.

        Args:
            given: one input, a list of them, or any other iterable.

        Returns:
            A ``Prediction`` without a label; a list or an iterator of them, in the order of the inputs.
        """
        return _as_asked(given, partial(self._predictions, top_k=0, named=None))

    def verify(self, first: Any, second: Any, threshold: str = DEFAULT_THRESHOLD) -> Verification:
        """Are two inputs of the same label?

        Args:
            first: an input, or an ``Embedding`` of this student.
            second: likewise.
            threshold: name of the operating point, see ``thresholds``.

        Returns:
            Score, decision, the false-acceptance rate that the threshold stands for, and a probability.

        Raises:
            StudentError: there is no threshold of that name.
        """
        chosen = threshold_named(self.record.operating, threshold)
        one, other = self._sides([first, second])
        names, qualities = (one.name, other.name), (one.quality, other.quality)
        if one.vector is None or other.vector is None:
            error = "; ".join(f"{each.name}: {each.error}" for each in (one, other) if each.error)
            return Verification(names, error, threshold=threshold, qualities=qualities)
        score = float(one.vector @ other.vector)
        return Verification(
            names=names,
            score=score,
            accepted=accepts(chosen, score),
            threshold=threshold,
            value=chosen.value,
            far=chosen.far,
            far_upper=chosen.far_upper,
            probability=probability_of(self.record.operating, score),
            reason=chosen.reason,
            qualities=qualities,
        )

    def enroll(self, name: str, given: Any) -> Enrolment:
        """A name to be found again by ``identify``; the samples themselves are not kept.

        Args:
            name: of who or what it is; blanks around it do not count, nor how Unicode writes it (NFC).
            given: one input or several.

        Returns:
            The mean of the embeddings; what could not be read is in its ``errors``.

        Raises:
            StudentError: none of the inputs can be read.
            ValueError: the name is blank.
        """
        if not name.strip():
            raise ValueError("name: expected a name to enrol under, found a blank one")
        found = list(self._embeddings([given] if is_one(given) else given))
        vectors = [each.vector for each in found if each.vector is not None]
        errors = {each.name: each.error for each in found if each.error is not None}
        if not vectors:
            said = "; ".join(f"{file}: {reason}" for file, reason in errors.items()) or "none was given"
            raise StudentError(f"{name}: no input to enrol could be read: {said}")
        name = one_form(name.strip())
        mean = unit_rows(np.stack(vectors).mean(axis=0, keepdims=True))[0].astype(np.float32)
        return Enrolment(name, mean, len(vectors), errors)

    def enrolled(self, *entries: Enrolment) -> Enrolled:
        """Enrolments of this student, to be saved or asked.

        Args:
            *entries: of ``enroll``.

        Returns:
            Those of the same name replaced by the last.
        """
        return Enrolled(self.record.weights, {entry.name: entry for entry in entries})

    def identify(
        self, given: Any, enrolled: Enrolled, threshold: str = DEFAULT_THRESHOLD, top_k: int = 5
    ) -> Identification:
        """Who of the enrolled is it, if any of them?

        Args:
            given: an input, or an ``Embedding`` of this student.
            enrolled: of ``enrolled``, by this student.
            threshold: name of the operating point, see ``thresholds``.
            top_k: names that are listed.

        Returns:
            The best name and whether to believe it. The rate at which a stranger is taken for somebody grows with the
            number of names and of the samples that they are enrolled with: ``far_any`` tells it from dev and test.

        Raises:
            StudentError: there is no threshold of that name, nobody is enrolled, or another student enrolled them.
        """
        chosen = threshold_named(self.record.operating, threshold)
        enrolled.require_of(self.record.weights)
        (one,) = self._sides([given])
        if one.vector is None:
            return Identification(one.name, one.error, threshold=threshold, quality=one.quality)
        names = list(enrolled.entries)
        scores = unit_rows(np.stack([enrolled.entries[name].vector for name in names])) @ one.vector
        order = np.argsort(-scores, kind="stable")
        best = float(scores[order[0]])
        return Identification(
            name=one.name,
            best=names[order[0]],
            score=best,
            accepted=accepts(chosen, best),
            threshold=threshold,
            far=chosen.far,
            far_any=rate_of_any(chosen, (enrolled.entries[name].samples for name in names)),
            probability=probability_of(self.record.operating, best),
            candidates=tuple((names[row], float(scores[row])) for row in order[:top_k]),
            reason=chosen.reason,
            quality=one.quality,
        )

    def index(self, items: Iterable[Any]) -> Index:
        """Items to be searched, embedded once.

        Args:
            items: inputs.

        Returns:
            What ``search`` takes in their place.
        """
        found = list(self._embeddings([items] if is_one(items) else items))
        read = [each for each in found if each.vector is not None]
        empty = np.zeros((0, int(self.package.model.config["dim"])), np.float32)
        return Index(
            self.record.weights,
            [each.name for each in read],
            np.stack([each.vector for each in read if each.vector is not None]) if read else empty,
            [each.quality for each in read],
            {each.name: each.error for each in found if each.error is not None},
        )

    def search(
        self,
        query: Any,
        items: Iterable[Any] | Index,
        top_k: int = 10,
        kind: Literal["teacher", "student"] | None = None,
    ) -> Found:
        """The items nearest to a query: a text (or another sample of the teacher's modality), or a file like theirs.

        Args:
            query: words where the teacher reads texts; a file, bytes or array.
            items: inputs of the student's modality, or their ``index``.
            top_k: items that are listed.
            kind: of which modality the query is; None finds out: a file by its ending, other words are a text.

        Returns:
            The items, the best first.

        Raises:
            StudentError: the query cannot be read, the index is another student's, or the teacher's encoder, which a
                text needs, is not here.
        """
        across = (kind or self._kind_of(query)) == "teacher"
        if across:
            name, vector = str(query) if isinstance(query, str | os.PathLike) else "query", self._of_teacher(query)
        else:
            (one,) = self._sides([query])
            if one.vector is None:
                raise StudentError(f"{one.name}: {one.error}")
            name, vector = one.name, one.vector
        index = items if isinstance(items, Index) else self.index(items)
        if index.student != self.record.weights:
            raise StudentError("this index was made by another student: its embeddings mean nothing here; index again")
        return Found(name, across, index.best(vector, top_k), len(index), index.errors)

    def neighbours(self, given: Any, top_k: int = 5) -> tuple[Embedding, tuple[Match, ...], tuple[Match, ...]]:
        """What an input is like: training samples of its own modality, and items of the teacher's.

        Args:
            given: an input, or an ``Embedding`` of this student.
            top_k: how many of each.

        Returns:
            The embedding; the nearest training samples; the nearest items of the projected teacher, of those with the
            same text one. Names are sample ids, rows of ``package.training.items`` and ``package.teacher.space.items``.
        """
        (one,) = self._sides([given])
        if one.vector is None:
            return one, (), ()
        found = []
        for space in (self.package.training, self.package.teacher.space):
            (rows,), (scores,) = space.nearest(one.vector[None, : space.vectors.shape[1]], len(space))
            items = space.items[["sample_id", "text"]].iloc[rows].assign(score=scores)
            items = items[items["text"].isna() | ~items["text"].duplicated()].head(top_k)
            found.append(tuple(map(Match, items["sample_id"].tolist(), items["score"].tolist())))
        return one, found[0], found[1]

    def _kind_of(self, query: Any) -> Literal["teacher", "student"]:
        if not isinstance(query, str | os.PathLike):
            return "student"
        path = Path(query)
        if not _is_file(path):
            looks_so = isinstance(query, os.PathLike) or modality_of_ending(path.suffix) is not None
            in_words: list[Literal["teacher", "student"]] = []
            in_words += ["teacher"] if modality_of(self.task.teacher).words else []
            in_words += ["student"] if modality_of(self.task.student).words else []
            if looks_so or not in_words:
                raise StudentError(f"{path}: there is no such file")
            return in_words[0]
        of_file = modality_of_ending(path.suffix)
        return "teacher" if of_file is not None and of_file.name == self.task.teacher else "student"

    def _of_teacher(self, query: Any) -> np.ndarray:
        """(d,) of a sample of the teacher's modality."""
        side = self.package.teacher
        if not modality_of(side.modality).words and isinstance(query, str | os.PathLike):
            query = Path(query)
        try:
            return side.encode([query], ["query"])[0]
        except UnreadableSampleError as error:
            raise StudentError(f"the query cannot be read as {side.modality}: {error.reason}") from error

    def _named(self, labels: list[str]) -> tuple[list[str], np.ndarray]:
        """Classes and their vectors (C, d)."""
        words = [words_of(label) for label in labels]
        if not labels or len(set(words)) < len(words) or not all(word.strip() for word in words):
            raise ValueError(f"labels: expected words, each once, found {labels[:5]}")
        if not modality_of(self.package.teacher.modality).words:
            raise StudentError(
                f"classes are named by words, and this student's teacher reads {self.package.teacher.modality}: only a "
                "student that a text teacher has taught knows words"
            )
        vectors = self.package.teacher.encode(words, labels)
        if (same := pd.Series(alike_rows(vectors)).duplicated(keep=False).to_numpy()).any():
            raise StudentError(
                f"labels: the teacher reads {first_few(np.array(labels)[same].tolist())} alike: give each a name of "
                "its own, in a script that it knows"
            )
        return labels, vectors

    def _sides(self, given: Sequence[Any]) -> list[Embedding]:
        """Embeddings of inputs, those that are embedded already as they are."""
        fresh = iter(list(self._embeddings([each for each in given if not isinstance(each, Embedding)])))
        return [each if isinstance(each, Embedding) else next(fresh) for each in given]

    def _embeddings(self, given: Iterable[Any]) -> Iterator[Embedding]:
        for read, raw in self._raw(given):
            vector = None if raw is None else unit_rows(raw[None])[0]
            yield Embedding(read.name, read.error, vector, read.quality)

    def _predictions(
        self, given: Iterable[Any], top_k: int, named: tuple[list[str], np.ndarray] | None
    ) -> Iterator[Prediction]:
        operating = self.record.operating
        calibrated = named is None and operating.temperature.value is not None
        for read, raw in self._raw(given):
            if raw is None:
                yield Prediction(read.name, read.error, quality=read.quality)
                continue
            if not top_k:
                yield Prediction(read.name, quality=read.quality, embedding=unit_rows(raw[None])[0])
                continue
            names, shares = self._shares(raw, named)
            order = np.argsort(-shares, kind="stable")[:top_k]
            yield Prediction(
                name=read.name,
                label=names[order[0]],
                probability=float(shares[order[0]]),
                calibrated=calibrated,
                top=tuple((names[row], float(shares[row])) for row in order),
                quality=read.quality,
                embedding=unit_rows(raw[None])[0],
            )

    def _shares(self, raw: np.ndarray, named: tuple[list[str], np.ndarray] | None) -> tuple[list[str], np.ndarray]:
        """Names of the classes and the probability of each."""
        import torch

        operating = self.record.operating
        if named is None:
            logits = class_logits(self.package.model, torch.from_numpy(raw[None]), operating.logit_scale)
            return self.record.classes, probabilities(logits, operating.temperature.value)[0]
        bound = unit_rows(raw[None, : named[1].shape[1]])
        return named[0], probabilities(torch.from_numpy(self.package.teacher.scale * bound @ named[1].T), None)[0]

    def _raw(self, given: Iterable[Any]) -> Iterator[tuple[Read, np.ndarray | None]]:
        """Each input, and its embedding (D,) as the network gives it."""
        for batch in self._reader.batches(given, self.batch_size):
            vectors = self._forward(batch)
            yield from ((read, vectors.get(place)) for place, read in enumerate(batch))

    def _forward(self, batch: list[Read]) -> dict[int, np.ndarray]:
        """By place in the batch, the embedding of what could be read; inputs of one shape go together."""
        import torch

        by_shape: dict[tuple[int, ...], list[int]] = {}
        for place, read in enumerate(batch):
            if read.tensor is not None:
                by_shape.setdefault(tuple(read.tensor.shape), []).append(place)
        found: dict[int, np.ndarray] = {}
        for places in by_shape.values():
            tensors = [tensor for place in places if (tensor := batch[place].tensor) is not None]
            with torch.no_grad():
                values = self._network(torch.stack(tensors).to(self.device)).float().cpu().numpy()
            found |= dict(zip(places, values, strict=True))
        return found


def _as_asked(given: Any, answers: Any) -> Any:
    """One answer for one input, a list for a list, an iterator for what is streamed."""
    if is_one(given):
        return next(answers([given]))
    if isinstance(given, list | tuple):
        return list(answers(given))
    return answers(given)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # words that no file system takes for a name
        return False
