"""An exported student on files, a line of JSON each. It needs this folder, onnxruntime, and what read_input.py imports.

python run_student.py FILE...               class and probability
python run_student.py FILE OTHER...         of a student that names no classes: the cosine with the first file, and
                                            which thresholds it reaches
python run_student.py int8.onnx FILE...     the same by another network of this folder

Exit codes: 0 every file was read; 1 nothing was answered; 2 wrongly typed; 3 some files were not read.
"""

import json
import runpy
import signal
import sys
from pathlib import Path

import onnxruntime

HERE = Path(__file__).resolve().parent


def main(files: list) -> int:
    """Print what the student says of each file; the exit code."""
    network = files.pop(0) if files and files[0].endswith(".onnx") else "student.onnx"
    about = json.loads((HERE / "export.json").read_text(encoding="utf-8"))
    classes, first, answered = about["classes"], None, 0
    if len(files) < (1 if classes else 2) or files[0].startswith("-") or not (HERE / network).is_file():
        print(__doc__, file=sys.stderr)
        return 2
    session = onnxruntime.InferenceSession(str(HERE / network))
    read = runpy.run_path(str(HERE / "read_input.py"))["read"]
    for file in files:
        try:
            given = {about["input"]["name"]: read(file, about["input"])[None]}
        except (ValueError, OSError, MemoryError) as error:
            print(json.dumps({"file": file, "error": getattr(error, "strerror", None) or str(error)}))
            if first is None and not classes:
                break  # there is nothing to compare the others with
            continue
        found = session.run(["probability" if classes else "embedding"], given)[0][0]
        first, answered = found if first is None else first, answered + 1
        if classes:
            answer = {"label": classes[found.argmax()], "probability": round(float(found.max()), 6)}
        else:
            reached = {name: bool(first @ found >= at) for name, at in about["thresholds"].items()}
            answer = {"with": files[0], "score": round(float(first @ found), 6), "accepted": reached}
        print(json.dumps({"file": file, **answer}))
    return 0 if answered == len(files) else 3 if answered else 1


if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):  # `| head` ends it as it ends other programs
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main(sys.argv[1:]))
