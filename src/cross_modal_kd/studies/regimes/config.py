"""The regimes in which a practitioner would reach for distillation: one sweep each."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from cross_modal_kd.config import ArmsConfig, EachOnce, KnownLabels, ModalityName, Reference, Strict
from cross_modal_kd.studies.arm_keys import misfit
from cross_modal_kd.studies.config import one_fold_alone

Share = Annotated[float, Field(ge=0, le=1)]


class DamagedPairs(Strict):
    """Unlabelled pairs of poor quality: what is labelled stays as it is.

    share: of the unlabelled training samples of the student that are damaged.
    kinds: modality -> degradation -> levels, as in ``noise``. seed: it decides, with the sample, whether and how.
    """

    share: float = Field(gt=0, le=1)
    kinds: dict[ModalityName, dict[str, Annotated[list[float], EachOnce] | None]]
    seed: int = Field(0, ge=0)


class LabelsStudy(Strict):
    """Few labels, all pairs.

    arms: that are trained, the baseline among them.
    shares: of the training clusters (groups for classification, whole labels for verification) that keep their label.
    With 0 no training sample has one: arms that ask for labels are left out, and the others are set against
    ``without_labels``. share_arms: shares that train only these of the arms. share_seeds: shares that take only so many
    of the seeds, the first. Both may name shares of ``tuned`` that are not trained now.
    draw: seed of the draw; a smaller share is part of a larger one. labelled_in_batch: share of each batch that is
    labelled, at least; null takes batches as they come, in which the task's loss is a mean over few samples and each
    labelled sample is seen as rarely as an unlabelled one.
    without_labels: an arm, the baseline where nothing is labelled; it learns from the student's own samples, or, in a
    classification, from the words of the classes.
    tuned: by share and arm, values by dotted keys inside the arm, of a search at that share (``tuning.labelled``); of a
    search over folds (``tuning.over_folds``) a list of them, one for each of ``evaluation.folds``.
    twins: arms that are trained a second time in their hard form, all else equal (each margin 0).
    damaged: unlabelled pairs of poor quality; null damages none.
    """

    arms: Annotated[list[str], EachOnce] = Field(min_length=1)
    shares: Annotated[list[Share], EachOnce] = Field(min_length=1)
    share_arms: dict[Share, Annotated[list[str], EachOnce]] = Field(default_factory=dict)
    share_seeds: dict[Share, PositiveInt] = Field(default_factory=dict)
    draw: int = Field(0, ge=0)
    labelled_in_batch: float | None = Field(0.5, gt=0, lt=1)
    without_labels: str = "simclr"
    tuned: dict[Share, dict[str, dict[str, Any] | list[dict[str, Any]]]] = Field(default_factory=dict)
    twins: Annotated[list[str], EachOnce] = Field(default_factory=list)
    damaged: DamagedPairs | None = None

    @model_validator(mode="after")
    def _are_trained(self) -> "LabelsStudy":
        named = {"twins": self.twins, "without_labels": [self.without_labels] * (0 in self.shares)}
        named |= {f"share_arms.{share:g}": names for share, names in self.share_arms.items()}
        for key, names in named.items():
            if unknown := sorted(set(names) - set(self.arms)):
                raise ValueError(
                    f"regimes.labels.{key} names {unknown}, not among regimes.labels.arms: {', '.join(self.arms)}"
                )
        for key in ("share_arms", "share_seeds"):
            if unasked := sorted(set(getattr(self, key)) - {*self.shares, *self.tuned}):  # a part of the study is one
                raise ValueError(f"regimes.labels.{key} has {unasked}, not among regimes.labels.shares: {self.shares}")
        return self

    def arms_of(self, share: float) -> list[str]:
        """The arms that are trained at a share.

        Args:
            share: one of ``shares``.

        Returns:
            Their names; at 0 those that ask for labels are still among them.
        """
        return self.share_arms.get(share, self.arms)

    def values_of(self, share: float, arm: str, fold: int = 1) -> dict[str, Any]:
        """What was found for an arm at a share.

        Args:
            share: of the labels, in [0, 1].
            arm: its name.
            fold: number of the fold, from 1; it decides where each has values of its own.

        Returns:
            Values by dotted keys inside the arm; empty where nothing was searched.
        """
        found = self.tuned.get(share, {}).get(arm, {})
        return found[fold - 1] if isinstance(found, list) else found

    def misfits(self, blocks: Mapping[str, Any], over_folds: bool = False) -> Iterator[str]:
        """Values of ``tuned`` that their arm does not take, and lists of them that are not one for each fold.

        Args:
            blocks: of which the blocks ``arms`` and ``evaluation`` count.
            over_folds: whether the studies go over folds.

        Yields:
            A sentence for each.
        """
        arms: ArmsConfig = blocks["arms"]
        for share, name, found in ((share, *each) for share, arms_at in self.tuned.items() for each in arms_at.items()):
            where = f"regimes.labels.tuned.{share:g}.{name}"
            if isinstance(found, list) and (said := _of_folds(found, blocks["evaluation"].folds if over_folds else 1)):
                yield f"{where}{said}"
                continue
            for key, value in (pair for values in _each(found) for pair in values.items() if name in arms.root):
                if said := misfit(arms.get(name), key, value):
                    yield f"{where}: {said}"


def _each(found: dict[str, Any] | list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The values of every fold; those of all folds alone."""
    return found if isinstance(found, list) else [found]


def _of_folds(found: list[dict[str, Any]], folds: int) -> str:
    """What is wrong with values for each of that many folds; empty where nothing is."""
    if folds == 1:
        return f": values for each of {len(found)} folds, and the study has one: set regimes.over_folds to true"
    if len(found) != folds:
        return f": values for {len(found)} folds, and evaluation.folds is {folds}: expected as many"
    if len({str(values.get("projection")) for values in found}) > 1:
        return ".projection: expected one kind for all folds"
    return ""


class TeacherStudy(Strict):
    """Weaker teachers, the projection fitted again on each.

    arms: that are trained, the baseline among them.
    noise: levels of Gaussian noise on every embedding, relative to the size of the embeddings about their mean.
    dropped_words: shares of words left out of every text before it is embedded; for a text teacher only, others pass
    over it. The undamaged teacher is always among them. seed: of both kinds of damage.
    """

    arms: Annotated[list[str], EachOnce] = Field(min_length=1)
    noise: Annotated[list[float], EachOnce] = Field(default_factory=list)
    dropped_words: Annotated[list[float], EachOnce] = Field(default_factory=list)
    seed: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _levels(self) -> "TeacherStudy":
        if wrong := [level for level in self.noise if not level > 0]:
            raise ValueError(f"regimes.teacher.noise: expected levels above 0, found {wrong}")
        if wrong := [level for level in self.dropped_words if not 0 < level < 1]:
            raise ValueError(f"regimes.teacher.dropped_words: expected shares between 0 and 1, found {wrong}")
        return self


class NoiseStudy(Strict):
    """Damaged training inputs, measured on clean and on damaged test inputs.

    arms: that are trained, the baseline among them.
    kinds: modality -> degradation (a key of that modality's DEGRADATIONS) -> levels to draw from; null takes its own.
    share: of the training samples that are damaged; test_share: of the test samples, in the damaged test.
    seed: it decides, with the sample, whether and how that one is damaged.
    """

    arms: Annotated[list[str], EachOnce] = Field(min_length=1)
    kinds: dict[ModalityName, dict[str, Annotated[list[float], EachOnce] | None]]
    share: float = Field(0.3, gt=0, le=1)
    test_share: float = Field(1.0, gt=0, le=1)
    seed: int = Field(0, ge=0)


class WidthStudy(Strict):
    """Students of another width: the named options of the encoder, numbers or lists, times each factor.

    arms: that are trained, the baseline among them. factors: of the width.
    options: names in student.encoder.options; one that is not there is left alone.
    divisor: sizes are rounded to multiples of it.
    """

    arms: Annotated[list[str], EachOnce] = Field(min_length=1)
    factors: Annotated[list[PositiveFloat], EachOnce] = Field(min_length=1)
    options: Annotated[list[str], EachOnce] = Field(default_factory=lambda: ["channels"], min_length=1)
    divisor: int = Field(8, ge=1)


class LengthStudy(Strict):
    """Trainings of another length: ``training.epochs`` times each factor, looks at dev spread alike.

    arms: that are trained, the baseline among them. factors: of the length.
    """

    arms: Annotated[list[str], EachOnce] = Field(min_length=1)
    factors: Annotated[list[PositiveFloat], EachOnce] = Field(min_length=1)


class FewLabels(KnownLabels):
    """Labels that are held back from a study, as ``labels`` holds them back and ``distill``: some, and never all.

    Attributes:
        share: of the labelled training clusters that keep their label.
        draw: seed of the draw; a smaller share is part of a larger one.
        in_batch: share of each batch that is labelled, at least; null takes batches as they come.
    """

    share: float = Field(gt=0, lt=1)


class Capacity(Strict):
    """A student that can come nearer to its teacher.

    width: of the encoder, a factor. options: names in student.encoder.options that it multiplies; one that is not there
    is left alone. divisor: sizes are rounded to multiples of it. length: of the training, a factor. augment: whether
    inputs are augmented.
    """

    width: PositiveFloat = 1.0
    options: Annotated[list[str], EachOnce] = Field(default_factory=lambda: ["channels"], min_length=1)
    divisor: int = Field(8, ge=1)
    length: PositiveFloat = 1.0
    augment: bool = True


class WeightStudy(Strict):
    """Lighter and heavier constraints: the weight of each constraint of an arm times each factor.

    arms: that are trained, the baseline among them. factors: of the weight.
    labelled: labels that are held back; null holds none back. capacity: of the student; null takes it as it is.
    """

    arms: Annotated[list[str], EachOnce] = Field(min_length=1)
    factors: Annotated[list[PositiveFloat], EachOnce] = Field(min_length=1)
    labelled: FewLabels | None = None
    capacity: Capacity | None = None


class VariantsStudy(Strict):
    """The unchanged task, under arms that differ in one choice each: the margin, the reducer, a moving projection.

    arms: that are trained, the baseline among them.
    """

    arms: Annotated[list[str], EachOnce] = Field(min_length=1)


class CrossfitStudy(Strict):
    """In-sample against out-of-fold teachers.

    arms: that are trained, the baseline among them.
    folds: of whole labels (verification) or groups (classification); a training sample is projected by the projection
    that was fitted without its fold. seed: of the folds.
    """

    arms: Annotated[list[str], EachOnce] = Field(min_length=1)
    folds: int = Field(5, ge=2)
    seed: int = Field(0, ge=0)


class RegimesConfig(Strict):
    """The studies, a block each, and what they share.

    seeds: of every training. baseline: the arm that every other is set against under the same condition. against: for
    an arm, another that it is set against too. over_folds: whether every training is done in each of
    ``evaluation.folds``, its scores pooled; false takes the test split alone, which is the first fold.
    bootstrap, level: of the intervals.
    """

    seeds: Annotated[list[NonNegativeInt], EachOnce] = Field(default_factory=lambda: [0, 1], min_length=1)
    baseline: str = "none"
    against: dict[str, str] = Field(default_factory=dict)
    over_folds: bool = False
    bootstrap: int = Field(500, ge=1)
    level: float = Field(0.95, gt=0, lt=1)
    labels: LabelsStudy
    teacher: TeacherStudy
    noise: NoiseStudy
    width: WidthStudy
    length: LengthStudy
    weight: WeightStudy
    crossfit: CrossfitStudy
    variants: VariantsStudy

    def references(self) -> Iterator[Reference]:
        """The arms of every study, those that they are set against, and the damage of ``noise``."""
        for study in STUDIES:
            yield from (Reference(f"regimes.{study}.arms", name, "arm") for name in getattr(self, study).arms)
        for name, other in self.against.items():
            yield Reference("regimes.against", name, "arm")
            yield Reference(f"regimes.against.{name}", other, "arm")
        for share, found in self.labels.tuned.items():
            yield from (Reference(f"regimes.labels.tuned.{share:g}", name, "arm") for name in found)
        damages = {"noise": self.noise.kinds} | (
            {"labels.damaged": self.labels.damaged.kinds} if self.labels.damaged else {}
        )
        for study, modality, kinds in ((study, *each) for study, damage in damages.items() for each in damage.items()):
            for kind, levels in kinds.items():
                where = f"regimes.{study}.kinds.{modality}"
                yield Reference(where, kind, "degradation", modality, tuple(levels or ()))

    def misfits(self, blocks: Mapping[str, Any]) -> Iterator[str]:
        """Values of ``labels.tuned`` that their arm does not take, and folds that are asked for where there is one.

        Args:
            blocks: of which ``arms`` and ``evaluation`` count.

        Yields:
            A sentence for each.
        """
        yield from self.labels.misfits(blocks, self.over_folds)
        if self.over_folds and blocks["evaluation"].folds == 1:
            yield one_fold_alone("regimes")

    def in_a_line(self) -> str:
        """The arms of all studies and the seeds."""
        arms = dict.fromkeys(name for study in STUDIES for name in getattr(self, study).arms)
        return f"of the studies: {', '.join(arms)}, seeds {', '.join(map(str, self.seeds))}"

    @model_validator(mode="after")
    def _baseline_is_trained(self) -> "RegimesConfig":
        for name in STUDIES:
            arms = getattr(self, name).arms
            if self.baseline not in arms:
                raise ValueError(
                    f"regimes.baseline {self.baseline!r} is not among regimes.{name}.arms: {', '.join(arms)}"
                )
        for share, arms in self.labels.share_arms.items():
            wanted = self.baseline if share else self.labels.without_labels
            if wanted not in arms:
                raise ValueError(
                    f"regimes.labels.share_arms.{share:g}: expected {wanted!r} among them, which the others are set "
                    f"against, found {', '.join(arms) or 'none'}"
                )
        return self


# By the names of their blocks, in the order in which they are run.
STUDIES = ("labels", "teacher", "noise", "width", "length", "weight", "crossfit", "variants")

# Those whose seeds and clusters are told apart in a table of their own.
SPREAD = ("labels", "weight")
