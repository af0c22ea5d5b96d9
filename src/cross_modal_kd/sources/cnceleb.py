"""CN-Celeb1 and CN-Celeb2 (Fan et al., 2020; Li et al., 2022), as OpenSLR's archives are unpacked."""

import logging
from pathlib import Path, PurePosixPath
from typing import Any, Literal, NamedTuple

import pandas as pd

from cross_modal_kd.config import Strict
from cross_modal_kd.modalities import modality_of_ending
from cross_modal_kd.samples import CONDITION, Roots, SamplesError, first_few
from cross_modal_kd.sources.files import list_files
from cross_modal_kd.sources.listing import Listing, as_rejected, listing
from cross_modal_kd.sources.published import COUNTS, check_counts
from cross_modal_kd.storage import text_in

logger = logging.getLogger(__name__)

DEV, ENROL_MAP, TEST_LIST, SPEAKERS = "dev/dev.lst", "eval/lists/enroll.map", "eval/lists/test.lst", "spk.lst"
TREE = f"CN-Celeb_flac/ with {DEV}, data/, eval/, and CN-Celeb2_flac/ with {SPEAKERS}, data/ beside it (or one of them)"
PREFIX = "cnc2-"
# genres have _ in them, never -; what WeSpeaker has joined ends in -combine3
UTTERANCE = r"^(?P<genre>[^-]+)-(?P<session>[^-]+)-(?P<utterance>[^-\s()]+(?:-combine[0-9]+)?)$"
ARCHIVES = ("*.tar.gz*", "*.tgz*")


class CNCelebOptions(Strict):
    """How the set is read.

    domain: what the impostor trials of one source share, and what quality is ranked in: the ``genre`` (singing, vlog)
    or the ``session`` (genre and session of the speaker).
    enrolment: which of the two published protocols the test split is for, as both name one model differently. ``avg``:
    the utterances of eval/lists/enroll.map, whose embeddings are averaged (``score_trials.models: enroll.map``);
    ``concat``: eval/enroll, in which these utterances are joined into one file (``score_trials.models: enroll.lst``).
    """

    domain: Literal["genre", "session"] = "genre"
    enrolment: Literal["avg", "concat"] = "avg"


class _Base(NamedTuple):
    """A folder of the set, and what stands before its paths."""

    folder: Path
    prefix: str


def read_cnceleb(name: str, roots: Roots, options: dict[str, Any]) -> Listing:
    """Speech rows (label: the speaker; group: the utterance; domain: of the name of the file).

    Training: the speakers of dev.lst, and all of CN-Celeb2 under ``cnc2-`` (its ids are VoxCeleb1's ids of other
    people). Test: eval/test and the utterances of enrolment. Lists say .wav and files are .flac: endings do not count.

    Args:
        name: of the source, in the block ``sources``.
        roots: the folders of the sources; this one's is the folder of one set, or that of both.
        options: the fields of ``CNCelebOptions``.

    Returns:
        The rows; and what is not used, such as the test speakers' other utterances in data/.

    Raises:
        SamplesError: neither set is there, a list is missing or wrong, or a speaker of dev.lst is tested.
        ValueError: an unknown or wrong option.
    """
    chosen = CNCelebOptions.model_validate(options)
    first, second = _bases(name, roots.root(name))
    parts = [] if first is None else [_first(name, first, chosen)]
    parts += [] if second is None else [_second(name, second)]
    rows = pd.concat([part.rows for part in parts], ignore_index=True)
    if rows.empty:
        raise SamplesError(f"sources.{name}.root: no sound of a speaker that is to be used; expected {TREE}")
    named = rows["utterance"].str.extract(UTTERANCE)
    odd = named["genre"].isna() & (rows["kind"] != "enroll")
    reason = "its name is not <genre>-<session>-<utterance>"
    rejected = [part.rejected for part in parts]
    rejected.append(rows.loc[odd, ["path"]].assign(source=name, reason=reason))
    session = rows["label"] + "/" + named["genre"] + "-" + named["session"]
    rows["domain"] = named["genre"] if chosen.domain == "genre" else session
    rows[f"{CONDITION}genre"], rows[f"{CONDITION}session"] = named["genre"], session
    rows = rows[~odd].assign(modality="speech", source=name)
    counts = pd.concat([part.counts for part in parts], ignore_index=True)
    return listing(rows, pd.concat(rejected, ignore_index=True), counts)


def _bases(name: str, root: Path) -> tuple[_Base | None, _Base | None]:
    """CN-Celeb1 and CN-Celeb2, by the lists that lie in them."""
    folders = [root, *sorted(each for each in root.iterdir() if each.is_dir())]
    bases = [_Base(folder, "" if folder == root else f"{folder.name}/") for folder in folders]
    found = {list_: [base for base in bases if (base.folder / list_).is_file()] for list_ in (DEV, SPEAKERS)}
    for list_, several in found.items():
        if len(several) > 1:
            raise SamplesError(
                f"sources.{name}.root: expected one {list_}, found it in "
                f"{first_few(base.folder for base in several)}; give the folder of one"
            )
    if not any(found.values()):
        packed = sorted(each.name for pattern in ARCHIVES for each in root.glob(pattern))
        unpack = f", but {first_few(packed)}: join the parts (cat cn-celeb2_v2.tar.gza* > cn-celeb2_v2.tar.gz), unpack"
        raise SamplesError(
            f"sources.{name}.root: expected {TREE}; found neither list under {root}{unpack if packed else ''}"
        )
    first, second = (bases[0] if bases else None for bases in found.values())
    return first, second


def _first(name: str, base: _Base, chosen: CNCelebOptions) -> Listing:
    """CN-Celeb1: training by dev.lst, test by the lists of eval."""
    dev = set(_first_words(base.folder / DEV))
    models = _models(base.folder / ENROL_MAP)
    tested = {_plain(line).removeprefix("./").removeprefix("eval/") for line in _first_words(base.folder / TEST_LIST)}
    testers = {PurePosixPath(path).name.partition("-")[0] for path in tested}
    testers |= {utterance.partition("/")[0] for utterances in models.values() for utterance in utterances}
    if both := dev & testers:
        raise SamplesError(
            f"{base.folder / DEV}: {len(both)} of its speakers are tested in eval ({first_few(both)}): whoever is "
            "trained on must not be tested; restore the published list"
        )
    files, rejected = _sounds(name, base)
    enrolled = {utterance for utterances in models.values() for utterance in utterances}
    wanted = (
        {f"data/{each}" for each in enrolled} if chosen.enrolment == "avg" else {f"enroll/{each}" for each in models}
    )
    part = files["folder"]
    is_test = (part == "test") & files["plain"].isin({f"eval/{path}" for path in tested})
    if not is_test.any():
        raise SamplesError(
            f"{base.folder / 'eval/test'}: none of the {len(tested)} files of test.lst is there "
            f"({first_few(tested, 1)}); unpack the archive again"
        )
    is_enrolment = files["plain"].str.removeprefix("eval/").isin(wanted)
    is_train = (part == "data") & files["label"].isin(dev)
    used = is_train | is_test | is_enrolment
    rejected += [
        {"source": name, "path": path, "reason": _unused(folder, speaker, testers, chosen)}
        for path, folder, speaker in files.loc[~used, ["path", "folder", "label"]].itertuples(index=False)
    ]
    rows = files[used].assign(split=is_train.map({True: "train", False: "test"}))
    _say_missing(name, base, tested, set(files.loc[is_test, "plain"].str.removeprefix("eval/")), "test.lst")
    there = set(files.loc[is_enrolment, "plain"].str.removeprefix("eval/"))
    _say_missing(name, base, wanted, there, f"enrolment ({chosen.enrolment})")
    _say_missing(name, base, dev, set(files.loc[is_train, "label"]), "dev.lst")
    found = {
        "speakers of dev.lst": len(dev),
        "utterances of dev.lst's speakers": int(is_train.sum()),
        "speakers of eval": len(testers),
        "enrolment models": len(models),
        "test files": len(tested),
    }
    counts = pd.DataFrame([*check_counts(name, "CN-Celeb1", found), *_by_genre(name, files)])
    rows["sample_id"] = f"{name}/" + rows["plain"].str.removeprefix("eval/").str.removeprefix("data/")
    return Listing(rows.assign(kind=rows["folder"]), pd.DataFrame(rejected), counts)


def _by_genre(name: str, files: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of ``Listing.counts`` by genre, of a folder with as many files as were published: else all would differ."""
    rows = []
    for folder, published in (("data", "CN-Celeb1, data/ by genre"), ("test", "CN-Celeb1, eval/test by genre")):
        official, there = COUNTS[published], files.loc[files["folder"] == folder, "utterance"]
        if len(there) == sum(official.values()):
            found = there.str.extract(UTTERANCE)["genre"].value_counts()
            rows += check_counts(name, published, {genre: int(found.get(genre, 0)) for genre in official})
    return rows


def _second(name: str, base: _Base) -> Listing:
    """CN-Celeb2, all of which is for training."""
    listed = set(_first_words(base.folder / SPEAKERS))
    files, rejected = _sounds(name, base)
    used = (files["folder"] == "data") & files["label"].isin(listed)
    reason = f"its speaker is not in {SPEAKERS}"
    rejected += [{"source": name, "path": path, "reason": reason} for path in files.loc[~used, "path"]]
    _say_missing(name, base, listed, set(files.loc[used, "label"]), SPEAKERS)
    counts = pd.DataFrame(check_counts(name, "CN-Celeb2", {"speakers": len(listed)}))
    rows = files[used].assign(split="train", kind="data")
    rows["label"] = PREFIX + rows["label"]
    rows["group"] = PREFIX + rows["group"]
    return Listing(rows.assign(sample_id=f"{name}/" + rows["group"]), pd.DataFrame(rejected), counts)


def _sounds(name: str, base: _Base) -> tuple[pd.DataFrame, list[dict[str, str]]]:
    """path, plain (below the set's folder, without ending), folder (data, enroll, test), label, utterance and group."""
    found = list_files(base.folder)
    rejected = as_rejected(name, {base.prefix + path: why for path, why in found.passed_over.items()})
    path = pd.Series([each for each in found.paths if not each.endswith((".lst", ".map", ".txt", ".md"))], dtype="str")
    parts = path.str.extract(r"^(?:eval/)?(?P<folder>data|enroll|test)/(?P<rest>(?:[^/]+/)?[^/]+)(?P<ending>\.[^./]+)$")
    endings = {ending: modality_of_ending(ending) for ending in parts["ending"].dropna().unique()}
    speech = parts["ending"].map(
        {ending: each is not None and each.name == "speech" for ending, each in endings.items()}
    )
    whole = (parts["folder"] == "data") == parts["rest"].str.contains("/", regex=False, na=False)
    good = (speech == True) & whole  # noqa: E712 (null where nothing was found)
    lost = dict.fromkeys(base.prefix + path[~good], "no sound of data/<speaker>/, eval/test/ or eval/enroll/")
    path, parts = path[good], parts[good]
    in_data = parts["folder"] == "data"
    speaker = parts["rest"].str.extract(r"^([^/-]+)[/-]")[0]
    utterance = parts["rest"].str.replace(r"^[^/-]+[/-]", "", regex=True)
    group = parts["rest"].where(in_data, parts["folder"] + "/" + parts["rest"])
    frame = pd.DataFrame(
        {"path": base.prefix + path, "plain": path.map(_plain), "folder": parts["folder"], "label": speaker}
    )
    again = frame["plain"].duplicated()
    first = frame["plain"][again].map(frame[~again].set_index("plain")["path"])
    lost |= dict(zip(frame["path"][again], "the utterance is read from another file: " + first, strict=True))
    frame = frame.assign(utterance=utterance, group=group)[~again]
    return frame.reset_index(drop=True), rejected + as_rejected(name, lost)


def _unused(folder: str, speaker: str, testers: set[str], chosen: CNCelebOptions) -> str:
    if folder == "enroll":
        return f"the protocol {chosen.enrolment} enrols by the utterances of enroll.map"
    if folder == "test":
        return "it is not in test.lst"
    if speaker in testers:
        taken = "those of enroll.map" if chosen.enrolment == "avg" else "none of them"
        return f"the speaker {speaker} is tested, not to be learnt; the protocol {chosen.enrolment} enrols by {taken}"
    return f"the speaker {speaker} is neither in dev.lst nor in eval"


def _models(file: Path) -> dict[str, list[str]]:
    """Utterances of each model, as paths below data/ without an ending."""
    models: dict[str, list[str]] = {}
    for line in _lines(file):
        model, *utterances = line.split()
        if not utterances or model in models:
            raise SamplesError(
                f"{file}: expected 'model utterance utterance ...', each model once, found {line!r:.120}"
            )
        models[model] = [_plain(utterance).removeprefix("data/") for utterance in utterances]
    return models


def _say_missing(name: str, base: _Base, wanted: set[str], there: set[str], what: str) -> None:
    if lacking := wanted - there:
        logger.warning(
            "%s: %d of %d of %s have no file under %s: %s",
            *(name, len(lacking), len(wanted), what, base.folder, first_few(lacking, 3)),
        )


def _plain(path: str) -> str:
    """Without its ending."""
    return path[: path.rindex(".")] if "." in PurePosixPath(path).name else path


def _first_words(file: Path) -> list[str]:
    """Of each line: what copies of the lists have behind it does not count."""
    return [line.split()[0] for line in _lines(file)]


def _lines(file: Path) -> list[str]:
    """Those that are not blank, with the slashes of the published lists."""
    if not file.is_file():
        raise SamplesError(f"{file}: the list is missing, expected {TREE}; unpack the archive again")
    try:
        lines = [line.strip().replace("\\", "/") for line in text_in(file).splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise SamplesError(f"{file}: not a readable text in UTF-8 ({error}); restore the published list") from error
    if not any(lines):
        raise SamplesError(f"{file}: the list is empty; restore the published one")
    return [line for line in lines if line]
