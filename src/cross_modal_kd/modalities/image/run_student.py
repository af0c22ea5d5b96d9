"""An exported image student, with numpy, onnxruntime and pillow alone.

python run_student.py FILE...         class and probability of each, or the cosine of each with the first
python run_student.py int8.onnx ...   the same by another network of this folder
"""

import json
import sys
from math import ceil, sqrt
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

HERE = Path(__file__).parent
MOST = 2**22  # pixels: larger images are shrunk by a whole factor first


def shrunk(image: Image.Image) -> Image.Image:
    """The image at about ``MOST`` pixels, decoded smaller where it is JPEG."""
    factor = ceil(sqrt(image.width * image.height / MOST))
    if image.format == "JPEG" and not image.info.get("progressive"):
        image.draft(None, (ceil(image.width / factor), ceil(image.height / factor)))
    image = image.convert("RGBA" if image.has_transparency_data else "RGB") if image.mode in "1PA" else image
    factor = ceil(sqrt(image.width * image.height / MOST))
    return image.reduce(factor) if factor > 1 else image


def read(path: str, channels: int, size: int) -> np.ndarray:
    """A file as (channels, size, size) uint8: turned as its EXIF says, over white, by an area filter."""
    try:
        image: Image.Image = Image.open(path)
        orientation = image.getexif().get(0x0112, 1)
        image = shrunk(image) if image.width * image.height > MOST else image
        image.getexif()[0x0112] = orientation
        image = ImageOps.exif_transpose(image)
        image.load()
    except (OSError, SyntaxError, ValueError) as error:
        sys.exit(f"{path}: not an image that Pillow reads ({error})")
    if image.mode.startswith("I"):
        values = np.asarray(image)
        image = Image.fromarray((values if values.max() <= 255 else values // 257).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    pixels = np.asarray(image.convert({1: "L", 3: "RGB"}[channels]).resize((size, size), Image.Resampling.BOX))
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def main(arguments: list[str]) -> None:
    """Print what the student makes of files."""
    model = arguments.pop(0) if arguments[:1] and arguments[0].endswith(".onnx") else "student.onnx"
    about = json.loads((HERE / "export.json").read_text(encoding="utf-8"))
    shape = about["input"]["channels"], about["input"]["size"]
    session = onnxruntime.InferenceSession(str(HERE / model))
    answers = [
        dict(zip(about["outputs"], session.run(None, {"image": read(path, *shape)[None]}))) for path in arguments
    ]
    for path, answer in zip(arguments, answers):
        if "probability" in answer:
            best = int(answer["probability"][0].argmax())
            print(f"{path}\t{about['classes'][best]}\t{answer['probability'][0, best]:.6f}")
        elif path != arguments[0] or len(arguments) == 1:
            score = float(answers[0]["embedding"][0] @ answer["embedding"][0])
            says = [f"{name}: {'same' if score >= at else 'not'}" for name, at in about["thresholds"].items()]
            print(f"{arguments[0]}\t{path}\t{score:.6f}\t{', '.join(says)}")


if __name__ == "__main__":
    main(sys.argv[1:])
