"""Copy a few drawings of the default task's data, and a broken file, into a folder: python make_pictures.py FOLDER."""

import sys
from pathlib import Path

import pyarrow.parquet as pq

CONCEPTS = {
    "bicycle": "1f6b2",
    "dog": "1f415",
    "fire": "1f525",
    "helicopter": "1f681",
    "rocket": "1f680",
    "strawberry": "1f353",
}

images = pq.read_table(Path(__file__).parents[2] / "data" / "01_raw" / "emoji" / "images.parquet").to_pylist()
drawn = {(image["code"], image["style"]): image["png"] for image in images}
folder = Path(sys.argv[1]).expanduser()
folder.mkdir(parents=True)
for name, code in CONCEPTS.items():
    for artist in ("noto", "twemoji"):
        (folder / f"{name}_{artist}.png").write_bytes(drawn[code, artist])
(folder / "broken.png").write_bytes(b"not a picture")
