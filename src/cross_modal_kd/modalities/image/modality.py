"""Images."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cross_modal_kd.config import EncoderConfig, IngestionConfig, InputConfig
from cross_modal_kd.modalities.files import Content, digest
from cross_modal_kd.modalities.image.config import ImageAugmentation, ImageInputConfig
from cross_modal_kd.modalities.image.options import TimmOptions, VggOptions
from cross_modal_kd.modalities.modality import Corrupt, Decoded, Modality, Preview, Row, Standalone, Taken, known
from cross_modal_kd.models import EncoderLibrary
from cross_modal_kd.samples import Roots, UnreadableSampleError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from torch import Generator, Tensor

    from cross_modal_kd.modalities.degradation import Degradation
    from cross_modal_kd.modalities.inputs import Inputs
    from cross_modal_kd.models import Encoder


def _timm(config: EncoderConfig, inputs: InputConfig) -> "Encoder":
    from cross_modal_kd.modalities.image.encoders import timm_encoder

    image = inputs.of(ImageInputConfig)
    return timm_encoder(config.name, image.channels, config.fresh_options, _scaling(image))


def _timm_pretrained(config: EncoderConfig, inputs: InputConfig) -> "Encoder":
    from cross_modal_kd.modalities.image.encoders import timm_encoder

    image = inputs.of(ImageInputConfig)
    return timm_encoder(config.name, image.channels, {**config.options, "pretrained": True}, _scaling(image))


def _timm_takes(name: str) -> list[str]:
    from cross_modal_kd.modalities.image.encoders import timm_takes

    return timm_takes(name, TimmOptions.model_fields)


def _torchvision(config: EncoderConfig, inputs: InputConfig) -> "Encoder":
    from cross_modal_kd.modalities.image.encoders import vgg_encoder

    image = inputs.of(ImageInputConfig)
    return vgg_encoder(image.channels, dict(config.options), _scaling(image))


def _onnx(config: EncoderConfig, inputs: InputConfig) -> "Encoder":
    from cross_modal_kd.modalities.image.onnx_encoder import OnnxEncoder

    image = inputs.of(ImageInputConfig)
    return OnnxEncoder(Path(config.name), (image.channels, image.size), _scaling(image))


def _onnx_weights(config: EncoderConfig) -> str:
    from cross_modal_kd.modalities.image.onnx_encoder import graph_of

    return digest(graph_of(Path(config.name)))


def _onnx_check(config: EncoderConfig) -> None:
    from cross_modal_kd.modalities.image.onnx_encoder import graph_of

    graph_of(Path(config.name))


def _scaling(image: ImageInputConfig) -> tuple[Sequence[float], Sequence[float]] | None:
    return None if image.mean is None or image.std is None else (image.mean, image.std)


LIBRARIES = {
    "timm": EncoderLibrary(
        *(_timm, _timm_pretrained), options=TimmOptions, weights_options=("pretrained_cfg_overlay",), takes=_timm_takes
    ),
    "torchvision": EncoderLibrary(_torchvision, options={"vgg": VggOptions}),
    "onnx": EncoderLibrary(opened=_onnx, weights=_onnx_weights, check=_onnx_check),
}
VGG = {"library": "torchvision", "name": "vgg", "options": {"channels": [16, 32, 96, 192]}}
RESNET = {"library": "timm", "name": "resnet10t", "options": {"channels": [16, 32, 64, 128], "stem_width": 16}}


class Image(Modality):
    """Pixels (H, W, C) uint8."""

    name = "image"
    version = 3
    plural = "images"
    hub = "image"
    concerns = (
        "Pictures may show people. Where they do, have their consent, and take similarity for no proof of identity: "
        "this student was not examined for faces.",
    )
    endings = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm")
    inputs = ImageInputConfig
    augmentation = ImageAugmentation
    columns = {"pixels": "long[][][]"}
    shown = (7, 4)
    libraries = LIBRARIES
    student = {"encoder": VGG}
    teacher = {"pretrained": False, "encoder": RESNET}

    def content(self, row: Row, roots: Roots) -> Content:
        """The row's file, or the bytes of a member of a container. See ``Modality.content``."""
        return roots.content(row["source"], row["path"])

    def decode(self, content: Content, name: str, inputs: InputConfig | None = None) -> Decoded:
        """Pixels with the channels of ``inputs.image``, or three without it. See ``Modality.decode``."""
        from cross_modal_kd.modalities.image.read import read_image

        return Decoded(read_image(content, name, 3 if inputs is None else inputs.of(ImageInputConfig).channels))

    def inspect(self, row: Row, roots: Roots, ingestion: IngestionConfig) -> dict[str, Any]:
        """``width`` and ``height`` in pixels, as stored, and ``sha256``. See ``Modality.inspect``."""
        from cross_modal_kd.modalities.image.read import examine_image

        content = self.content(row, roots)
        pixels, (width, height) = examine_image(content, row["path"])
        found = self.facts(Decoded(pixels), row["path"], ingestion)
        return found | {"width": width, "height": height, "sha256": digest(content)}

    def facts(self, decoded: Decoded, name: str, ingestion: IngestionConfig) -> dict[str, Any]:
        """``width`` and ``height`` in pixels, as read. See ``Modality.facts``.

        Raises:
            UnreadableSampleError: a side is under 8 pixels, which no measure of quality takes; or all pixels are the
                same, so that nothing can be seen.
        """
        from cross_modal_kd.modalities.image.read import SMALLEST, is_blank

        height, width, _ = decoded.value.shape
        if min(height, width) < SMALLEST:
            raise UnreadableSampleError(
                name, f"{width} x {height} pixels, fewer than {SMALLEST} a side: too small to be measured"
            )
        if is_blank(decoded.value):
            raise UnreadableSampleError(
                name, "the picture is blank: its first frame, over white and in 8 bits, is of one colour"
            )
        return {"width": width, "height": height}

    def decoded_bytes(self, row: Row) -> int:
        """Three bytes a pixel as it is read, or a guess where the size is not known. See ``Modality.decoded_bytes``."""
        from cross_modal_kd.modalities.image.read import MOST_PIXELS

        if not known(row, "width", "height"):
            return 3 * MOST_PIXELS
        return 3 * min(MOST_PIXELS, int(row["width"]) * int(row["height"]))

    def load(
        self, samples: "pd.DataFrame", roots: Roots, inputs: InputConfig, corrupt: Corrupt | None = None
    ) -> "Inputs":
        """uint8 tensors (C, size, size). See ``Modality.load``."""
        from cross_modal_kd.modalities.image.inputs import ImageInputs

        return ImageInputs(samples, roots, inputs, corrupt)

    def take(self, given: Any, name: str, inputs: InputConfig) -> Taken:
        """A path, bytes, or pixels (H, W, 3) or (H, W) uint8, to (C, size, size) uint8. See ``Modality.take``."""
        import numpy as np
        import torch

        from cross_modal_kd.modalities.image.inputs import resized
        from cross_modal_kd.modalities.image.read import given_pixels, grey, read_image

        image, is_file = inputs.of(ImageInputConfig), isinstance(given, bytes | Path)
        decoded = self.decode(given, name) if is_file else Decoded(given_pixels(given, name))
        self.facts(decoded, name, IngestionConfig())
        pixels = decoded.value
        if image.channels == 1:
            pixels = read_image(given, name, 1) if is_file else grey(pixels)
        return Taken(decoded, torch.from_numpy(np.array(resized(pixels, image), order="C")))

    def of_columns(self, values: Sequence[Any]) -> "np.ndarray":
        """(H, W, 3) uint8. See ``Modality.of_columns``.

        Raises:
            UnreadableSampleError: a value is no number from 0 to 255.
        """
        import numpy as np

        (nested,) = values
        pixels = np.asarray(nested.tolist() if isinstance(nested, np.ndarray) else nested)
        if not np.issubdtype(pixels.dtype, np.number) or pixels.min(initial=0) < 0 or pixels.max(initial=0) > 255:
            raise UnreadableSampleError("pixels", "pixels must be numbers from 0 to 255, (height, width, 3)")
        return pixels.astype(np.uint8)

    def examples(self, inputs: InputConfig) -> "Sequence[Tensor]":
        """One shape: every image is resized.

        Args:
            inputs: of which the block ``image`` counts.

        Returns:
            (2, C, size, size) uint8.
        """
        import torch

        image = inputs.of(ImageInputConfig)
        return [torch.zeros(2, image.channels, image.size, image.size, dtype=torch.uint8)]

    def standalone(self, inputs: InputConfig) -> Standalone:
        """Pixels after decoding, resized by Pillow, as everywhere in this package. See ``Modality.standalone``."""
        image = inputs.of(ImageInputConfig)
        filters = {"area": "area (Pillow's BOX)", "bilinear": "bilinear", "bicubic": "bicubic"}
        facts: dict[str, Any] = {"size": image.size, "channels": image.channels}
        facts["resize"] = filters[image.interpolation]
        if image.crop_pct is not None:
            facts["crop_pct"] = image.crop_pct
        return Standalone("image", {}, facts, Path(__file__).with_name("read_input.py"), ("pillow",))

    def augment(self, inputs: "Tensor", generator: "Generator") -> "Tensor":
        """Rotated, scaled, shifted and mirrored; uint8 becomes float32. See ``Modality.augment``."""
        from cross_modal_kd.modalities.image.augment import augment_images

        return augment_images(inputs, generator)

    @property
    def measures(self) -> Mapping[str, Callable[..., float]]:
        """Each takes the image alone. See ``Modality.measures``."""
        from cross_modal_kd.modalities.image.quality import MEASURES

        return MEASURES

    def seen(self, given: tuple[Any, ...]) -> tuple[Any, ...]:
        """Luminance, gradient and noise are worked out once for all measures. See ``Modality.seen``."""
        from cross_modal_kd.modalities.image.quality import Seen

        return (Seen.of(given[0]),)

    @property
    def degradations(self) -> "Mapping[str, Degradation]":
        """Blur, noise and the like, none of which needs a context. See ``Modality.degradations``."""
        from cross_modal_kd.modalities.image.degrade import DEGRADATIONS

        return DEGRADATIONS

    def preview(self, row: Row, roots: Roots, large: bool = False) -> Preview:
        """A PNG of at most 96 pixels a side; large: 192. See ``Modality.preview``."""
        from cross_modal_kd.modalities.image.preview import thumbnail

        return Preview("image", thumbnail(self.read(row, roots).value, large))
