"""Published speech encoders by path: what is loaded embeds as what was saved, and learns as it is told."""

import pickle

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

from cross_modal_kd.compute import make_fabric
from cross_modal_kd.config import ConfigError, EncoderConfig, InputConfig, StudentConfig, TeacherConfig
from cross_modal_kd.losses import LinearClassifier
from cross_modal_kd.modalities.inputs import Inputs
from cross_modal_kd.modalities.speech.published import _yaml
from cross_modal_kd.models import Student, build_pretrained, build_student, create_encoder, described, student_bundle
from cross_modal_kd.training.data import TrainingData
from cross_modal_kd.training.loop import set_up
from cross_modal_kd.training.module import DistillationModule
from cross_modal_kd.training.network import parameters_of
from cross_modal_kd.training.plan import DevMetric, Plan
from cross_modal_kd.training.teacher import pretrained_teacher
from speech_models import (
    BANDS,
    ECAPA,
    RATE,
    speechbrain_embeddings,
    speechbrain_model,
    wave_model,
    wespeaker_ecapa,
    wespeaker_ecapa_embeddings,
    wespeaker_embeddings,
    wespeaker_model,
)
from training_toys import CLASSES, CONFIG, data, norm_metric, objective, train, weights_of

INPUTS = InputConfig(speech={"sample_rate": RATE, "n_mels": BANDS, "crop_s": 0.5, "eval_s": 1.0})
MADE = {"speechbrain": speechbrain_model, "tstp": wespeaker_model, "transformers": wave_model}
NAMES = {"speechbrain": "ECAPA_TDNN", "tstp": "ResNet34", "transformers": "wavlm"}


def sounds(length: int = RATE) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(3, length, generator=generator).clamp(-3, 3) * torch.tensor([[0.003], [0.1], [0.3]])


def loaded(path, library: str, name: str | None = None, **options: object):
    encoder = EncoderConfig(library=library, name=name or NAMES[library], options=options)
    return create_encoder(encoder, INPUTS, str(path))


def embedded(encoder, waves):
    with torch.no_grad():
        return encoder.eval()(waves)


@pytest.mark.parametrize("length", [RATE, RATE // 2 + 333])
@pytest.mark.parametrize("name", ["ECAPA_TDNN", "ResNet"])
def test_speechbrains_models_give_their_own_embeddings(tmp_path, name, length):
    module = speechbrain_model(tmp_path / "spkrec", name)
    found = loaded(tmp_path / "spkrec", "speechbrain", name)
    assert found.training and found.num_features == 12
    expected = speechbrain_embeddings(module, sounds(length))
    torch.testing.assert_close(embedded(found, sounds(length)), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("length", [RATE, RATE // 2 + 333])
def test_wespeakers_resnet_gives_its_own_embeddings(tmp_path, length):
    tensors = wespeaker_model(tmp_path / "resnet34")
    found = loaded(tmp_path / "resnet34", "tstp")
    expected = torch.stack([wespeaker_embeddings(tensors, sound) for sound in sounds(length)])
    torch.testing.assert_close(embedded(found, sounds(length)), expected, rtol=1e-3, atol=1e-3)
    biased = loaded(tmp_path / "resnet34", "tstp")
    biased._unbiased = False  # what would be another network is seen by the comparison
    assert float((embedded(biased, sounds(length)) - expected).abs().max()) > 1e-2


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("wavlm", {}),
        ("wavlm", {"do_stable_layer_norm": True, "feat_extract_norm": "layer"}),
        ("wav2vec2", {}),
        ("hubert", {"conv_bias": True}),
        ("unispeech-sat", {}),
        ("data2vec-audio", {}),
    ],
)
def test_networks_of_raw_waves_give_their_own_frames_pooled(tmp_path, name, more, normalize):
    from transformers import Wav2Vec2FeatureExtractor

    module = wave_model(tmp_path, name, normalize, **more)
    prepared = Wav2Vec2FeatureExtractor.from_pretrained(tmp_path)(
        [sound.numpy() for sound in sounds()], sampling_rate=RATE, return_tensors="pt"
    )["input_values"]
    with torch.no_grad():
        frames = module(prepared).last_hidden_state
    found = embedded(loaded(tmp_path, "transformers", name), sounds())
    torch.testing.assert_close(found, frames.mean(dim=1), rtol=1e-4, atol=1e-5)
    both = embedded(loaded(tmp_path, "transformers", name, pooling="statistics"), sounds())
    expected = torch.cat([frames.mean(dim=1), (frames.var(dim=1, unbiased=False) + 1e-7).sqrt()], dim=1)
    torch.testing.assert_close(both, expected, rtol=1e-4, atol=1e-5)


def test_a_network_below_a_head_by_old_names_in_a_pickle_of_tensors_and_in_half_precision(tmp_path):
    wave_model(tmp_path)
    expected = embedded(loaded(tmp_path, "transformers"), sounds())
    tensors = load_file(tmp_path / "model.safetensors")
    (tmp_path / "model.safetensors").unlink()
    old = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
    renamed = {}
    for name, tensor in tensors.items():
        for new, before in old.items():
            name = name.replace(new, before)
        renamed[f"wavlm.{name}"] = tensor
    torch.save({**renamed, "lm_head.weight": torch.zeros(3, 16)}, tmp_path / "pytorch_model.bin")
    torch.testing.assert_close(embedded(loaded(tmp_path, "transformers"), sounds()), expected)
    half = {name: tensor.half() for name, tensor in renamed.items()}
    torch.save(half, tmp_path / "pytorch_model.bin")
    found = loaded(tmp_path, "transformers")
    assert {parameter.dtype for parameter in found.parameters()} == {torch.float32}
    torch.testing.assert_close(embedded(found, sounds()), expected, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("library", MADE)
def test_a_saved_student_or_teacher_needs_the_path_no_more(tmp_path, library):
    MADE[library](tmp_path / "model")
    encoder = EncoderConfig(library=library, name=NAMES[library])
    path = str(tmp_path / "model")
    whole = described(encoder, INPUTS, path)
    student = Student(whole, INPUTS, 8, pretrained=path)
    bundle = student_bundle(student, LinearClassifier(2, 8), encoder=whole, inputs=INPUTS, dim=8, classes=["a", "b"])
    teacher = pretrained_teacher(TeacherConfig(encoder=encoder, pretrained=path), INPUTS)
    for file in (tmp_path / "model").iterdir():
        file.unlink()
    (tmp_path / "model").rmdir()
    torch.testing.assert_close(embedded(build_student(bundle), sounds()), embedded(student, sounds()))
    found = embedded(build_pretrained(teacher, INPUTS), sounds())
    torch.testing.assert_close(found, embedded(student.encoder, sounds()))


@pytest.mark.parametrize("library", MADE)
def test_the_check_before_a_run_knows_the_network(tmp_path, library):
    MADE[library](tmp_path / "model")
    encoder, path = EncoderConfig(library=library, name=NAMES[library]), str(tmp_path / "model")
    expected = sum(parameter.numel() for parameter in Student(encoder, INPUTS, 8, pretrained=path).parameters())
    assert parameters_of(encoder, INPUTS, 8, "speech", "student", path) == expected
    with pytest.raises(ConfigError, match="student.pretrained: .*nowhere: there is no such folder or file; give the"):
        parameters_of(encoder, INPUTS, 8, "speech", "student", str(tmp_path / "nowhere"))


class Evil:
    """What a pickle could do."""

    def __reduce__(self):
        return (print, ("code of a pickle was run",))


def _pickled(folder):
    with (folder / "embedding_model.ckpt").open("wb") as file:
        pickle.dump(Evil(), file)


def _pickled_in_torchs_form(folder):
    torch.save({"blocks.0.conv.conv.weight": Evil()}, folder / "embedding_model.ckpt")


def _of(change):
    def spoil(folder):
        tensors = torch.load(folder / "embedding_model.ckpt")
        torch.save(change(tensors), folder / "embedding_model.ckpt")

    return spoil


def _said(old, new):
    def spoil(folder):
        file = folder / "hyperparams.yaml"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    return spoil


def _without(key):
    return _of(lambda tensors: {name: tensor for name, tensor in tensors.items() if name != key})


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_pickled, "embedding_model.ckpt: expected tensors by name, found objects that only code could make"),
        (_pickled_in_torchs_form, "embedding_model.ckpt: expected tensors by name, found objects that only code could"),
        (lambda folder: (folder / "embedding_model.ckpt").write_bytes(b"x" * 99), "embedding_model.ckpt: expected"),
        (
            lambda folder: (folder / "embedding_model.ckpt").unlink(),
            "expected a folder with embedding_model.ckpt or avg_model.pt, found h",
        ),
        (
            _of(lambda tensors: {"model": tensors}),
            r"expected tensors by name, found the keys model; save the model's st",
        ),
        (
            _without("fc.conv.bias"),
            "with .*: the tensor 'network.fc.conv.bias' is missing; give the path of one, or co",
        ),
        (
            _of(lambda tensors: {**tensors, "other": torch.zeros(1)}),
            "the tensor 'network.other' belongs to another model",
        ),
        (_said("lin_neurons: 12", "lin_neurons: 13"), r"must have shape \(13, 96, 1\), found \(12, 96, 1\)"),
        (
            _said("ECAPA_TDNN.ECAPA_TDNN", "Xvector.Xvector"),
            r"embedding_model: expected !new:speechbrain.lobes.models.ECA",
        ),
        (
            _said("input_size: !ref <n_mels>\n    c", "input_size: !ref <n_mels> * 2\n    c"),
            "is not the name of a plain",
        ),
        (_said("n_mels: 24", "n_mels: 80"), r"its features have \[80\] bands; set inputs.speech.n_mels to that"),
        (
            _said("std_norm: False\n\nembed", "std_norm: True\n\nembed"),
            "expected the features of SpeechBrain's speaker m",
        ),
        (
            _said("n_mels: !ref <n_mels>", "n_mels: !ref <n_mels>\n    deltas: True"),
            "compute_features {'deltas': True}",
        ),
        (
            _said("lin_neurons: 12", "lin_neurons: 12\n    activation: !name:torch.nn.LeakyReLU"),
            "another activation than",
        ),
        (
            _said("lin_neurons: 12", "lin_neurons: many"),
            "options of 'ECAPA_TDNN' .*lin_neurons: Input should be a valid",
        ),
        (_said("lin_neurons: 12", "wings: 2"), "embedding_model says wings, which is not taken here"),
        (
            _said("# Feature parameters", "sample_rate: 8000"),
            "hears sounds of 8000 Hz, found inputs.speech.sample_rate = 1",
        ),
        (_said("# Feature parameters", "a: [b"), "hyperparams.yaml: it is no YAML"),
    ],
)
def test_what_is_no_such_model_is_said_with_its_file_and_nothing_of_it_is_run(tmp_path, capsys, spoil, said):
    speechbrain_model(tmp_path / "spkrec")
    spoil(tmp_path / "spkrec")
    with pytest.raises(ValueError, match=said) as error:
        loaded(tmp_path / "spkrec", "speechbrain")
    assert str(tmp_path / "spkrec") in str(error.value)
    assert "code of a pickle" not in capsys.readouterr().out


def test_a_description_makes_no_object(tmp_path):
    file = tmp_path / "hyperparams.yaml"
    file.write_text("a: !apply:os.system ['touch evil']\nb: !!python/object/apply:os.system ['touch evil']\n")
    found = _yaml(file)
    assert found["a"].tag == "apply:os.system" and found["b"].value == ["touch evil"]


def test_options_that_are_not_the_models_are_said_and_a_file_alone_needs_them(tmp_path):
    module = speechbrain_model(tmp_path)
    with pytest.raises(ValueError, match=r"lin_neurons = 12, found encoder.options.lin_neurons = 128; take that out"):
        loaded(tmp_path, "speechbrain", lin_neurons=128)
    (tmp_path / "hyperparams.yaml").unlink()
    with pytest.raises(ValueError, match="with these options: the tensor .* must have shape"):
        loaded(tmp_path / "embedding_model.ckpt", "speechbrain")
    found = embedded(loaded(tmp_path / "embedding_model.ckpt", "speechbrain", **ECAPA), sounds())
    torch.testing.assert_close(found, speechbrain_embeddings(module, sounds()), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("length", [RATE, 1000])  # 98 frames, and 4: there L - 1 is much less than L
@pytest.mark.parametrize("context", [True, False])
def test_wespeakers_ecapa_gives_its_own_embeddings(tmp_path, context, length):
    tensors = wespeaker_ecapa(tmp_path, context)
    expected = torch.stack([wespeaker_ecapa_embeddings(tensors, wave) for wave in sounds(length)])
    encoder = loaded(tmp_path, "speechbrain")
    found = embedded(encoder, sounds(length))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert expected.std(dim=0).min() > 1e-3  # not one of them alike
    assert len(encoder.layer_names()) == 8
    (tmp_path / "config.yaml").unlink()
    torch.testing.assert_close(embedded(loaded(tmp_path / "avg_model.pt", "speechbrain"), sounds(length)), found)


def test_wespeakers_ecapa_needs_its_path_no_more_once_saved_and_is_known_before_a_run(tmp_path):
    wespeaker_ecapa(tmp_path / "model")
    encoder, path = EncoderConfig(library="speechbrain", name="ECAPA_TDNN"), str(tmp_path / "model")
    whole = described(encoder, INPUTS, path)
    assert whole.options["form"] == "wespeaker" and whole.options["features"] == "kaldi"
    student = Student(whole, INPUTS, 8, pretrained=path)
    size = sum(parameter.numel() for parameter in student.parameters())
    assert parameters_of(encoder, INPUTS, 8, "speech", "student", path) == size
    bundle = student_bundle(student, LinearClassifier(2, 8), encoder=whole, inputs=INPUTS, dim=8, classes=["a", "b"])
    torch.testing.assert_close(embedded(build_student(bundle), sounds()), embedded(student, sounds()))


def test_what_is_no_ecapa_of_wespeakers_is_said(tmp_path):
    tensors = wespeaker_ecapa(tmp_path)
    config = (tmp_path / "config.yaml").read_text()
    for old, new, said in (
        ("ASTP", "MQMHASTP", "model_args.pooling_func: expected 'ASTP', found 'MQMHASTP'"),
        ("ECAPA_TDNN_GLOB_c512", "CAMPPlus", "model: expected 'ECAPA_TDNN_c512', found 'CAMPPlus'"),
        ("embed_dim: 12", "emb_bn: true", "model_args.emb_bn: expected False, found True"),
        ("feat_dim: 24", "feat_dim: 80", "its features have .* bands; set inputs.speech.n_mels"),
    ):
        (tmp_path / "config.yaml").write_text(config.replace(old, new))
        with pytest.raises(ValueError, match=f"config.yaml: {said}"):
            loaded(tmp_path, "speechbrain")
    (tmp_path / "config.yaml").write_text(config)
    torch.save({**tensors, "bn2.weight": torch.ones(12)}, tmp_path / "avg_model.pt")
    with pytest.raises(
        ValueError, match="expected the tensors of WeSpeaker's ECAPA-TDNN with ASTP .*'bn2' is not as th"
    ):
        loaded(tmp_path, "speechbrain")


def test_wespeakers_other_networks_are_refused(tmp_path):
    wespeaker_model(tmp_path, "ECAPA_TDNN_GLOB_c512")
    with pytest.raises(
        ValueError, match="model: expected 'ResNet34', found 'ECAPA_.*read by encoder.library: speechbrain, name"
    ):
        loaded(tmp_path, "tstp")
    tensors = wespeaker_model(tmp_path)
    with pytest.raises(ValueError, match="config.yaml: model: expected 'ResNet18', found 'ResNet34'"):
        loaded(tmp_path, "tstp", "ResNet18")
    config = yaml.safe_load((tmp_path / "config.yaml").read_text())
    config["model_args"]["two_emb_layer"] = True
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(ValueError, match="model_args.two_emb_layer: expected False, found True"):
        loaded(tmp_path, "tstp")
    (tmp_path / "config.yaml").unlink()
    assert loaded(tmp_path, "tstp").num_features == 12
    with pytest.raises(ValueError, match="the tensor 'stages.0.2.conv1.weight' belongs to another model"):
        loaded(tmp_path, "tstp", "ResNet18")
    torch.save({"layer1.conv.weight": tensors["conv1.weight"]}, tmp_path / "avg_model.pt")
    with pytest.raises(ValueError, match=r"expected the tensors of WeSpeaker's ResNet34 .*found layer1.conv.weight"):
        loaded(tmp_path, "tstp")


def test_folders_of_transformers_that_are_others_are_refused(tmp_path):
    wave_model(tmp_path)
    with pytest.raises(
        ValueError, match="config.json: expected model_type 'hubert', .*found 'wavlm'; correct encoder.na"
    ):
        loaded(tmp_path, "transformers", "hubert")
    tensors = load_file(tmp_path / "model.safetensors")
    save_file(
        {name: tensor for name, tensor in tensors.items() if "encoder.layers.1." not in name},
        tmp_path / "model.safetensors",
    )
    with pytest.raises(
        ValueError, match=r"the tensor 'network.encoder.layers.1.attention.\S+' is missing; give the path"
    ):
        loaded(tmp_path, "transformers")
    save_file(tensors, tmp_path / "model.safetensors")
    (tmp_path / "preprocessor_config.json").write_text('{"sampling_rate": 8000}')
    with pytest.raises(ValueError, match="preprocessor_config.json: the model hears sounds of 8000 Hz"):
        loaded(tmp_path, "transformers")
    (tmp_path / "preprocessor_config.json").unlink()
    with pytest.raises(ValueError, match="preprocessor_config.json is missing"):
        loaded(tmp_path, "transformers")


def test_a_path_is_asked_for_where_it_is_the_only_way_and_refused_where_it_is_none():
    ecapa = {"library": "speechbrain", "name": "ECAPA_TDNN"}
    with pytest.raises(
        ValueError, match="of a speechbrain encoder lie in a folder or file: student.pretrained must be i"
    ):
        StudentConfig(encoder=ecapa, pretrained=True)
    with pytest.raises(
        ValueError, match="timm encoder takes no weights from a path, .*pretrained_cfg_overlay names a file"
    ):
        StudentConfig(encoder={"library": "timm", "name": "resnet18"}, pretrained="/models/x")
    with pytest.raises(
        ValueError, match="torchvision encoder brings no weights of its own: teacher.pretrained must be f"
    ):
        TeacherConfig(encoder={"library": "torchvision", "name": "vgg", "options": {"channels": [8]}}, pretrained=True)
    assert StudentConfig(encoder=ecapa, pretrained="/models/x").pretrained == "/models/x"
    assert "pretrained" not in StudentConfig(encoder=ecapa).model_dump()


class Waves(Inputs):
    def __init__(self, count: int) -> None:
        self.sample_ids = [str(number) for number in range(count)]

    def __getitems__(self, items):
        rows = [torch.randn(RATE // 4, generator=torch.Generator().manual_seed(item.row)) / 10 for item in items]
        return torch.tensor([item.row for item in items]), torch.stack(rows)


def made(path, library: str) -> DistillationModule:
    torch.manual_seed(0)
    encoder = EncoderConfig(library=library, name=NAMES[library])
    student = Student(encoder, INPUTS, 8, pretrained=str(path))
    return DistillationModule(student, LinearClassifier(CLASSES, 8), objective(), None)


def waves() -> TrainingData:
    plain = data(teacher=False)
    return TrainingData(Waves(len(plain.labels)), plain.labels, plain.task_weights, plain.kd_weights)


FIRST = {
    "speechbrain": [{"network.blocks.0.conv.conv.weight"}, {"network.blocks.1.tdnn1.conv.conv.weight"}],
    "tstp": [{"stem.0.weight", "stem.1.weight", "stem.1.bias"}, {"stages.0.0.conv1.weight", "stages.0.2.bn2.bias"}],
    "transformers": [
        {"network.feature_extractor.conv_layers.0.conv.weight", "network.feature_extractor.conv_layers.2.conv.weight"},
        {"network.feature_projection.projection.weight", "network.encoder.layer_norm.bias"},
        {"network.encoder.layers.0.attention.k_proj.weight"},
    ],
}
COUNTS = {"speechbrain": 8, "tstp": 6, "transformers": 4}


@pytest.mark.parametrize("library", MADE)
def test_layers_learn_at_their_own_rates_and_the_first_stay_frozen(tmp_path, library):
    MADE[library](tmp_path / "model")
    module = made(tmp_path / "model", library)
    layers = module.student.encoder.layer_names()
    assert len(layers) == COUNTS[library]
    assert all(names <= set(layer) for names, layer in zip(FIRST[library], layers, strict=False))
    assert sorted(sum(layers, [])) == sorted(name for name, _ in module.student.encoder.named_parameters())
    config = CONFIG.model_copy(update={"layer_decay": 0.5, "schedule": "exponential", "lr": 0.1, "final_lr": 0.1})
    running = set_up(module, waves(), Plan(config, norm_metric()), make_fabric(config))
    names = {id(parameter): name for name, parameter in running.module.named_parameters()}
    rates = {
        names[id(parameter)]: group["lr"] for group in running.optimizer.param_groups for parameter in group["params"]
    }
    for number, layer in enumerate(layers):
        for name in layer:
            assert rates[f"student.encoder.{name}"] == pytest.approx(0.1 * 0.5 ** (len(layers) - number))
    module = made(tmp_path / "model", library)
    before = weights_of(module)
    constant = DevMetric("score", lambda student: 0.5, True)
    short = {"frozen": 2, "keep": "last", "epochs": 1}
    train(module, waves(), CONFIG.model_copy(update=short), constant)
    after, kept = weights_of(module), {f"student.encoder.{name}" for layer in layers[:2] for name in layer}
    same = {name for name, _ in module.named_parameters() if torch.equal(before[name], after[name])}
    assert kept <= same and not {f"student.encoder.{name}" for name in layers[-1]} & same


def test_masks_of_mel_features_are_refused_where_there_are_none(tmp_path):
    from cross_modal_kd.modalities.speech.config import SpeechAugmentation

    wave_model(tmp_path)
    encoder = loaded(tmp_path, "transformers")
    encoder.augment_features(SpeechAugmentation())
    with pytest.raises(ValueError, match="spec_augment masks mel features, and an encoder of transformers"):
        encoder.augment_features(SpeechAugmentation(spec_augment={}))
    with pytest.raises(ValueError, match="the encoder hears the wave itself"):
        encoder.augment_features(SpeechAugmentation(dither=1.0))
