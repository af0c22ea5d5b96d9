"""A folder with a sentence-transformers model, of which the library sees only what has been checked.

Such a folder names Python classes, files and addresses in many of its files. Here each file passes a list: the
configurations hold the keys below, of their types and ranges, and are written anew; the weights are safetensors; other
files (code, pickles, adapters, processors) are left out, or refused where the model would be another without them.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from cross_modal_kd.config import first_errors
from cross_modal_kd.modalities.text import lists
from cross_modal_kd.models import MissingModelError, ModelError
from cross_modal_kd.storage import parse_json, require_readable

MODULES, CONFIG, WEIGHTS = "modules.json", "config.json", "model.safetensors"
ADAPTER = "adapter_config.json"  # with it, and another package, the library would load another model
VOCABULARIES = (
    "tokenizer.json", "vocab.txt", "vocab.json", "merges.txt", "unigram.json",
    "sentencepiece.bpe.model", "spiece.model",
)  # fmt: skip
LENGTHS = tuple(
    f"sentence_{kind}_config.json"
    for kind in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
)


@contextmanager
def checked_copy(folder: Path) -> Iterator[Path]:
    """A folder for the time of loading: the checked configurations, written anew, and links to the data files.

    Args:
        folder: With a sentence-transformers model.

    Yields:
        The folder that the library may read.

    Raises:
        ModelError: A file is damaged, holds what is not on its list, or the model has parts that are not known here.
    """
    require_model(folder)
    texts, data = _texts(folder)
    with tempfile.TemporaryDirectory(prefix="text-model-") as made:
        for name, content in texts.items():
            file = Path(made) / name
            file.parent.mkdir(exist_ok=True)
            file.write_text(json.dumps(content), encoding="utf-8")
        for name in data:
            _link(folder / name, Path(made) / name)
        yield Path(made)


def require_model(folder: Path) -> None:
    """Make sure that a folder is one with a sentence-transformers model, before its files are read.

    Args:
        folder: That may hold one.

    Raises:
        MissingModelError: It has no list of modules.
    """
    if not (folder / MODULES).is_file():
        raise MissingModelError(
            f"{folder / MODULES} is missing: the folder holds no sentence-transformers model; correct the name of the "
            "encoder, or put the model there"
        )


def _texts(folder: Path) -> tuple[dict[str, Any], list[str]]:
    """By name, the configurations that the library may read; the names of the data files beside them."""
    parts = _parts(folder)
    texts: dict[str, Any] = {
        MODULES: [{**part, "type": f"sentence_transformers.models.{part['type']}"} for part in parts]
    }
    prompts = _optional(folder, "config_sentence_transformers.json", lists.PROMPTS, {"__version__"})
    texts["config_sentence_transformers.json"] = {"__version__": {}, **prompts}
    data: list[str] = []
    for part in parts:
        prefix = f"{part['path']}/" if part["path"] else ""
        if part["type"] == "Transformer":
            own, beside = _transformer(folder, prefix)
            texts |= own
            data += beside
        else:
            read = _optional if part["type"] == "Normalize" else _required
            texts[f"{prefix}{CONFIG}"] = read(folder, f"{prefix}{CONFIG}", lists.AFTER[part["type"]])
            data += [f"{prefix}{WEIGHTS}"] * (part["type"] == "Dense")
    for name in data:
        _require_file(folder / name)
    return texts, data


def _parts(folder: Path) -> list[dict[str, Any]]:
    """What modules.json names, each with its ``type`` as in ``lists.PARTS``; the first reads texts."""
    file = folder / MODULES
    found = _adapted(_read(file), lists.Parts, str(file))
    parts: list[dict[str, Any]] = []
    for part in found:
        path = _adapted(part["path"], lists.Subfolder, f"{file}: path")
        if not isinstance(part["type"], str) or part["type"] not in lists.PARTS:
            raise ModelError(
                f"{file}: it names the class {str(part['type'])[:80]!r}, which is not loaded here; expected one of: "
                f"{', '.join(sorted(set(lists.PARTS.values())))} of sentence_transformers"
            )
        parts.append({"idx": len(parts), "name": str(len(parts)), "path": path, "type": lists.PARTS[part["type"]]})
    kinds = [part["type"] for part in parts]
    if kinds[0] != "Transformer" or "Transformer" in kinds[1:] or len({part["path"] for part in parts}) < len(parts):
        raise ModelError(f"{file}: the first part, and no other, must be a Transformer, each in a folder of its own")
    return parts


def _transformer(folder: Path, prefix: str) -> tuple[dict[str, Any], list[str]]:
    """Configurations and data files of the network that reads texts, and of its tokenizer."""
    if (folder / prefix / ADAPTER).exists():
        raise ModelError(f"{folder / prefix / ADAPTER}: a model with an adapter is not loaded here; merge it first")
    texts = {
        f"{prefix}{CONFIG}": _required(
            folder, f"{prefix}{CONFIG}", lists.TRANSFORMER, lists.TRANSFORMER_LEFT_OUT, "model_type"
        ),
        f"{prefix}tokenizer_config.json": _optional(
            folder, f"{prefix}tokenizer_config.json", lists.TOKENIZER, lists.TOKENIZER_LEFT_OUT
        ),
    }
    special = f"{prefix}special_tokens_map.json"
    if (folder / special).is_file():
        texts[special] = _required(folder, special, lists.SPECIAL)
    lengths = [name for name in LENGTHS if (folder / prefix / name).is_file()]
    for name in lengths[:1]:
        length = _required(folder, f"{prefix}{name}", lists.LENGTH)
        if length.pop("modality_config", lists.PLAIN_TEXT) != lists.PLAIN_TEXT:
            raise ModelError(
                f"{folder / prefix / name}: modality_config must be {lists.PLAIN_TEXT}: only texts are read"
            )
        known = ("max_seq_length", "do_lower_case")
        texts[f"{prefix}sentence_bert_config.json"] = {key: length[key] for key in known if key in length}
    vocabularies = [f"{prefix}{name}" for name in VOCABULARIES if (folder / prefix / name).is_file()]
    if not vocabularies:
        raise MissingModelError(f"{folder / prefix}: a vocabulary is missing, one of {', '.join(VOCABULARIES)}")
    return texts, [f"{prefix}{WEIGHTS}", *vocabularies]


def _required(
    folder: Path, name: str, known: Mapping[str, Any], left_out: frozenset[str] | set[str] = frozenset(), *keys: str
) -> dict[str, Any]:
    """A configuration whose keys are ``known`` and of their types, without those that are ``left_out``."""
    file = folder / name
    content = _read(file)
    if not isinstance(content, dict) or any(key not in content for key in keys):
        found = f"the keys {sorted(content)[:8]}" if isinstance(content, dict) else type(content).__name__
        raise ModelError(f"{file}: expected an object{' with ' + ', '.join(keys) if keys else ''}, found {found}")
    content = {key: value for key, value in content.items() if key not in left_out}
    if unknown := sorted(set(content) - set(known)):
        raise ModelError(
            f"{file}: {', '.join(map(repr, unknown[:5]))} is not on the list of what a text model may say; where the "
            "model does not need it, take it out"
        )
    return {key: _adapted(value, known[key], f"{file}: {key}") for key, value in content.items()}


def _optional(
    folder: Path, name: str, known: Mapping[str, Any], left_out: frozenset[str] | set[str] = frozenset()
) -> dict[str, Any]:
    """The same of a file that need not be there: then nothing."""
    return _required(folder, name, known, left_out) if (folder / name).is_file() else {}


def _read(file: Path) -> Any:
    _require_file(file)
    try:
        return parse_json(file)
    except ValueError as error:
        raise ModelError(f"{error}; restore the model") from error


def _require_file(file: Path) -> None:
    require_readable(file)
    if not file.is_file():
        raise MissingModelError(f"{file} is missing; restore the model (its weights must be safetensors)")


def _adapted(value: Any, kind: Any, where: str) -> Any:
    try:
        return TypeAdapter(kind).validate_python(value, strict=True)
    except ValidationError as error:
        raise ModelError(f"{where}: {first_errors(error, 1)}") from error


def _link(file: Path, new: Path) -> None:
    new.parent.mkdir(exist_ok=True)
    try:
        new.symlink_to(file.resolve())
    except OSError:  # a system on which not everybody may make links
        shutil.copyfile(file, new)
