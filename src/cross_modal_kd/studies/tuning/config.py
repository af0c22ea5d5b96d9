"""What is searched for each arm, and for how long: the same number of trials for all."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from cross_modal_kd.config import ArmsConfig, EachOnce, Reference, Strict, without_null
from cross_modal_kd.studies.arm_keys import misfit
from cross_modal_kd.studies.config import one_fold_alone


class SearchRange(Strict):
    """Numbers from ``low`` to ``high``, or one of ``choices``.

    Attributes:
        low: smallest number; above 0 with ``log``.
        high: largest number, above ``low``.
        log: drawn evenly over the logarithms.
        choices: in place of ``low`` and ``high``; not empty.
    """

    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: Annotated[list[float | str], EachOnce] | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> "SearchRange":
        if self.choices is not None:
            if self.low is not None or self.high is not None or not self.choices:
                raise ValueError("a range is either low and high, or a non-empty list of choices")
        elif self.low is None or self.high is None or not self.low < self.high:
            raise ValueError(f"a range needs low < high, found low={self.low}, high={self.high}")
        elif self.log and self.low <= 0:
            raise ValueError(f"a logarithmic range needs low > 0, found {self.low}")
        return self

    @property
    def ends(self) -> tuple[float, float]:
        """``low`` and ``high``.

        Raises:
            ValueError: there are choices in their place.
        """
        if self.low is None or self.high is None:
            raise ValueError(f"a range of choices has no ends, found {self.choices}")
        return self.low, self.high


Share = Annotated[float, Field(ge=0, le=1)]


class LabelledConfig(Strict):
    """A search where few labels are known.

    Attributes:
        share: of the training clusters that keep their label; or
        shares: several of them, each with a search of its own. 1 is the task with all labels, 0 has none at all: there
            arms that ask for labels are left out.
        draw: seed of the draw, as in ``regimes.labels``.
        in_batch: share of each batch that is labelled, at least, as ``labelled_in_batch`` of ``regimes.labels``; null
            takes batches as they come.
    """

    share: float | None = Field(None, gt=0, lt=1)
    shares: Annotated[list[Share], EachOnce] = Field(default_factory=list)
    draw: int = Field(0, ge=0)
    in_batch: float | None = Field(0.5, gt=0, lt=1)

    @property
    def searched(self) -> list[float]:
        """The shares, one or several, in their order."""
        return [self.share] if self.share is not None else self.shares

    def at(self, share: float) -> dict[str, Any] | None:
        """What decides a search at one of the shares, for run keys.

        Args:
            share: in [0, 1].

        Returns:
            share, draw and in_batch; None where all labels are known.
        """
        return None if share == 1 else {"share": share, "draw": self.draw, "in_batch": self.in_batch}

    @model_validator(mode="after")
    def _one_or_several(self) -> "LabelledConfig":
        if (self.share is None) == (not self.shares):
            raise ValueError(
                f"tuning.labelled: expected either share or shares, found share={self.share}, shares={self.shares}; "
                "set the other to null"
            )
        return self


ArmSpace = Annotated[dict[str, SearchRange], BeforeValidator(without_null)]


class TuningConfig(Strict):
    """Search of each arm's own hyper-parameters on the dev split.

    Attributes:
        trials: of every arm, the same.
        epochs: of a trial; null trains as long as the comparison does.
        repeats: seeds a trial is averaged over, ``seed`` and those that follow.
        seed: of the first repeat, and of the values that are tried.
        arms: which of ``space`` are searched, in this order; null: all.
        labelled: search where few training samples have labels and the other pairs serve without; null: all have.
        over_folds: whether each of ``evaluation.folds`` is searched by itself, on the dev split of its own, so that
            what ``regimes`` tests in a fold was chosen without a cluster of its test (nested cross-validation, Cawley
            and Talbot, JMLR 2010); false searches the split as it is.
        space: arm -> dotted key inside the arm (``constraints.feature.weight``) -> range; what is null is not searched.
    """

    trials: int = Field(8, ge=1)
    epochs: int | None = Field(None, ge=1)
    repeats: int = Field(1, ge=1)
    seed: int = Field(0, ge=0)
    arms: Annotated[list[str], EachOnce] | None = Field(None, min_length=1)
    labelled: LabelledConfig | None = None
    over_folds: bool = False
    space: Annotated[dict[str, ArmSpace], BeforeValidator(without_null)] = Field(min_length=1)

    @property
    def searched(self) -> dict[str, dict[str, SearchRange]]:
        """Range of each dotted key, by arm: of those that are searched."""
        return self.space if self.arms is None else {name: self.space[name] for name in self.arms}

    @model_validator(mode="after")
    def _arms_are_there(self) -> "TuningConfig":
        if unknown := sorted(set(self.arms or ()) - set(self.space)):
            raise ValueError(f"tuning.arms names {unknown}, not among tuning.space: {', '.join(self.space)}")
        return self

    @model_validator(mode="after")
    def _folds_have_shares(self) -> "TuningConfig":
        if self.over_folds and (self.labelled is None or not self.labelled.shares):
            raise ValueError(
                "tuning.over_folds is true, and only regimes.labels.tuned takes values for each fold: name the shares "
                "of the labels in tuning.labelled.shares ([1.0] is the task with all of them)"
            )
        return self

    def references(self) -> Iterator[Reference]:
        """The arms that are searched."""
        yield from (Reference("tuning.space", name, "arm") for name in self.space)

    def misfits(self, blocks: Mapping[str, Any]) -> Iterator[str]:
        """Keys that lead nowhere in their arm, and ends of ranges that it does not take; what folds cannot be asked.

        Args:
            blocks: of which the blocks ``arms`` and ``evaluation`` count.

        Yields:
            A sentence for the first such value of each key.
        """
        if self.over_folds:
            yield from self._not_over_folds(blocks["evaluation"].folds)
        arms: ArmsConfig = blocks["arms"]
        for name, space in self.space.items():
            for key, bounds in space.items() if name in arms.root else ():
                for value in bounds.choices or bounds.ends:
                    if said := misfit(arms.get(name), key, value):
                        yield f"tuning.space.{name}: {said}"
                        break

    def _not_over_folds(self, folds: int) -> Iterator[str]:
        """What keeps the search from going over that many folds."""
        if folds == 1:
            yield one_fold_alone("tuning")
        kinds = {name: space.get("projection") for name, space in self.searched.items()}
        for name in (name for name, found in kinds.items() if found is not None and len(found.choices or []) > 1):
            yield (
                f"tuning.space.{name}.projection: over folds an arm is bound through one kind of projection: "
                f"set arms.{name}.projection, and this key to null"
            )

    def in_a_line(self) -> str:
        """The arms, and how long each is searched for."""
        shares = self.labelled.searched if self.labelled is not None else []
        where = f" at each of {', '.join(f'{100 * share:g} %' for share in shares)} labelled" if shares else ""
        return f"search of {', '.join(self.searched)}: {self.trials} trials each{where}"
