"""What the log says of the samples that a run has dealt to their splits."""

import logging

import pandas as pd

from cross_modal_kd.config import TaskConfig
from cross_modal_kd.samples.contents import count_shared
from cross_modal_kd.samples.pairing import Pairing

logger = logging.getLogger(__name__)


def tell(samples: pd.DataFrame, pairing: Pairing, task: TaskConfig, shares: pd.DataFrame) -> None:
    """Log how large the splits are and how many samples share their partners.

    Of what a person should look at the page of the data warns (``DataPage``), here and there in the same words.

    Args:
        samples: the table, with its splits.
        pairing: of these samples.
        task: its modalities, and how they are paired.
        shares: of ``count_shares``.
    """
    sizes = (f"{row['split']} {row['labels']} labels, {row['samples']} samples" for row in shares.to_dict("records"))
    logger.info("the splits of the student's samples: %s", "; ".join(sizes))
    shared = count_shared(samples, pairing)
    logger.info(
        "%d of %d paired %s samples share their %s partners with others, %d at most",
        *(shared["shared"].sum(), shared["paired"].sum(), task.student, task.teacher, shared["most"].max()),
    )
