"""An exported speech student, with numpy, onnxruntime and soundfile alone (soxr for odd rates).

python run_student.py FILE...         class and probability of each, or the cosine of each with the first
python run_student.py int8.onnx ...   the same by another network of this folder
"""

import json
import sys
from math import ceil, gcd
from pathlib import Path

import numpy as np
import onnxruntime
import soundfile

HERE = Path(__file__).parent


def resampled(wave: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """By windowed sincs; rates without a common divisor need soxr."""
    old, new = rate // gcd(rate, wanted), wanted // gcd(rate, wanted)
    length = ceil(len(wave) * new / old)
    if old * new > 2**21:
        try:
            import soxr
        except ImportError:
            sys.exit(f"{rate} Hz cannot be resampled to {wanted} Hz by numpy: pip install soxr, or convert the file")
        found = soxr.resample(wave, rate, wanted)[:length]
        return np.pad(found, (0, length - len(found)))
    base = 0.99 * min(old, new)
    width = ceil(6 * old / base)
    time = (np.arange(-width, width + old) / old - np.arange(new)[:, None] / new) * base
    kernels = np.sinc(time) * np.cos(time.clip(-6, 6) * np.pi / 12) ** 2 * (base / old)
    padded = np.pad(wave, (width, width + old))
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernels.shape[1])[::old]
    return (windows @ kernels.T.astype(np.float32)).reshape(-1)[:length]


def read(path: str, wanted: int, samples: int) -> np.ndarray:
    """The first seconds of a file, repeated where it is shorter: mono (samples,) of 16 bits as float32."""
    try:
        rate = soundfile.info(path).samplerate
        sound, _ = soundfile.read(path, ceil((samples / wanted + 0.1) * rate), dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        sys.exit(f"{path}: not a sound that libsndfile reads ({error}); convert it to WAV or FLAC")
    if not sound.size or not np.isfinite(sound).all() or np.abs(sound).max() > 4:
        sys.exit(f"{path}: no samples, NaN, or samples beyond full scale (-1 to 1)")
    wave = sound.mean(axis=1).clip(-1, 1)
    wave = wave if rate == wanted else resampled(wave, rate, wanted).clip(-1, 1)
    return np.resize(np.round(wave * 32767), samples).astype(np.float32) / np.float32(32767)


def main(arguments: list[str]) -> None:
    """Print what the student makes of files."""
    model = arguments.pop(0) if arguments[:1] and arguments[0].endswith(".onnx") else "student.onnx"
    about = json.loads((HERE / "export.json").read_text(encoding="utf-8"))
    length = about["input"]["sample_rate"], about["input"]["samples"]
    session = onnxruntime.InferenceSession(str(HERE / model))
    answers = [
        dict(zip(about["outputs"], session.run(None, {"waveform": read(path, *length)[None]}))) for path in arguments
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
