"""How a student is packaged for use."""

from typing import Annotated

from pydantic import Field

from cross_modal_kd.config.strict import EachOnce, Strict

Rate = Annotated[float, Field(gt=0, lt=1)]


class DeploymentConfig(Strict):
    """What travels with a student.

    Attributes:
        far: false-acceptance rates for which thresholds are found on the dev split.
        p_target: how likely a pair is of one label in use, for the threshold of least cost (minDCF).
        min_errors: false acceptances that a threshold rests on, at least: one at rate r needs so many / r impostor
            trials; and wrong answers that the temperature of class probabilities rests on. Fewer than a handful say
            little; 30 would hold the rate to within a third, nine times in ten.
        min_labels: labels that the dev trials are of, at least; with fewer there is no threshold.
        poor_below: quality, a rank among the training samples, under which an input is called poor.
        teacher_items: projected training items of the teacher that are stored, at most (a seeded draw of them).
        training_items: embeddings of training samples that are stored, at most.
        examples: samples of the dev split whose files are stored with the student, at most; 0 for data that must not
            leave.
        seed: of the draws.
    """

    far: Annotated[list[Rate], EachOnce] = Field(default_factory=lambda: [0.01, 0.001])
    p_target: Rate = 0.01
    min_errors: int = Field(10, ge=1)
    min_labels: int = Field(5, ge=2)
    poor_below: float = Field(0.05, ge=0, le=1)
    teacher_items: int = Field(5000, ge=1)
    training_items: int = Field(1000, ge=0)
    examples: int = Field(1, ge=0, le=100)
    seed: int = Field(0, ge=0)
