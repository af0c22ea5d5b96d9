"""An exported student on files. It needs this folder, onnxruntime, numpy, and what read_input.py imports.

python run_student.py FILE...               class and probability of each
python run_student.py FILE OTHER...         of a student that names no classes: the cosine of each other file with the
                                            first, and what the thresholds say of it
python run_student.py int8.onnx FILE...     the same by another network of this folder

Exit codes: 0 every file was read and answered; 1 nothing was answered; 2 wrongly typed; 3 some files were not read.
"""

import json
import re
import runpy
import sys
from pathlib import Path

import onnxruntime

HERE = Path(__file__).resolve().parent
UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
    r"|\\(?=x[0-9a-f]{2}|u[0-9a-f]{4})"
)


def shown(text: object) -> str:
    """The text on one line, what steers a terminal or turns the direction of writing written out."""
    return UNSEEN.sub(lambda hit: ("\\x%02x" if ord(hit[0]) < 256 else "\\u%04x") % ord(hit[0]), str(text))


def main(arguments: list) -> int:
    """Print a line for each file, what could not be read to stderr; the exit code."""
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    files = list(arguments)
    network = files.pop(0) if files and files[0].endswith(".onnx") else "student.onnx"
    if files and files[0] in ("-h", "--help"):
        print(__doc__)
        return 0
    if missing := [name for name in (network, "export.json", "read_input.py") if not (HERE / name).is_file()]:
        print(f"there is no {shown(missing[0])} in {shown(HERE)}", file=sys.stderr)
        return 2
    about = json.loads((HERE / "export.json").read_text(encoding="utf-8"))
    if len(files) < (1 if about["classes"] else 2):
        print(__doc__ if about["classes"] else f"{__doc__}\nThis one compares: two files or more.", file=sys.stderr)
        return 2
    answered, failed = answer(files, about, onnxruntime.InferenceSession(str(HERE / network)))
    return (3 if answered else 1) if failed else 0


def answer(files: list, about: dict, session: onnxruntime.InferenceSession) -> tuple:
    """Print what the student makes of files; how many lines that were, and how many files were not read."""
    read = runpy.run_path(str(HERE / "read_input.py"))["read"]
    output, answered, failed = "probability" if about["classes"] else "embedding", 0, 0
    first: list = []  # of a student that compares: the first embedding
    for place, file in enumerate(files):
        try:
            if not Path(file).is_file():
                raise ValueError("it is a folder, not a file" if Path(file).exists() else "there is no such file")
            given = {about["input"]["name"]: read(file, about["input"])[None]}
            found = session.run([output], given)[0][0]
            if place and not about["classes"] and not first:
                raise ValueError(f"nothing to compare it with, for {files[0]} was not read")
        except (ValueError, OSError, MemoryError) as error:
            print(f"{shown(file)}: not read: {shown(str(error) or type(error).__name__)}", file=sys.stderr)
            failed += 1
            continue
        answered += bool(place or about["classes"])
        if about["classes"]:
            best = int(found.argmax())
            print(f"{shown(file)}\t{shown(about['classes'][best])}\t{found[best]:.6f}")
        elif place:
            score = float(first[0] @ found)
            says = [f"{name}: {'same' if score >= at else 'not'}" for name, at in about["thresholds"].items()]
            print(f"{shown(files[0])}\t{shown(file)}\t{score:.6f}\t{', '.join(says)}")
        else:
            first.append(found)
    return answered, failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
