"""Whom a student concerns."""

from collections.abc import Iterable

from cross_modal_kd.config import TaskConfig
from cross_modal_kd.modalities import modality_of

FACE = (
    "A face identifies a person: embeddings and enrolments of faces are biometric data (in the EU, Article 9 GDPR). "
    "Enrol and compare only people who have consented, for the purpose that they were told, and delete on request.",
    "Error rates differ with age, sex, skin tone, light and camera, and were measured on the people above alone, not "
    "by such groups. A threshold found on them need not hold for others: find yours on people like yours.",
    "It does not tell a living face from a photograph of one.",
)
OF_LAYOUTS = {"orl_faces": FACE}  # what a layout says of its own samples, beside what its modality says


def consent_notes(task: TaskConfig, layouts: Iterable[str]) -> list[str]:
    """Whom the data concern, by modality and by source.

    Args:
        task: names the two modalities.
        layouts: of the sources that were used.

    Returns:
        Sentences, those of the student's modality first.
    """
    by_modality = [note for name in (task.student, task.teacher) for note in modality_of(name).concerns]
    return by_modality + [note for layout in sorted({*layouts}) for note in OF_LAYOUTS.get(layout, ())]
