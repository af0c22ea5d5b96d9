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
import signal
import sys
from pathlib import Path

import onnxruntime

HERE = Path(__file__).resolve().parent
STEERS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
    r"|\\(?=x[0-9a-f]{2}|u[0-9a-f]{4})"
)


def shown(text: object) -> str:
    """The text on one line, what steers a terminal or turns the direction of writing written out."""
    return STEERS.sub(lambda hit: ("\\x%02x" if ord(hit[0]) < 256 else "\\u%04x") % ord(hit[0]), str(text))


def main(files: list) -> int:
    """Print a line for each file, what could not be read to stderr; the exit code."""
    network = files.pop(0) if files and files[0].endswith(".onnx") else "student.onnx"
    if missing := [name for name in (network, "export.json", "read_input.py") if not (HERE / name).is_file()]:
        print(f"there is no {shown(missing[0])} in {shown(HERE)}", file=sys.stderr)
        return 2
    about = json.loads((HERE / "export.json").read_text(encoding="utf-8"))
    classes, first, answered, failed = about["classes"], None, 0, 0
    if len(files) < (1 if classes else 2) or files[0] in ("-h", "--help"):
        print(__doc__ if classes else f"{__doc__}\nThis one compares: two files or more.", file=sys.stderr)
        return 2
    session = onnxruntime.InferenceSession(str(HERE / network))
    read = runpy.run_path(str(HERE / "read_input.py"))["read"]
    for place, file in enumerate(files):
        try:
            given = {about["input"]["name"]: read(file, about["input"])[None]}
        except (ValueError, OSError, MemoryError) as error:
            why = getattr(error, "strerror", None) or str(error) or type(error).__name__
            print(f"{shown(file)}: not read: {shown(why)}", file=sys.stderr)
            failed += 1
            if place or classes:
                continue
            break  # there is nothing to compare the others with
        found = session.run(["probability" if classes else "embedding"], given)[0][0]
        if classes:
            print(f"{shown(file)}\t{shown(classes[found.argmax()])}\t{found.max():.6f}")
        elif place:
            says = [f"{name}: {'same' if first @ found >= at else 'not'}" for name, at in about["thresholds"].items()]
            print(f"{shown(files[0])}\t{shown(file)}\t{first @ found:.6f}\t{', '.join(says)}")
        else:
            first = found
            continue
        answered += 1
    return (3 if answered else 1) if failed else 0


if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):  # `| head` ends it as it ends other programs
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.exit(main(sys.argv[1:]))
