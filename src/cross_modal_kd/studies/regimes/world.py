"""What the studies of regimes start from, beside the context of all studies."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import pandas as pd

from cross_modal_kd.config import ArmConfig, ArmsConfig, QualityConfig, TeacherConfig
from cross_modal_kd.studies.context import Context


@dataclass(frozen=True)
class World(Context):
    """The context, with what some conditions measure quality and embed texts by, again.

    Attributes:
        quality: the block of that name.
        quality_measures: of every undamaged sample: sample_id, modality, one column a measure.
        teacher: the block of that name: whether views of an instance are averaged.
        fold: number of the fold that it is of, from 1.
    """

    quality: QualityConfig
    quality_measures: pd.DataFrame
    teacher: TeacherConfig
    fold: int = field(default=1, kw_only=True)

    @classmethod
    def of(
        cls,
        context: Context,
        quality: QualityConfig,
        quality_measures: pd.DataFrame,
        teacher: TeacherConfig,
        fold: int = 1,
    ) -> "World":
        """The context's own fields, and those that regimes add.

        Args:
            context: of all studies.
            quality: the block of that name.
            quality_measures: of every undamaged sample: sample_id, modality, one column a measure.
            teacher: the block of that name.
            fold: number of the fold, from 1.

        Returns:
            The world; what the context holds in its cache is read again when asked for.
        """
        own = {name: getattr(context, name) for name in Context.__dataclass_fields__}
        return cls(**own, quality=quality, quality_measures=quality_measures, teacher=teacher, fold=fold)

    def with_arms(self, arms: ArmsConfig) -> "World":
        """The same world under other arms.

        Args:
            arms: the block in place of the configuration's.

        Returns:
            A new world; what this one holds in its cache is read again when asked for.
        """
        return replace(self, configuration=replace(self.configuration, arms=arms))

    def projection_kinds(self, arms: Iterable[str]) -> set[str]:
        """The kinds of projection that those arms are bound through.

        Args:
            arms: names of arms.

        Returns:
            As ``kinds_of`` has it.
        """
        return kinds_of(self.arms.get(name) for name in arms)


def kinds_of(arms: Iterable[ArmConfig]) -> set[str]:
    """The kinds of projection that arms are bound through; the trainable one where none is bound at all.

    Args:
        arms: as they are trained.

    Returns:
        One or both of ``mlp`` and ``pca``.
    """
    return {arm.projection for arm in arms if arm.constraints} or {"mlp"}
