"""Training, development and test: whole clusters are dealt out, never single samples."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

import pandas as pd

from cross_modal_kd.config import SplitConfig
from cross_modal_kd.samples.copies import bound_by_copies
from cross_modal_kd.samples.design import SamplingDesign
from cross_modal_kd.samples.frozen import frozen_splits
from cross_modal_kd.samples.names import one_form
from cross_modal_kd.samples.selection import SPLITS


def assign_splits(
    samples: pd.DataFrame, design: SamplingDesign, split: SplitConfig, frozen: dict[str, str] | None = None
) -> pd.Series:
    """The split of every row.

    What is dealt goes into one split as a whole: the ``family`` where there is one (what must not be parted), else the
    cluster (``design.cluster``), and with it whatever holds a byte-identical file of the same label.

    1. Rows that carry a split (an official one, of the source) keep it.
    2. Clusters that ``frozen`` names have the split that it gives them.
    3. All others are drawn, see ``draw_splits``: by their own names alone, so that data that is added moves none of
       them. Where there is an official split, they are drawn for the splits that it leaves out, or for all where it
       leaves none out; with no dev split left, that is drawn from the training clusters.

    Args:
        samples: the table, with or without a column ``split``.
        design: of the kind of task.
        split: the shares of the clusters, and the seed.
        frozen: split of each cluster (``design.dealt``) that is given and not drawn.

    Returns:
        train, dev or test for each row, on the index of ``samples``.

    Raises:
        SamplesError: ``frozen`` contradicts an official split.
    """
    own = design.dealt(samples).map(one_form)
    clusters = bound_by_copies(own, samples)
    fixed = samples["split"].copy() if "split" in samples else pd.Series(None, index=samples.index, dtype="str")
    fixed = fixed.fillna(_spread(fixed, own))
    official = set(fixed.dropna())
    if frozen:
        fixed = fixed.fillna(frozen_splits(own, fixed, frozen))
    fixed = fixed.fillna(_spread(fixed, clusters))
    strata = design.strata(samples["label"], clusters)
    shares = {name: getattr(split, name) for name in SPLITS}
    if fixed.isna().any():
        left_out = {name: share for name, share in shares.items() if name not in official} or shares
        held = fixed.dropna().groupby(clusters).first()
        fixed = fixed.fillna(clusters.map(_draw(strata, held, left_out, split.seed, design.least)))
    if official and "dev" not in set(fixed) and "train" in set(fixed):
        of_train = strata[clusters[fixed == "train"].unique()]
        within = {name: shares[name] for name in ("train", "dev")}
        drawn = _draw(of_train, pd.Series(dtype="str"), within, split.seed, design.least)
        fixed = fixed.where(fixed != "train", clusters.map(drawn))
    return fixed.astype("str")


def draw_splits(
    clusters: Iterable[str], shares: Mapping[str, float], seed: int, least: int, held: Mapping[str, int] | None = None
) -> dict[str, str]:
    """A split for each cluster of one stratum, drawn by a hash of its name and the seed.

    The splits cut [0, 1) into intervals as long as their shares, in the order train, dev, test, and ``score`` puts each
    cluster into one of them. So what is added moves nothing, and the sizes follow the shares as those of a random draw
    do: of 20 clusters, 6 are expected in a test split of 0.3, and 2 to 10 are usual (``ingestion.split.frozen`` keeps a
    draw of one's choice).

    Each split is to hold ``least`` clusters, or an equal part where there are fewer. One that is short takes those
    whose scores lie nearest to its interval, from training while that can spare any, so that what dev needs is not
    taken from the test. Of fewer clusters than splits, the first goes to training and the second to the test. Only
    what is taken so can move when data is added, back to where its score puts it. With shares of 0.6, 0.1 and 0.3 and
    ``least`` 2, a label that is added to 20 moves one other in 1 of 15 cases (between training and dev; out of the
    test in 1 of 500), to 60 in 1 of 1,000; but to 8 in 1 of 3: few clusters are better frozen.

    Args:
        clusters: n names; their form of Unicode does not count.
        shares: of the splits to draw for, by name; they need not sum to 1.
        seed: of the draw.
        least: clusters that a split is to hold.
        held: clusters of the stratum that each split holds already, by its name; they count, and are not drawn.

    Returns:
        The split of each cluster.
    """
    held = {} if held is None else held
    scores = {name: score(name, seed) for name in clusters}
    total = len(scores) + sum(held.values())
    if total < len(shares):
        wanted = [name for name in ("train", "test", "dev") if name in shares and not held.get(name)]
        return dict(zip(sorted(scores, key=scores.__getitem__), wanted, strict=False))
    intervals = _intervals(shares)
    drawn = {name: next(split for split, (_, end) in intervals.items() if at < end) for name, at in scores.items()}
    spare = Counter(held) + Counter(drawn.values())
    spare.subtract(dict.fromkeys(shares, min(least, total // len(shares))))
    for short in shares:
        while spare[short] < 0:
            givers = [split for split in ("train", "test", "dev") if spare[split] > 0 and split in drawn.values()]
            if not givers:
                break
            start, end = intervals[short]
            able = [name for name, split in drawn.items() if split == givers[0]]
            nearest = min(able, key=lambda name: max(start - scores[name], scores[name] - end))
            spare.update({short: 1, givers[0]: -1})
            drawn[nearest] = short
    return drawn


def score(cluster: str, seed: int) -> float:
    """Where a cluster stands in [0, 1), by SHA-256 of the seed and its name in one form of Unicode.

    Args:
        cluster: its name.
        seed: of the draw.

    Returns:
        A number that is the same on every machine, whatever other clusters there are.
    """
    digest = hashlib.sha256(f"{seed}\0{one_form(cluster)}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:6]) / 2**48


def _draw(strata: pd.Series, held: pd.Series, shares: dict[str, float], seed: int, least: int) -> dict[str, str]:
    """``draw_splits`` of the clusters (the index of ``strata``) that ``held`` does not name, stratum by stratum."""
    split_of = held.to_dict()
    there: defaultdict[str, Counter[str]] = defaultdict(Counter)
    free: defaultdict[str, list[str]] = defaultdict(list)
    for cluster, stratum in zip(strata.index.tolist(), strata.tolist(), strict=True):
        if cluster not in split_of:
            free[stratum].append(cluster)
        elif split_of[cluster] in shares:
            there[stratum][split_of[cluster]] += 1
    drawn: dict[str, str] = {}
    for stratum, clusters in free.items():
        drawn.update(draw_splits(clusters, shares, seed, least, there[stratum]))
    return drawn


def _intervals(shares: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    """Start and end of each split in [0, 1], in the order of ``SPLITS``; the last ends beyond every score."""
    total, start, found = sum(shares.values()), 0.0, {}
    for name in sorted(shares, key=SPLITS.index):
        found[name] = (start, start + shares[name] / total)
        start += shares[name] / total
    found[name] = (found[name][0], 2.0)
    return found


def _spread(fixed: pd.Series, clusters: pd.Series) -> pd.Series:
    """What ``fixed`` says of one row of a cluster, for every row of it."""
    known = pd.Series(fixed.to_numpy(), index=clusters.to_numpy()).dropna().groupby(level=0).first()
    return clusters.map(known)
