"""Paths of lists that were made on some machine, as paths below a source's root."""

from pathlib import Path

import pandas as pd

from cross_modal_kd.samples import lead_outside


def below_root(paths: pd.Series, root: Path, folder: str = "") -> tuple[pd.Series, pd.Series]:
    """Paths relative to the root: absolute ones below it, and relative ones from the root or the list's folder.

    Args:
        paths: (n,) as the list has them.
        root: the source's.
        folder: of the list, relative to the root.

    Returns:
        (n,) relative paths; and (n,) why one cannot be used, null where it can.
    """
    plain = paths
    for start in dict.fromkeys((f"{root.absolute().as_posix()}/", f"{root.resolve().as_posix()}/")):
        plain = plain.where(~plain.str.startswith(start), plain.str.removeprefix(start))
    plain = plain.str.removeprefix("./")
    outside = lead_outside(plain)
    there = pd.Series(
        [not out and (root / path).is_file() for path, out in zip(plain, outside, strict=True)], plain.index
    )
    if folder:
        inner = f"{folder}/" + plain
        found = pd.Series([not there[at] and not outside[at] and (root / inner[at]).is_file() for at in plain.index])
        found.index = plain.index
        plain, there = plain.mask(found, inner), there | found
    why = pd.Series(None, index=paths.index, dtype="str").mask(~there, f"the file is missing (looked below {root})")
    return plain, why.mask(outside, f"it lies outside the source's root, {root}: take a folder that holds both as root")
