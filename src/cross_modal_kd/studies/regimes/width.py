"""Students of another width (imports torch: reached from nodes only)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cross_modal_kd.config import StudentConfig
from cross_modal_kd.models import create_encoder
from cross_modal_kd.studies.regimes.condition import Condition
from cross_modal_kd.studies.regimes.config import WidthStudy
from cross_modal_kd.studies.regimes.world import World


def widened(student: StudentConfig, factor: float, options: list[str], divisor: int) -> StudentConfig:
    """The student with those options of its encoder times ``factor``.

    Args:
        student: factor 1 leaves it as it is.
        factor: above 0.
        options: names of sizes, numbers or lists of them; those that the encoder's options do not name are passed over.
        divisor: sizes are rounded to multiples of it, and are one multiple at least.

    Returns:
        The changed block.

    Raises:
        ValueError: the encoder's options name none of them.
    """
    if factor == 1:
        return student
    encoder = student.encoder
    named = [name for name in options if name in encoder.options]
    if not named:
        raise ValueError(
            f"regimes.width.options: student.encoder.options of {encoder.name!r} names none of {options}; "
            f"it names {sorted(encoder.options) or 'nothing'}"
        )

    def scaled(size: Any) -> Any:
        if isinstance(size, list | tuple):
            return [scaled(each) for each in size]
        return max(divisor, divisor * round(size * factor / divisor))

    changed = encoder.options | {name: scaled(encoder.options[name]) for name in named}
    return student.model_copy(update={"encoder": encoder.model_copy(update={"options": changed})})


def conditions(world: World, study: WidthStudy, _store: Path) -> Iterator[Condition]:
    """One a factor.

    Args:
        world: gives the student that is widened.
        study: factors, options and divisor.
        _store: plays no part.

    Yields:
        A condition whose value is the factor. Fact: encoder_parameters, a count.
    """
    for factor in study.factors:
        student = widened(world.configuration.student, factor, study.options, study.divisor)
        network = create_encoder(student.encoder, world.configuration.inputs)
        size = sum(parameter.numel() for parameter in network.parameters())
        yield Condition.of(world, f"width x {factor:.3g}", factor, student=student, facts={"encoder_parameters": size})
