"""What the page asks, answered by one or two students."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from cross_modal_kd.demo.shelf import Shelf, Shown
from cross_modal_kd.modalities import modality_of
from cross_modal_kd.samples import Roots
from cross_modal_kd.student import (
    Embedding,
    Enrolled,
    Identification,
    Index,
    Prediction,
    Quality,
    StudentError,
    StudentModel,
    Threshold,
)

TOP, NEAREST, FOUND = 5, 6, 12
OPERATING = "eer"  # the threshold that verdicts go by
BASELINE = "none"  # the arm of a student alone
TITLES = {"distilled": "Distilled student", "student_alone": "Student alone"}


@dataclass(frozen=True)
class Reply:
    """What one student says of an input.

    Attributes:
        title: which student.
        label: its class, or of a verification student the nearest training label; empty, and ``top`` too, of one that
            was trained without labels.
        probability: of the class.
        calibrated: whether that was fitted on dev.
        top: (name, probability) of the most probable classes.
        verdict: of a verification student, whether the nearest training sample is the same.
        nearest: training samples.
        among: how many training samples are stored with the student, which may be a draw of all.
        teachers: of the teacher's modality.
    """

    title: str
    label: str
    probability: float
    calibrated: bool
    top: Sequence[tuple[str, float]]
    verdict: str
    nearest: Sequence[Shown]
    among: int
    teachers: Sequence[Shown]


@dataclass(frozen=True)
class Answer:
    """What the page shows of an input, or of words.

    Attributes:
        error: why there is nothing; None where there is.
        quality: of the input.
        enrolled: who of the book it is, in a sentence; empty without a book.
        names: (name, score) of the enrolled that are nearest.
        replies: a student each.
        query: the words that were searched for.
        found: by student, training samples that the words find.
    """

    error: str | None = None
    quality: Quality | None = None
    enrolled: str = ""
    names: Sequence[tuple[str, float]] = ()
    replies: Sequence[Reply] = ()
    query: str = ""
    found: Sequence[tuple[str, Sequence[Shown]]] = ()


class Desk:
    """The students of the page; one question at a time.

    Args:
        student: that answers.
        alone: the one without a teacher, beside it; None leaves it out.
        roots: where the files of the training samples lie; None shows their names.
        enrolled: those whom ``student`` knows by name; None asks for nobody.

    Raises:
        StudentError: the two are of different tasks; another student has made the book, or nobody is in it.
    """

    def __init__(
        self,
        student: StudentModel,
        alone: StudentModel | None = None,
        roots: Roots | None = None,
        enrolled: Enrolled | None = None,
    ) -> None:
        if alone is not None and alone.task != student.task:
            raise StudentError(f"the student alone is of {alone.task.name!r}, the other one of {student.task.name!r}")
        if enrolled is not None:
            enrolled.require_of(student.record.weights)
        self.student, self._enrolled = student, enrolled
        self._students = [student] if alone is None else [student, alone]
        self._shelves = [Shelf(each, roots) for each in self._students]
        self._one = threading.Lock()
        self.examples = list(student.package.examples.values())

    @property
    def takes_words(self) -> bool:
        """Whether the teacher reads texts, so that the student can be asked in words."""
        return modality_of(self.student.task.teacher).words

    def answer(self, content: bytes) -> Answer:
        """What the students say of a file.

        Args:
            content: of the file; nothing else of it is looked at.

        Returns:
            The answer, or in ``error`` why there is none.
        """
        if not content:
            return Answer("the file is empty")
        with self._one:
            try:
                found = [
                    student.predict(content, TOP) if student.classes else student.look(content)
                    for student in self._students
                ]
            except StudentError as error:
                return Answer(str(error))
            first = found[0]
            if first.error is not None:
                return Answer(first.error, first.quality)
            replies = [self._reply(place, each) for place, each in enumerate(found) if each.error is None]
            if self._enrolled is None:
                return Answer(None, first.quality, replies=replies)
            seen = Embedding(first.name, None, first.embedding, first.quality)
            said = self.student.identify(seen, self._enrolled, OPERATING, TOP)
            return Answer(None, first.quality, _who(said), said.candidates, replies)

    def search(self, words: str) -> Answer:
        """The training samples that words find: the student has seen no text since its training.

        Args:
            words: of any kind.

        Returns:
            The answer, or in ``error`` why there is none.
        """
        if not words.strip():
            return Answer("type a word or two")
        if not self.takes_words:
            return Answer(f"this student was taught by {self.student.task.teacher}, and knows no words")
        student, shelf = self.student, self._shelves[0]
        space = student.package.training
        ids = [str(name) for name in space.items["sample_id"]]
        index = Index(student.record.weights, ids, space.vectors, [None] * len(ids))
        try:
            with self._one:
                found = student.search(words, index, FOUND, "teacher")
        except StudentError as error:
            return Answer(str(error), query=words)
        return Answer(query=words, found=[(_title(student), [shelf.show(match) for match in found.matches])])

    def _reply(self, place: int, said: Prediction) -> Reply:
        student, shelf = self._students[place], self._shelves[place]
        seen = Embedding(said.name, None, said.embedding, said.quality)
        _, nearest, teachers = student.neighbours(seen, NEAREST)
        threshold = student.thresholds.get(OPERATING)
        value = None if threshold is None else threshold.value
        shown = [shelf.show(match, value) for match in nearest]
        taught = student.record.role != "student_alone"
        return Reply(
            title=_title(student),
            label=student.name_of(said.label) if said.label is not None else "",
            probability=said.probability or 0.0,
            calibrated=said.calibrated,
            top=[(student.name_of(name), share) for name, share in said.top],
            verdict="" if threshold is None else _verdict(threshold, shown, len(student.package.training)),
            nearest=shown,
            among=len(student.package.training),
            teachers=[shelf.show(match) for match in teachers] if taught else [],
        )


def _title(student: StudentModel) -> str:
    role, arm = student.record.role, student.record.provenance.get("arm", BASELINE)
    return f"Baseline ({arm})" if role == "student_alone" and arm != BASELINE else TITLES.get(role, role)


def _who(said: Identification) -> str:
    if said.accepted is None:
        return f"Nearest of the enrolled: “{said.best}”; no decision: {said.reason}"
    bound = (
        ""
        if said.far_any is None
        else f"; a stranger is taken for one of them up to {100 * said.far_any:.3g} % by dev and test"
    )
    return (f"Enrolled: “{said.best}”" if said.accepted else "None of the enrolled") + f" (threshold EER{bound})"


def _verdict(threshold: Threshold, nearest: Sequence[Shown], among: int) -> str:
    if threshold.value is None:
        return f"No threshold: {threshold.reason}"
    if not nearest:
        return "No training sample is stored with this student"
    best, rate = nearest[0], "" if threshold.far is None else f", false acceptances {100 * threshold.far:.1f} % on dev"
    at = f"{threshold.value:.3f} (EER{rate})"
    if best.same:
        return f"The same as “{best.name}”, score {best.score:.3f}, by the threshold {at}"
    nearest_is = f"the nearest is “{best.name}”, score {best.score:.3f}"
    return f"Like none of the {among:,} training samples that are stored, by the threshold {at}: {nearest_is}"
