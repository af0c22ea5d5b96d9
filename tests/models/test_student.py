"""The student, and its way to disk and back."""

import pytest
import torch

from cross_modal_kd.config.encoder import EncoderConfig, InputConfig
from cross_modal_kd.config.projection import ProjectionConfig
from cross_modal_kd.losses import LinearClassifier
from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.models.projection import Projection, build_projection, projection_bundle
from cross_modal_kd.models.student import Student, build_student, classifier_logits, own_projection, student_bundle

ENCODER = EncoderConfig(library="timm", name="test_resnet")
INPUTS = InputConfig(image={"size": 16})


def bundle(projection: ModelBundle | None = None) -> tuple[Student, LinearClassifier, ModelBundle]:
    torch.manual_seed(0)
    student, classifier = Student(ENCODER, INPUTS, 6, dropout=0.3).eval(), LinearClassifier(4, 6)
    with torch.no_grad():
        student.embedding[2].running_mean += 1  # a buffer that is not at its start
    made = student_bundle(
        student, classifier, encoder=ENCODER, inputs=INPUTS, dim=6, classes=list("abcd"), projection=projection
    )
    return student, classifier, made


def test_a_student_comes_back_from_its_bundle_as_it_was():
    student, classifier, made = bundle()
    images = torch.randint(0, 256, (5, 3, 16, 16), dtype=torch.uint8)
    built = build_student(made)
    assert not built.training
    with torch.no_grad():
        assert torch.equal(built(images), student(images))
        embeddings = built(images)
        torch.testing.assert_close(classifier_logits(made, embeddings), classifier.logits(embeddings))


def test_a_projection_that_was_trained_with_the_student_is_kept_with_it():
    moved = projection_bundle(Projection(5, 4, ProjectionConfig(dim=6)), 5, list("abcd"))
    student, _, made = bundle(moved)
    kept = own_projection(made)
    assert kept.config == moved.config
    assert all(torch.equal(kept.tensors[name], value) for name, value in moved.tensors.items())
    build_projection(kept)
    assert build_student(made).state_dict().keys() == student.state_dict().keys()
    assert own_projection(bundle()[2]) is None


def test_another_kind_of_model_is_refused():
    with pytest.raises(ValueError, match="expected a model of kind 'student', found 'projection'"):
        build_student(ModelBundle("projection", {}))
    with pytest.raises(ValueError, match="expected a model of kind 'projection', found 'student'"):
        build_projection(ModelBundle("student", {}))


@pytest.mark.parametrize("dropout", [0.0, 0.5, 0.9])
def test_dropout_drops_its_share_of_the_features_in_training_alone(dropout):
    torch.manual_seed(0)
    student, seen = Student(ENCODER, INPUTS, 6, dropout=dropout), []
    features = 1 + torch.rand(200, student.encoder.num_features)  # none is zero by itself
    student.encoder = torch.nn.Identity()
    linear = next(layer for layer in student.modules() if isinstance(layer, torch.nn.Linear))
    linear.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    student.train()(features)
    assert float((seen[0] == 0).float().mean()) == pytest.approx(dropout, abs=0.02)
    student.eval()(features)
    assert torch.equal(seen[1], features)


def test_a_student_from_a_bundle_drops_nothing():
    _, _, made = bundle()
    built = build_student(made)
    images = torch.randint(0, 256, (5, 3, 16, 16), dtype=torch.uint8)
    with torch.no_grad():
        assert torch.equal(built(images), built(images))
