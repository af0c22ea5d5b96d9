"""A text model from anybody: nothing in its folder runs, nothing opens an address, what is damaged is named."""

import json
import pickle
import random
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from cross_modal_kd.modalities.text.encoder import embed_texts, model_folder, weights_fingerprint
from cross_modal_kd.modalities.text.folder import checked_copy
from cross_modal_kd.models.errors import MissingModelError, ModelError
from text_models import change, of, write_text_model

pytestmark = pytest.mark.usefixtures("no_network")

TEXTS = ["a red cat", "blue dogs", "house", "a a a a a a a a a a a a a a a a"]


@pytest.fixture
def folder(tmp_path):
    return write_text_model(tmp_path / "model")


class Touch:
    """A pickle that makes a file when it is read."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self):
        return Path.touch, (self.file,)


def test_it_embeds_as_the_library_does(folder):
    from sentence_transformers import SentenceTransformer

    found = embed_texts(str(folder), TEXTS)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    expected = SentenceTransformer(str(folder), local_files_only=True, device="cpu").encode(
        TEXTS, normalize_embeddings=True
    )
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.slow
def test_a_model_that_this_version_of_the_library_saved_is_read(folder, tmp_path):
    from sentence_transformers import SentenceTransformer

    SentenceTransformer(str(folder), local_files_only=True, device="cpu").save(str(tmp_path / "saved"))
    np.testing.assert_allclose(embed_texts(str(tmp_path / "saved"), TEXTS), embed_texts(str(folder), TEXTS), atol=1e-6)


def test_the_packaged_model_passes_its_lists():
    with checked_copy(model_folder("all-MiniLM-L6-v2")) as copy:
        names = {file.relative_to(copy).as_posix() for file in copy.rglob("*") if file.is_file()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "1_Pooling/config.json"} <= names
    assert not [name for name in names if name.endswith((".py", ".bin", ".md"))]


def test_the_library_sees_no_code_and_no_pickle_of_the_folder(folder, tmp_path):
    ran = tmp_path / "ran"
    expected = embed_texts(str(folder), TEXTS)
    code = f"import pathlib; pathlib.Path({str(ran)!r}).touch()\n"
    for name in ("modeling_evil.py", "__init__.py", "tokenization_evil.py", "1_Pooling/pooling.py", "sitecustomize.py"):
        (folder / name).write_text(code)
    for name in ("pytorch_model.bin", "training_args.bin", "optimizer.pt"):
        (folder / name).write_bytes(pickle.dumps(Touch(ran)))
    (folder / "processor_config.json").write_text(json.dumps({"auto_map": {"AutoProcessor": "modeling_evil.Evil"}}))
    (folder / "preprocessor_config.json").write_text(json.dumps({"auto_map": {"AutoProcessor": "x--modeling.Evil"}}))
    (folder / "generation_config.json").write_text(json.dumps({"custom_generate": "modeling_evil.py"}))
    np.testing.assert_array_equal(embed_texts(str(folder), TEXTS), expected)
    assert not ran.exists()


EVIL = [
    ("modules.json", lambda file: _module(file, type="modeling_evil.Evil"), "names the class 'modeling_evil.Evil'"),
    ("modules.json", lambda file: _module(file, type="os.system"), "names the class 'os.system'"),
    ("modules.json", lambda file: _module(file, type=of("WordEmbeddings")), "not loaded here"),
    ("modules.json", lambda file: _module(file, type="sentence_transformers.util.import_from_string"), "not loaded"),
    ("modules.json", lambda file: _module(file, type="sentence_transformers.__main__.Evil"), "not loaded here"),
    ("modules.json", lambda file: _module(file, type=["a"]), "not loaded here"),
    ("modules.json", lambda file: _module(file, path="../.."), "path"),
    ("modules.json", lambda file: _module(file, path="/etc"), "path"),
    ("modules.json", lambda file: _module(file, kwargs=["x"]), "kwargs"),
    ("modules.json", lambda file: file.write_text("[]"), "at least 1 item"),
    ("modules.json", lambda file: file.write_text("{}"), "valid list"),
    ("modules.json", lambda file: file.write_text("[" * 100_000), "nested too deeply"),
    ("config.json", lambda file: change(file, auto_map={"AutoModel": "modeling_evil.Evil"}), "'auto_map' is not on"),
    ("config.json", lambda file: change(file, auto_map={"AutoModel": "x/y--evil.Evil"}), "'auto_map' is not on"),
    ("config.json", lambda file: change(file, attn_implementation="x/kernel"), "'attn_implementation' is not on"),
    ("config.json", lambda file: change(file, _attn_implementation="x/kernel"), "'_attn_implementation' is not on"),
    ("config.json", lambda file: change(file, quantization_config={"quant_method": "x"}), "'quantization_config'"),
    ("config.json", lambda file: change(file, trust_remote_code=True), "'trust_remote_code' is not on"),
    ("config.json", lambda file: change(file, model_type="evil"), "model_type: Input should be 'bert'"),
    ("config.json", lambda file: change(file, hidden_act="os.system"), "hidden_act: Input should be 'gelu'"),
    ("config.json", lambda file: change(file, hidden_size=2**40), "hidden_size: Input should be less than"),
    ("config.json", lambda file: change(file, hidden_size="8"), "hidden_size: Input should be a valid integer"),
    ("config.json", lambda file: change(file, num_hidden_layers=10**6), "num_hidden_layers: Input should be less"),
    ("config.json", lambda file: change(file, layer_norm_eps=None), "layer_norm_eps: Input should be a valid number"),
    ("config.json", lambda file: file.write_text('{"layer_norm_eps": NaN}'), "NaN is no number of JSON"),
    ("config.json", lambda file: change(file, "model_type"), "an object with model_type"),
    ("config.json", lambda file: file.write_bytes(b"\xff\xfe{"), "is not JSON"),
    ("tokenizer_config.json", lambda file: change(file, auto_map={"AutoTokenizer": ["evil.T", None]}), "'auto_map'"),
    ("tokenizer_config.json", lambda file: change(file, tokenizer_class="EvilTokenizer"), "tokenizer_class"),
    ("tokenizer_config.json", lambda file: change(file, chat_template="{{ x }}"), "'chat_template' is not on"),
    ("tokenizer_config.json", lambda file: change(file, unk_token={"evil": 1}), "unk_token"),
    (
        "sentence_bert_config.json",
        lambda file: change(file, model_args={"trust_remote_code": True}),
        "model_args: Dictionary should have at most 0 items",
    ),
    ("sentence_bert_config.json", lambda file: change(file, tokenizer_name_or_path="x/y"), "'tokenizer_name_or_path'"),
    ("sentence_bert_config.json", lambda file: change(file, max_seq_length=-1), "max_seq_length"),
    ("1_Pooling/config.json", lambda file: change(file, pooling_mode="evil"), "pooling_mode"),
    ("1_Pooling/config.json", lambda file: change(file, evil=1), "'evil' is not on the list"),
    ("1_Pooling/config.json", lambda file: file.unlink(), "is missing"),
    ("config_sentence_transformers.json", lambda file: change(file, prompts=["x"]), "prompts"),
    ("model.safetensors", lambda file: file.unlink(), "is missing; restore the model .its weights must be safe"),
    ("model.safetensors", lambda file: file.write_bytes(file.read_bytes()[:-200]), "not a safetensors file"),
    ("model.safetensors", lambda file: file.write_bytes(b""), "not a safetensors file"),
    ("adapter_config.json", lambda file: file.write_text('{"base_model_name_or_path": "x/y"}'), "with an adapter"),
    ("tokenizer.json", lambda file: file.unlink(), "a vocabulary is missing"),
]  # fmt: skip


def _module(file: Path, **set_to) -> None:
    modules = json.loads(file.read_text())
    modules[1] |= set_to
    file.write_text(json.dumps(modules))


@pytest.mark.parametrize(("name", "spoil", "message"), EVIL)
def test_what_a_model_may_not_say_is_refused_with_the_file_that_says_it(folder, tmp_path, name, spoil, message):
    (folder / "modeling_evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Evil: pass\n")
    spoil(folder / name)
    with pytest.raises(ModelError, match=message) as caught:
        embed_texts(str(folder), TEXTS)
    assert str(folder) in str(caught.value)
    if name != "tokenizer.json":
        assert name in str(caught.value)
    assert not (tmp_path / "ran").exists()


def test_a_dense_part_may_be_of_a_known_activation_alone(folder):
    import torch

    modules = json.loads((folder / "modules.json").read_text())
    modules.insert(2, {"idx": 2, "name": "2", "path": "2_Dense", "type": of("Dense")})
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "2_Dense").mkdir()
    known = {"in_features": 8, "out_features": 3, "bias": True}
    dense = folder / "2_Dense" / "config.json"
    dense.write_text(json.dumps({**known, "activation_function": "torch.nn.modules.activation.Tanh"}))
    save_file({"linear.weight": torch.randn(3, 8), "linear.bias": torch.zeros(3)}, folder / "2_Dense/model.safetensors")
    assert embed_texts(str(folder), TEXTS).shape == (4, 3)
    for activation in ("torch.utils.collect_env.main", "os.system", "torch.load", "modeling_evil.Evil"):
        change(dense, activation_function=activation)
        with pytest.raises(ModelError, match="activation_function: Input should be 'torch.nn.modules.activation.Tanh'"):
            embed_texts(str(folder), TEXTS)


@pytest.mark.parametrize("name", ["encoder.layer.0.output.dense.weight", "embeddings.word_embeddings.weight"])
@pytest.mark.parametrize("how", ["missing", "shape", "nan"])
def test_weights_that_are_not_the_configurations_are_refused_and_not_made_up(folder, name, how):
    tensors = load_file(folder / "model.safetensors")
    if how == "missing":
        del tensors[name]
    elif how == "shape":
        tensors[name] = tensors[name][:-1].contiguous()
    else:
        tensors[name][:] = float("nan")
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    expected = {"nan": "not finite numbers"}.get(how, f"the tensor '{name}' must have shape")
    with pytest.raises(ModelError, match=expected) as caught:
        embed_texts(str(folder), TEXTS)
    assert str(folder) in str(caught.value)


def test_a_vocabulary_of_another_model_is_named_and_no_crash(folder):
    content = json.loads((folder / "tokenizer.json").read_text())
    content["model"]["vocab"]["cat"] = 5000
    (folder / "tokenizer.json").write_text(json.dumps(content))
    with pytest.raises(ModelError, match="the text model cannot be used") as caught:
        embed_texts(str(folder), TEXTS)
    assert str(folder) in str(caught.value)


def test_a_name_that_is_an_address_or_no_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("hf-hub:x/y", "sentence-transformers/x", "http://127.0.0.1:9/x", "", "\0", "x" * 5000):
        with pytest.raises(ValueError, match="is neither a folder with a sentence-transformers model nor one of"):
            embed_texts(name, TEXTS)
    with pytest.raises(MissingModelError, match=r"modules\.json is missing"):
        weights_fingerprint(tmp_path)


@pytest.mark.slow
def test_bytes_that_are_changed_anywhere_end_in_one_error_that_names_the_folder(folder):
    """Of every file; a change that leaves a valid model is none of it."""
    rng, files = random.Random(0), sorted(file for file in folder.rglob("*") if file.is_file())
    ended = {"embedded": 0, "refused": 0}
    for file in files:
        whole = file.read_bytes()
        for _ in range(15):
            spoilt = bytearray(whole)
            place = rng.randrange(min(len(spoilt), 2000))
            what = rng.randrange(3)
            if what == 0:
                spoilt[place] = rng.randrange(256)
            elif what == 1:
                del spoilt[place : place + rng.randrange(1, 40)]
            else:
                del spoilt[place:]
            file.write_bytes(bytes(spoilt))
            try:
                embed_texts(str(folder), TEXTS)
                ended["embedded"] += 1
            except ModelError as error:
                assert str(folder) in str(error)
                ended["refused"] += 1
        file.write_bytes(whole)
    assert ended["refused"] > 50
