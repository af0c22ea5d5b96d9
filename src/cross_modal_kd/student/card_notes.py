"""What a student is for, what it is not for, and whom it concerns."""

from collections.abc import Iterable

from cross_modal_kd.config import TaskConfig

USES = {
    "verification": "To say how alike two {plural} are, whether they are of one label at a stated false-acceptance "
    "rate, and which of some enrolled labels an unknown one comes nearest to. The labels need not be in the training.",
    "classification": "To name which of its classes {one} belongs to. It has an answer for every input, also for one "
    "of no class: look at the probability and the quality beside it.",
}  # fmt: skip
VOICE = (
    "A voice identifies a person: embeddings and enrolments of voices are biometric data (in the EU, Article 9 GDPR). "
    "Enrol and compare only people who have consented, for the purpose that they were told, and delete on request.",
    "Error rates differ with language, accent, age, sex, microphone and room, and were measured on the speakers above "
    "alone, not by such groups. A threshold found on them need not hold for others: find yours on people like yours.",
    "It does not tell a living voice from a recording or a synthetic one.",
)
FACE = (
    "A face identifies a person: embeddings and enrolments of faces are biometric data (in the EU, Article 9 GDPR). "
    "Enrol and compare only people who have consented, for the purpose that they were told, and delete on request.",
    "Error rates differ with age, sex, skin tone, light and camera, and were measured on the people above alone, not "
    "by such groups. A threshold found on them need not hold for others: find yours on people like yours.",
    "It does not tell a living face from a photograph of one.",
)
NOTES = {
    "speech": VOICE,
    "face": FACE,
    "image": (
        "Pictures may show people. Where they do, have their consent, and take similarity for no proof of identity: "
        "this student was not examined for faces.",
    ),
    "text": ("Texts may hold personal data and the stereotypes of who wrote them; what a text teacher has learnt from "
             "them may be found in the student.",),
}  # fmt: skip
OTHER = ("Whom the data concern is not known to this card: whoever publishes the student adds it.",)
FACES = ("orl_faces",)


def intended_use(task: TaskConfig, one: str, plural: str) -> str:
    """What the student answers.

    Args:
        task: its kind.
        one: an input.
        plural: inputs.

    Returns:
        A paragraph.
    """
    return USES[task.kind].format(one=one, plural=plural)


def consent_notes(task: TaskConfig, layouts: Iterable[str]) -> list[str]:
    """Whom the data concern, by modality.

    Args:
        task: names the two.
        layouts: of the sources that were used.

    Returns:
        Sentences, those of the student's modality first.
    """
    faces = any(layout in FACES for layout in layouts)
    kinds = ["face" if each == "image" and faces else each for each in (task.student, task.teacher)]
    return [note for kind in kinds for note in NOTES.get(kind, OTHER)]
