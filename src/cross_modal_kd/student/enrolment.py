"""Those whom a student knows by name: enrolled with a few samples each, none of which is kept."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cross_modal_kd.metrics import unit_rows
from cross_modal_kd.storage import file_in, read_json, replaced, verify
from cross_modal_kd.student.errors import StudentError
from cross_modal_kd.student.space import read_tensors

TABLE, VALUES = "enrolled.json", "enrolled.safetensors"


@dataclass(frozen=True)
class Enrolment:
    """One name.

    Attributes:
        name: of who or what is enrolled.
        vector: (D,) float32 of length 1, the mean of the samples' unit embeddings.
        samples: how many it is the mean of.
        errors: by name, the inputs that could not be read.
    """

    name: str
    vector: np.ndarray
    samples: int
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Enrolled:
    """Enrolments of one student; those of another student would be compared in vain.

    Attributes:
        student: the student's ``weights``.
        entries: by name.
    """

    student: str
    entries: Mapping[str, Enrolment] = field(default_factory=dict)

    def with_one(self, entry: Enrolment) -> "Enrolled":
        """These and another; one of the same name is replaced.

        Args:
            entry: of the same student.

        Returns:
            New enrolments; these stay.
        """
        return Enrolled(self.student, {**self.entries, entry.name: entry})

    def require_of(self, student: str) -> None:
        """Make sure that a student can look among these.

        Args:
            student: its ``StudentRecord.weights``.

        Raises:
            StudentError: another student enrolled them, or nobody is enrolled.
        """
        if self.student != student:
            raise StudentError("these were enrolled by another student: its embeddings mean nothing here; enrol again")
        if not self.entries:
            raise StudentError("nobody is enrolled: enrol somebody first")

    def save(self, folder: Path) -> None:
        """Write them in the place of what the folder holds.

        Args:
            folder: of these enrolments alone.
        """
        from safetensors.numpy import save_file

        samples = {name: entry.samples for name, entry in self.entries.items()}
        vectors = [entry.vector for entry in self.entries.values()]
        with replaced(Path(folder)) as new:
            content = {"student": self.student, "samples": samples}
            (new / TABLE).write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")
            save_file({"vectors": np.stack(vectors) if vectors else np.zeros((0, 0), np.float32)}, new / VALUES)

    @classmethod
    def load(cls, folder: Path) -> "Enrolled":
        """What ``save`` wrote.

        Args:
            folder: of the enrolments.

        Returns:
            The enrolments.

        Raises:
            FileNotFoundError: there are none.
            StudentError: a file is damaged.
        """
        folder = Path(folder)
        try:
            content = read_json(folder, TABLE, {"student", "samples"})
            vectors = read_tensors(file_in(folder, VALUES)).get("vectors")
            verify(folder)
            samples = {str(name): int(count) for name, count in content["samples"].items()}
        except FileNotFoundError:
            raise
        except (ValueError, TypeError, AttributeError) as error:
            raise StudentError(
                f"{error}. Enrol again" if str(folder) in str(error) else f"{folder}: {error}"
            ) from error
        if vectors is None or vectors.ndim != 2 or len(vectors) != len(samples) or not np.isfinite(vectors).all():
            raise StudentError(f"{folder / VALUES} does not hold the vectors of {TABLE}. Enrol again")
        unit = unit_rows(vectors.astype(np.float32))
        entries = {name: Enrolment(name, vector, count) for (name, count), vector in zip(samples.items(), unit)}  # noqa: B905
        return cls(str(content["student"]), entries)
