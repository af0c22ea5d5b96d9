"""The jobs of a comparison: arms x heads x seeds."""

from cross_modal_kd.config.arms import ArmsConfig
from cross_modal_kd.config.student import StudentConfig
from cross_modal_kd.config.training import TrainingConfig
from cross_modal_kd.studies.comparison.config import ComparisonConfig
from cross_modal_kd.studies.grid import Job


def comparison_jobs(
    comparison: ComparisonConfig, arms: ArmsConfig, student: StudentConfig, training: TrainingConfig
) -> list[Job]:
    """Seeds outermost, so that an interrupted comparison holds whole rounds of all arms.

    An arm without constraints needs no teacher: it is trained once a seed, whatever the heads. Raises ValueError for an
    arm that is not in the block ``arms``.
    """
    jobs: dict[tuple[str, str, int], Job] = {}
    for number, seed in enumerate(comparison.seeds):
        for name in comparison.arms:
            arm = arms.get(name)
            if number >= comparison.arm_seeds.get(name, len(comparison.seeds)):
                continue
            for head in comparison.heads:
                kind = arm.projection if head == "own" or not arm.constraints else head
                if kind != arm.projection and number >= (comparison.head_seeds or len(comparison.seeds)):
                    continue
                config = arm.model_copy(update={"projection": kind})
                budget = training.model_copy(update={"seed": seed})
                jobs.setdefault((name, kind, seed), Job(name, config, student, budget))
    return list(jobs.values())
