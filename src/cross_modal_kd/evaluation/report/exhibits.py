"""A sample as it can be put on a page, with its name and where it comes from."""

from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from cross_modal_kd.config import SourcesConfig
from cross_modal_kd.modalities import modality_of
from cross_modal_kd.samples import Roots, as_records, read_before


@dataclass(frozen=True)
class Exhibit:
    """kind, content: see ``Preview``. name: what it is. detail: where it comes from."""

    kind: Literal["image", "sound", "text"]
    content: str
    name: str
    detail: str


class Exhibits:
    """Samples of one table, made ready to be shown.

    Args:
        samples: the table; its texts also give the words for groups.
        sources: where the files lie.
    """

    def __init__(self, samples: pd.DataFrame, sources: SourcesConfig) -> None:
        self._rows: dict[str, dict[str, Any]] = {row["sample_id"]: row for row in as_records(samples)}
        self._roots = Roots(sources)
        self._by_label: dict[str, set[str]] = {}
        texts = samples[samples["text"].notna() & samples["group"].notna() & samples["label"].notna()]
        shortest = texts.assign(length=texts["text"].str.len()).sort_values(["length", "sample_id"])
        self._words = shortest.drop_duplicates("group").set_index("group")["text"].to_dict()
        self._labels_are_groups = bool((texts["label"] == texts["group"]).all())

    def name_of(self, sample_id: str) -> str:
        """The label, or the shortest text of its group where labels are but codes of groups.

        Args:
            sample_id: of a sample in the table.

        Returns:
            A name to be read.
        """
        row = self._rows[sample_id]
        return self._words.get(row["group"], row["label"]) if self._labels_are_groups else row["label"]

    def name_of_label(self, label: str) -> str:
        """The name of a label's samples, where they all have one name.

        Args:
            label: of samples in the table, or another.

        Returns:
            A name to be read; the label itself where its samples are named apart, or are not there.
        """
        if not self._by_label:
            for sample_id, row in self._rows.items():
                self._by_label.setdefault(row["label"], set()).add(self.name_of(sample_id))
        names = self._by_label.get(label, set())
        return next(iter(names)) if len(names) == 1 else label

    def show(self, sample_id: str) -> Exhibit:
        """One sample; a text has no detail beside its words.

        Args:
            sample_id: of a sample in the table, whose file is read.

        Returns:
            The sample with its name and, as detail, its domain and the words for its group.
        """
        row = self._rows[sample_id]
        known = [row["domain"], None if self._labels_are_groups else self._words.get(row["group"])]
        detail = ", ".join(str(part) for part in known if isinstance(part, str))
        with read_before():
            shown = modality_of(row["modality"]).preview(row, self._roots)
        has_words = isinstance(row["text"], str)
        return Exhibit(shown.kind, shown.content, self.name_of(sample_id), "" if has_words else detail)
