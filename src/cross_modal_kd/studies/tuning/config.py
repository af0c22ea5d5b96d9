"""What is searched for each arm, and for how long: the same number of trials for all."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from cross_modal_kd.config import ArmsConfig, Reference, Strict, first_errors, without_null
from cross_modal_kd.studies.tuning.space import with_value


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
    choices: list[float | str] | None = None

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


class LabelledConfig(Strict):
    """A search where few labels are known.

    Attributes:
        share: of the training clusters that keep their label.
        draw: seed of the draw, as in ``regimes.labels``.
        in_batch: share of each batch that is labelled, at least, as ``labelled_in_batch`` of ``regimes.labels``; null
            takes batches as they come.
    """

    share: float = Field(gt=0, lt=1)
    draw: int = Field(0, ge=0)
    in_batch: float | None = Field(0.5, gt=0, lt=1)


ArmSpace = Annotated[dict[str, SearchRange], BeforeValidator(without_null)]


class TuningConfig(Strict):
    """Search of each arm's own hyper-parameters on the dev split.

    Attributes:
        trials: of every arm, the same.
        epochs: of a trial; null trains as long as the comparison does.
        repeats: seeds a trial is averaged over, ``seed`` and those that follow.
        seed: of the first repeat, and of the values that are tried.
        labelled: search where few training samples have labels and the other pairs serve without; null: all have.
        space: arm -> dotted key inside the arm (``constraints.feature.weight``) -> range; what is null is not searched.
    """

    trials: int = Field(8, ge=1)
    epochs: int | None = Field(None, ge=1)
    repeats: int = Field(1, ge=1)
    seed: int = Field(0, ge=0)
    labelled: LabelledConfig | None = None
    space: Annotated[dict[str, ArmSpace], BeforeValidator(without_null)] = Field(min_length=1)

    def references(self) -> Iterator[Reference]:
        """The arms that are searched."""
        yield from (Reference("tuning.space", name, "arm") for name in self.space)

    def misfits(self, blocks: Mapping[str, Any]) -> Iterator[str]:
        """Keys that lead nowhere in their arm, and ends of ranges that it does not take.

        Args:
            blocks: of which the block ``arms`` counts.

        Yields:
            A sentence for the first such value of each key.
        """
        arms: ArmsConfig = blocks["arms"]
        for name, space in self.space.items():
            for key, bounds in space.items() if name in arms.root else ():
                for value in bounds.choices or bounds.ends:
                    try:
                        with_value(arms.get(name), key, value)
                    except ValidationError as error:
                        yield f"tuning.space.{name}: {key!r} cannot be {value}: {first_errors(error)}"
                        break
                    except ValueError as error:
                        yield f"tuning.space.{name}: {error}"
                        break

    def in_a_line(self) -> str:
        """The arms, and how long each is searched for."""
        return f"search of {', '.join(self.space)}: {self.trials} trials each"
