"""The student: an encoder and a linear embedding, s_i = normalise(f_S(x_i))."""

import torch
from torch import Tensor, nn

from cross_modal_kd.config import EncoderConfig, InputConfig
from cross_modal_kd.models.answer import Shared, answer_logits
from cross_modal_kd.models.bundle import ModelBundle
from cross_modal_kd.models.encoders import create_encoder

KIND = "student"
SHARED = "shared.prototypes"


class Student(nn.Module):
    """Raw inputs of one modality (B, ...) to embeddings (B, dim), not yet L2-normalised.

    The embedding is a linear layer and a batch norm on the encoder's features; a trained teacher has the same shape.

    Args:
        encoder: library, name and options of the encoder.
        inputs: how the samples become tensors.
        dim: length of the embedding.
        dropout: share of the encoder's features that is dropped in training, in [0, 1).
    """

    def __init__(self, encoder: EncoderConfig, inputs: InputConfig, dim: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.encoder = create_encoder(encoder, inputs)
        self.embedding = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(self.encoder.num_features, dim, bias=False), nn.BatchNorm1d(dim)
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """f_S(x), the embedding.

        Args:
            inputs: (B, ...) raw inputs, as the modality reads them.

        Returns:
            (B, dim), not normalised.
        """
        return self.embedding(self.encoder(inputs))


def student_bundle(
    student: Student,
    classifier: nn.Module,
    *,
    encoder: EncoderConfig,
    inputs: InputConfig,
    dim: int,
    classes: list[str],
    projection: ModelBundle | None = None,
    shared: Shared | None = None,
) -> ModelBundle:
    """What has to be kept of a trained student: its weights, its classifier's, and how to build it again.

    Args:
        student: The module, on any device.
        classifier: Its classifier.
        encoder: What the encoder was built from.
        inputs: What the encoder's inputs were read with.
        dim: d, length of the embedding.
        classes: C names, in the order of the classifier's outputs.
        projection: The teacher's projection at the end, where the student's training went on moving it.
        shared: The teacher's classifier, where the student answers by it.

    Returns:
        The bundle, its tensors on the CPU.
    """
    tensors = {f"student.{name}": value for name, value in student.state_dict().items()}
    # saved models call the classifier "head"; a new name would make them unreadable
    tensors |= {f"head.{name}": value for name, value in classifier.state_dict().items()}
    config = {
        "encoder": encoder.model_dump(),
        "inputs": inputs.model_dump(),
        "dim": dim,
        "classes": classes,
    }
    if projection is not None:
        config["own_projection"] = projection.config
        tensors |= {f"own_projection.{name}": value for name, value in projection.tensors.items()}
    if shared is not None:
        config["answer"] = {"by": shared.by, "scale": shared.scale}
        tensors[SHARED] = shared.prototypes
    return ModelBundle(KIND, config, {name: value.detach().cpu() for name, value in tensors.items()})


def own_projection(bundle: ModelBundle) -> ModelBundle | None:
    """The projection that was trained on together with this student.

    Args:
        bundle: Of ``student_bundle``.

    Returns:
        The projection's bundle; None where the projection stood still.
    """
    if "own_projection" not in bundle.config:
        return None
    prefix = "own_projection."
    tensors = {k.removeprefix(prefix): v for k, v in bundle.tensors.items() if k.startswith(prefix)}
    return ModelBundle("projection", bundle.config["own_projection"], tensors)


def build_student(bundle: ModelBundle) -> Student:
    """The student of a bundle, in evaluation mode on the CPU.

    Args:
        bundle: Of ``student_bundle``.

    Returns:
        The module.

    Raises:
        ValueError: If the bundle holds another kind of model.
    """
    if bundle.kind != KIND:
        raise ValueError(f"expected a model of kind {KIND!r}, found {bundle.kind!r}")
    student = Student(
        EncoderConfig(**bundle.config["encoder"]), InputConfig(**bundle.config["inputs"]), bundle.config["dim"]
    )
    prefix = "student."
    student.load_state_dict({k.removeprefix(prefix): v for k, v in bundle.tensors.items() if k.startswith(prefix)})
    return student.eval()


def classifier_logits(bundle: ModelBundle, embeddings: Tensor) -> Tensor:
    """Logits of the student, for a linear classifier.

    They are those of its own classifier, or as ``answer_logits`` has it where the student answers by the teacher's
    classifier too.

    Args:
        bundle: Of ``student_bundle``.
        embeddings: (N, d) of the student, not normalised.

    Returns:
        (N, C).
    """
    own = embeddings @ bundle.tensors["head.weight"].T + bundle.tensors["head.bias"]
    if "answer" not in bundle.config:
        return own
    how = bundle.config["answer"]
    return answer_logits(own, embeddings, Shared(how["by"], torch.as_tensor(bundle.tensors[SHARED]), how["scale"]))
