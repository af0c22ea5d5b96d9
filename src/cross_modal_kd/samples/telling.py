"""What the log says of the samples that a run has dealt to their splits."""

import logging

import pandas as pd

from cross_modal_kd.config import TaskConfig
from cross_modal_kd.samples.contents import count_contents, count_shared, few_contents
from cross_modal_kd.samples.doubtful import doubts_of
from cross_modal_kd.samples.pairing import Pairing
from cross_modal_kd.samples.shares import far_from_asked

logger = logging.getLogger(__name__)


def tell(samples: pd.DataFrame, pairing: Pairing, task: TaskConfig, shares: pd.DataFrame) -> None:
    """Log how large the splits are and how many samples share their partners; warn of what a person should look at.

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
    few = (f"in training, {said}" for said in few_contents(count_contents(samples, task), task))
    for said in filter(None, [*doubts_of(samples), far_from_asked(shares), *few]):
        logger.warning("%s", said)
