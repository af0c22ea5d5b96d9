"""How many of the labels that there are a training is told."""

from pydantic import Field

from cross_modal_kd.config.strict import Strict


class KnownLabels(Strict):
    """Labels that are held back from the training split; the samples stay, and serve by their pairs.

    Samples that have no label in the data are without one whatever ``share`` says.

    Attributes:
        share: of the labelled training clusters (whole labels for verification, groups of each class for
            classification) that keep their label; 1 holds none back, 0 all.
        draw: seed of the draw; a smaller share is part of a larger one.
        in_batch: share of each batch that is labelled, at least, where some samples have no label and the arm does not
            say it (``labelled_in_batch``); null takes batches as they come.
    """

    share: float = Field(1.0, ge=0, le=1)
    draw: int = Field(0, ge=0)
    in_batch: float | None = Field(0.5, gt=0, lt=1)
