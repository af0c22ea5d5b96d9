"""Names to be read, of labels that are but codes of what the teacher's texts describe."""

import re

import pandas as pd


def class_names(items: pd.DataFrame) -> dict[str, str]:
    """The shortest text of each label, where labels are codes, and what pairs the samples.

    Args:
        items: of the teacher's space.

    Returns:
        Texts by label, of those that no other label shares; none where a text is that of one sample alone, or most
        labels are words of their own.
    """
    texts = items[items["text"].notna() & items["label"].notna()]
    if texts.empty or not (texts["label"] == texts["key"]).all():
        return {}
    ordered = texts.assign(length=texts["text"].str.len()).sort_values(["length", "sample_id"])
    names = ordered.drop_duplicates("label").set_index("label")["text"]
    if 2 * sum(map(_is_code, map(str, names.index))) <= len(names):
        return {}
    return {str(label): str(text) for label, text in names[~names.duplicated(keep=False)].items()}


def _is_code(label: str) -> bool:
    """Whether no part of it can be a word: ``2665``, ``1f468-200d`` and ``n02085620``, but not ``001.Albatross``."""
    return all(re.search(r"\d", part) for part in re.findall(r"[^\W_]+", label))
