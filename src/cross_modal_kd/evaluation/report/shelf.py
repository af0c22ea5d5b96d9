"""Samples that figures show: small, each once, and sounds only as far as there is room for them."""

from dataclasses import replace

from cross_modal_kd.evaluation.report.exhibits import Exhibit, Exhibits
from cross_modal_kd.evaluation.report.thumbnails import tiny

MOST_SOUND = 400_000
LONGEST = 90


class Shelf:
    """Exhibits of one section, within a budget.

    Args:
        exhibits: of the table that the samples are in.
        most_sound: characters that all sounds together may take; those beyond it are named instead.
    """

    def __init__(self, exhibits: Exhibits, most_sound: int = MOST_SOUND) -> None:
        self._exhibits = exhibits
        self._left = most_sound
        self._shown: dict[str, Exhibit] = {}

    def show(self, sample_id: str) -> Exhibit:
        """A sample as a tiny picture, a few words, or a sound where there is room for it.

        Args:
            sample_id: of a sample in the table.

        Returns:
            The exhibit; a sound without room is its name.
        """
        if sample_id not in self._shown:
            self._shown[sample_id] = self._made(self._exhibits.show(sample_id))
        return self._shown[sample_id]

    def _made(self, shown: Exhibit) -> Exhibit:
        if shown.kind == "image":
            return replace(shown, content=tiny(shown.content))
        if shown.kind == "text":
            return replace(shown, content=_short(shown.content))
        if len(shown.content) > self._left:
            return replace(shown, kind="text", content=_short(shown.name))
        self._left -= len(shown.content)
        return shown


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"
