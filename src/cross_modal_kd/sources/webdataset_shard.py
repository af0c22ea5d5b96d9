"""One tar of a webdataset: its samples, and what in it is not used. Keys end at the first dot of a base name."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from cross_modal_kd.modalities import known_endings, modality_of_ending
from cross_modal_kd.samples import SamplesError, TarEntry, UnreadableSampleError, shown, tar_entries
from cross_modal_kd.sources.files import unusable_name
from cross_modal_kd.storage import counted_kinds, decoded, how_many

TEXTS = ("txt", "text", "caption", "transcript")
LABEL, FIELDS, SPEAKER = "cls", "json", "spk"
MOST_BYTES = 2**20
"""Of a text, a label or the fields of a sample."""

Members = list[tuple[TarEntry, str]]
"""Of one key, each with what follows the first dot of its base name, in small letters."""


@dataclass
class Sample:
    """What stands under one key.

    Attributes:
        key: of all members.
        files: member -> modality.
        texts: member, or member and field -> words.
        values: of a label, a group, ... (``Fields.of_role``): role -> value -> the member that says it.
    """

    key: str
    files: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)

    def say(self, role: str, value: str | None, member: str) -> None:
        """Note a value.

        Args:
            role: what it is of.
            value: None for none.
            member: that says it.

        Raises:
            UnreadableSampleError: another member says another one.
        """
        if value is None:
            return
        said = self.values.setdefault(role, {value: member})
        if value not in said:
            (other, where), *_ = said.items()
            raise UnreadableSampleError(
                member, f"its {role} is {value!r} here and {other!r} in {where}: a sample has one, correct them"
            )


class Shard:
    """One tar.

    Args:
        root: of the source.
        path: of the tar, relative to it.

    Attributes:
        rejected: address of a member -> why its sample is not used.
        others: what members are that are not read -> how many.
        fields: names that its json has.

    Raises:
        SamplesError: it is damaged or compressed, or is WeSpeaker's.
    """

    def __init__(self, root: Path, path: str) -> None:
        self.file, self.path = root / path, path
        self.rejected: dict[str, str] = {}
        self.others: Counter[str] = Counter()
        self.fields: set[str] = set()
        self._entries = tar_entries(self.file)
        self._require_no_speakers()

    def samples(self, of_role: dict[str, str]) -> list[Sample]:
        """What can be used; what cannot goes to ``rejected`` and ``others``.

        Args:
            of_role: of ``Fields``.

        Returns:
            The samples, in the order of the tar.

        Raises:
            SamplesError: a key comes twice, or there is nothing in it that is read.
        """
        found = []
        with self.file.open("rb") as tar:
            for key, members in self.runs():
                try:
                    found.append(self._sample(tar.fileno(), key, members, of_role))
                except UnreadableSampleError as error:
                    self._reject(members, error)
        if not self.rejected and not any(sample.files or sample.texts for sample in found):
            told = counted_kinds(self.others.elements(), 5, lambda count, what: f"{how_many(count, 'member')} {what}")
            raise SamplesError(
                f"{self.file}: expected samples of a webdataset (members that end in one of {known_endings()}; text: "
                f"{', '.join(TEXTS)}), found {told or 'none'}; take the tar out, or write it as one"
            )
        return found

    def runs(self) -> Iterator[tuple[str, Members]]:
        """Members that follow each other under one key.

        Yields:
            Key and members; those without an ending are counted in ``others``.

        Raises:
            SamplesError: a key comes twice.
        """
        seen: set[str] = set()
        for key, run in groupby(self._parted(), key=lambda each: each[0]):
            members = [(entry, ending) for _, entry, ending in run]
            endings = {ending for _, ending in members}
            if key in seen or len(endings) < len(members):
                how = "its members do not follow each other" if key in seen else "two of its members have one ending"
                raise SamplesError(
                    f"{self.file}: the key {shown(key)!r} comes twice ({how}); a sample is what stands together under "
                    "one key: write the tar with sorted names (tar --sort=name), each once"
                )
            seen.add(key)
            yield key, members

    def first_said(self) -> tuple[set[str], dict[str, Any]]:
        """What the first sample has.

        Returns:
            The kinds of its members (``jpg``, ``txt``), and its json.

        Raises:
            SamplesError: its json is broken.
        """
        _, members = next(self.runs(), ("", []))
        said: dict[str, Any] = {}
        with self.file.open("rb") as tar:
            for entry in (entry for entry, ending in members if _kind(ending) == FIELDS and not entry.odd):
                try:
                    said |= _fields(_words(tar.fileno(), entry), entry.name)
                except UnreadableSampleError as error:
                    raise SamplesError(f"{self.file}#{error}") from error
        return {_kind(ending) for _, ending in members}, said

    def _parted(self) -> Iterator[tuple[str, TarEntry, str]]:
        """Key, member and ending."""
        for entry in self._entries:
            folder, slash, base = entry.name.rpartition("/")
            stem, _, ending = base.partition(".")
            if stem and ending and not entry.is_folder:
                yield f"{folder}{slash}{stem}", entry, ending.lower()
            elif not entry.is_folder:
                self.others["without a name and an ending, which tell what it is"] += 1

    def _sample(self, tar: int, key: str, members: Members, of_role: dict[str, str]) -> Sample:
        """What the members of a key say. Raises UnreadableSampleError for one that cannot be used."""
        sample = Sample(key)
        for entry, ending in members:
            kind = _kind(ending)
            modality = modality_of_ending(f".{kind}")
            if modality is None and kind not in (*TEXTS, LABEL, FIELDS):
                self.others[f"with the ending .{shown(ending)}, which is not read"] += 1
                continue
            if reason := entry.odd or unusable_name(entry.name):
                raise UnreadableSampleError(entry.name, reason)
            if modality is not None:
                sample.files[entry.name] = modality.name
            elif kind == FIELDS:
                self._say_fields(sample, _fields(_words(tar, entry), entry.name), of_role, entry.name)
            else:
                self._say_words(sample, _words(tar, entry), ending, entry.name)
        return sample

    def _say_words(self, sample: Sample, words: str, ending: str, member: str) -> None:
        """Note a text or a label."""
        if _kind(ending) == LABEL:
            if len(words.splitlines()) > 1:
                raise UnreadableSampleError(member, f"expected a label, an integer or a word, found {words!r:.60}")
            sample.say("label", words or None, member)
        elif words:
            sample.texts[member] = words
        else:
            self.others[f"with the ending .{ending} and nothing in it: no text"] += 1

    def _say_fields(self, sample: Sample, said: dict[str, Any], of_role: dict[str, str], member: str) -> None:
        self.fields.update(said)
        for role, column in of_role.items():
            value = _cell(said.get(column), column, member)
            if role != "text":
                sample.say(role, value, member)
            elif value is not None:
                sample.texts[f"{member}/{column}"] = value

    def _reject(self, members: Members, error: UnreadableSampleError) -> None:
        for entry, _ in members:
            why = f"of a sample that is not used, for {shown(error.name)}"
            self.rejected[f"{self.path}#{entry.name}"] = error.reason if entry.name == error.name else why

    def _require_no_speakers(self) -> None:
        """SamplesError for a shard of WeSpeaker, whose keys end at the last dot."""
        speaker = next((entry.name for entry in self._entries if entry.name.endswith(f".{SPEAKER}")), None)
        if speaker is not None:
            raise SamplesError(
                f"{self.file}: expected a webdataset, whose keys end at the first dot, found a shard of WeSpeaker "
                f"({shown(speaker)!r}), whose end at the last; write the tars' paths into shard.list, a line each, and "
                "take layout: wespeaker, options: {list: shard.list}"
            )


def _kind(ending: str) -> str:
    return ending.rpartition(".")[2]


def _words(tar: int, entry: TarEntry) -> str:
    """A small member as text. Raises UnreadableSampleError."""
    if entry.size > MOST_BYTES:
        raise UnreadableSampleError(
            entry.name, f"it has {entry.size:,} bytes, and a text, a label or fields {MOST_BYTES:,} at most"
        )
    try:
        return decoded(os.pread(tar, entry.size, entry.offset)).strip()
    except UnicodeDecodeError as error:
        raise UnreadableSampleError(entry.name, f"not a text in UTF-8 ({error.reason}): save it so") from error


def _fields(words: str, member: str) -> dict[str, Any]:
    try:
        said = json.loads(words)
    except (ValueError, RecursionError) as error:
        raise UnreadableSampleError(member, f"its json is broken ({error}): correct it") from error
    if not isinstance(said, dict):
        raise UnreadableSampleError(member, f"expected an object of json, found {words!r:.60}: give fields their names")
    return said


def _cell(value: Any, column: str, member: str) -> str | None:
    """A field as text; None where it is null or blank."""
    if isinstance(value, list | dict):
        raise UnreadableSampleError(
            member, f"expected one text or number as {column}, found {json.dumps(value)!r:.60}: write one value"
        )
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return None if value is None else str(value).strip() or None
