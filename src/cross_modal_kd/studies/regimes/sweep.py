"""From the conditions of a study to its trained arms, their figures and its table (imports torch: from nodes only)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from cross_modal_kd.evaluation.embed import embed_samples
from cross_modal_kd.evaluation.protocol import Protocol, arm_figures, protocol
from cross_modal_kd.metrics import Figures
from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.models.student import own_projection
from cross_modal_kd.samples.embeddings import EmbeddingTable
from cross_modal_kd.studies.comparison.config import ComparisonConfig
from cross_modal_kd.studies.comparison.table import by_arm, comparison_table
from cross_modal_kd.studies.grid import Job, Outcome, refresh_embeddings, run_grid
from cross_modal_kd.studies.regimes.condition import Condition
from cross_modal_kd.studies.regimes.config import RegimesConfig
from cross_modal_kd.studies.regimes.weight import weighed
from cross_modal_kd.studies.regimes.world import World
from cross_modal_kd.tasks.subset import train_subset
from cross_modal_kd.training.student import train_arm

Embeddings = Callable[[Outcome], EmbeddingTable]
FIRST = ("study", "setting", "value")


@dataclass(frozen=True)
class Trained:
    """A condition, and every arm and seed under it."""

    condition: Condition
    outcomes: list[Outcome]


def kinds_of(world: World, arms: list[str]) -> set[str]:
    """The kinds of projection that those arms are bound through; the trainable head where none is bound at all."""
    bound = [world.arms.get(name) for name in arms]
    return {arm.projection for arm in bound if arm.constraints} or {"mlp"}


def train_all(
    world: World, conditions: Iterable[Condition], arms: list[str], seeds: list[int], store: Path
) -> list[Trained]:
    """Every arm and seed under every condition; what is in the store already is taken from there.

    Seeds outermost, so that an interrupted study holds whole rounds. Arms without constraints are trained under the
    condition's ``alone``, where it has one.
    """
    conditions = list(conditions)
    jobs: list[Job] = []
    under: dict[int, Condition] = {}
    for seed in seeds:
        for condition in conditions:
            for name in arms:
                arm = weighed(world.arms.get(name), condition.weight)
                chosen = condition if arm.constraints else condition.alone or condition
                budget = chosen.training.model_copy(update={"seed": seed})
                job = Job(name, arm, chosen.student, budget, chosen.setting)
                under[id(job)] = chosen
                jobs.append(job)

    def train(job: Job, checkpoint: Path) -> tuple[ModelBundle, pd.DataFrame]:
        chosen = under[id(job)]
        return train_arm(
            chosen.data,
            job.student,
            job.training,
            job.config,
            _for_arm(chosen.bound_through or chosen.projections, job.config.projection),
            name=job.arm,
            labels=chosen.labels,
            labelled_share=chosen.labelled_share,
            checkpoint=checkpoint,
        )

    def embed(job: Job, trained: ModelBundle) -> EmbeddingTable:
        return embed_samples(world.samples, world.task, world.sources, trained, world.evaluation)

    outcomes = run_grid(jobs, store, world.fingerprint, train, embed)
    of_student = world.samples[world.samples["modality"] == world.task.student]
    seen = train_subset(of_student[of_student["split"] == "train"], world.task, world.evaluation)
    unseen = of_student[of_student["split"] != "train"]
    refresh_embeddings(outcomes, [*seen["sample_id"], *unseen["sample_id"]], embed)
    rounds = [outcomes[start : start + len(arms)] for start in range(0, len(outcomes), len(arms))]
    return [
        Trained(condition, [outcome for each in rounds[number :: len(conditions)] for outcome in each])
        for number, condition in enumerate(conditions)
    ]


def _for_arm(by_kind: Mapping[str, Any], kind: str) -> Any:
    """What belongs to that kind of projection; an arm that is bound through none takes any (it needs the dimension)."""
    return by_kind[kind] if kind in by_kind else next(iter(by_kind.values()))


def figures_of(world: World, regimes: RegimesConfig, trained: Trained, embeddings: Embeddings) -> list[Figures]:
    """Figures of every outcome, all on the same samples, trials and resamples."""
    resampling = {"bootstrap": regimes.bootstrap, "level": regimes.level}
    evaluation = world.evaluation.model_copy(update=resampling)
    condition, embedded = trained.condition, trained.outcomes[0].embeddings

    def setting(projection: ModelBundle) -> Protocol:
        return protocol(world.samples, world.task, evaluation, world.trials, condition.teacher, projection, embedded)

    settings = {kind: setting(projection) for kind, projection in condition.projections.items()}
    found = []
    for outcome in tqdm(trained.outcomes, desc=f"measuring {condition.name}", leave=False):
        student = outcome.student
        moved = own_projection(student)
        measured_in = setting(moved) if moved else _for_arm(settings, outcome.job.config.projection)
        found.append(arm_figures(measured_in, student, embeddings(outcome)))
    return found


def rows_of(
    world: World,
    regimes: RegimesConfig,
    study: str,
    trained: Trained,
    name: str | None = None,
    embeddings: Embeddings | None = None,
) -> pd.DataFrame:
    """A row an arm under one condition. ``difference_to_other`` is to the arm that ``regimes.against`` names.

    name: of the setting, in place of the condition's. embeddings: in place of those of the clean test split.
    """
    condition = trained.condition
    figures = figures_of(world, regimes, trained, embeddings or (lambda outcome: outcome.embeddings))
    names = list(dict.fromkeys(outcome.job.arm for outcome in trained.outcomes))
    frame = comparison_table(
        by_arm(trained.outcomes, figures),
        world.task.kind,
        ComparisonConfig(
            arms=names,
            baseline=regimes.baseline,
            hard_of=regimes.against,
            seeds=regimes.seeds,
            bootstrap=regimes.bootstrap,
            level=regimes.level,
        ),
        world.arms,
    )
    frame = frame.rename(
        columns=lambda column: "other_arm" if column == "hard_arm" else column.replace("_to_hard", "_to_other")
    )
    frame = frame.assign(study=study, setting=name or condition.name, value=condition.value, **condition.facts)
    return frame[[*FIRST, *(column for column in frame if column not in FIRST)]]


def train_and_measure(
    world: World,
    regimes: RegimesConfig,
    study: str,
    conditions: Iterable[Condition],
    arms: list[str],
    store: Path,
) -> pd.DataFrame:
    """The table of a study whose conditions are all measured on the clean test split."""
    trained = train_all(world, conditions, arms, regimes.seeds, store)
    return pd.concat([rows_of(world, regimes, study, each) for each in trained], ignore_index=True)
