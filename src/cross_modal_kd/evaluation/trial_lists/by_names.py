"""Lists of VoxCeleb1 that write the names of 2017: ``Eartha_Kitt/x6uYqmx31kE_0000001.wav``."""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from cross_modal_kd.evaluation.trial_lists.read import TrialList
from cross_modal_kd.samples import SamplesError, first_few
from cross_modal_kd.sources import utterances_of_names


def by_utterance(trials: TrialList, meta: Path) -> TrialList:
    """The same trials, of utterances by id: what the embeddings of the layout ``voxceleb`` are called.

    Args:
        trials: the list, such as ``voxceleb1_test.txt`` of OpenSLR's SLR49.
        meta: ``vox1_meta.csv``, which has the id of each name.

    Returns:
        The list with its names as ``id10270/x6uYqmx31kE/00001``; those that are no utterance's stay as they are.

    Raises:
        SamplesError: the table is wrong or lacks a name, or the list has one utterance under two names.
    """
    found = utterances_of_names(trials.names, meta)
    if lacking := [name for name, utterance in zip(trials.names, found, strict=True) if utterance is None]:
        name, place = trials.first_of(lacking[:1])
        raise SamplesError(f"{place}: {name!r} is of no speaker whom {meta} has; give the table that has all of them")
    names = pd.Series(found, dtype="str")
    if (twice := names.duplicated(keep=False)).any():
        both = pd.Series(trials.names)[twice]
        raise SamplesError(f"{trials.file}: one utterance under two names: {first_few(both)}; write it in one way")
    return replace(trials, names=names.tolist())
