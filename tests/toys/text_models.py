"""A sentence-transformers model of a few numbers, in a folder."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "red", "blue", "cat", "dog", "house", "##s"]
TOKENIZER = {
    "version": "1.0",
    "added_tokens": [],
    "normalizer": {
        "type": "BertNormalizer",
        "clean_text": True,
        "handle_chinese_chars": True,
        "strip_accents": None,
        "lowercase": True,
    },
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
    "model": {
        "type": "WordPiece",
        "unk_token": "[UNK]",
        "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100,
        "vocab": {word: place for place, word in enumerate(WORDS)},
    },
}
CONFIG = {
    "_name_or_path": "somebody/else",
    "architectures": ["BertModel"],
    "model_type": "bert",
    "vocab_size": len(WORDS),
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 16,
    "type_vocab_size": 2,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
    "pad_token_id": 0,
}


def write_text_model(folder: Path) -> Path:
    """Transformer, mean pooling, normalisation; seeded weights."""
    from transformers import BertConfig, BertModel

    (folder / "1_Pooling").mkdir(parents=True)
    torch.manual_seed(0)
    network = BertModel(BertConfig(**{key: value for key, value in CONFIG.items() if not key.startswith("_")}))
    save_file(network.state_dict(), folder / "model.safetensors", metadata={"format": "pt"})
    names = ("Transformer", "Pooling", "Normalize")
    modules = [
        {"idx": place, "name": str(place), "path": "" if not place else f"{place}_{name}", "type": of(name)}
        for place, name in enumerate(names)
    ]
    files = {
        "modules.json": modules,
        "config.json": CONFIG,
        "tokenizer.json": TOKENIZER,
        "1_Pooling/config.json": {"word_embedding_dimension": 8, "pooling_mode_mean_tokens": True},
        "sentence_bert_config.json": {"max_seq_length": 12, "do_lower_case": False},
        "tokenizer_config.json": {"tokenizer_class": "BertTokenizer", "model_max_length": 12, "do_lower_case": True},
        "config_sentence_transformers.json": {"__version__": {"sentence_transformers": "2.0.0"}},
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))
    return folder


def of(name: str) -> str:
    """A class of the library as modules.json names it."""
    return f"sentence_transformers.models.{name}"


def change(file: Path, *taken: str, **set_to) -> None:
    """Some keys of a JSON object set, some taken away."""
    content = json.loads(file.read_text()) | set_to
    file.write_text(json.dumps({key: value for key, value in content.items() if key not in taken}))
