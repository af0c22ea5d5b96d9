"""A choice that two stages make, each for itself, so that either runs alone."""

from cross_modal_kd.config import ArmsConfig, DistillationConfig
from cross_modal_kd.models import ModelBundle


def choose_projection(
    arms: ArmsConfig,
    distillation: DistillationConfig,
    distilled: ModelBundle,
    projection_mlp: ModelBundle,
    projection_pca: ModelBundle,
) -> ModelBundle:
    """The distilled arm's: as its student's training left it where it was trained on, else as it was fitted.

    Args:
        arms: all arms.
        distillation: names the distilled arm.
        distilled: its student.
        projection_mlp: the trainable projection, as fitted.
        projection_pca: the fixed one.

    Returns:
        The projection by which both students are measured against the teacher, and by which those that are deployed are
        asked in words or other samples of the teacher's modality.
    """
    from cross_modal_kd.models import own_projection

    fitted = {"mlp": projection_mlp, "pca": projection_pca}
    return own_projection(distilled) or fitted[arms.get(distillation.arm).projection]
