"""Draw a small folder of "birds" with captions, for whoever has no data at hand: python make_birds.py FOLDER."""

import csv
import random
import sys
from pathlib import Path

from PIL import Image, ImageDraw

SPECIES = {
    "blackbird": ("#222222", "orange beak"),
    "canary": ("#f2d21b", "yellow all over"),
    "flamingo": ("#f58fa8", "pink, on long legs"),
    "kingfisher": ("#1b7fd6", "blue back"),
    "parakeet": ("#3aa845", "green with a long tail"),
    "robin": ("#c4532a", "red breast"),
}

root = Path(sys.argv[1]).expanduser()
draw = random.Random(0)  # noqa: S311 (a picture, not a secret)
captions = []
for species, (colour, words) in SPECIES.items():
    (root / species).mkdir(parents=True)
    for number in range(20):
        sky = draw.randint(170, 255), draw.randint(190, 255), draw.randint(200, 255)
        picture = Image.new("RGB", (48, 48), sky)
        x, y, size = draw.randint(8, 20), draw.randint(8, 20), draw.randint(14, 24)
        pen = ImageDraw.Draw(picture)
        pen.ellipse([x, y, x + size, y + size * 0.7], fill=colour)
        pen.polygon([(x + size, y + 4), (x + size + 7, y + 7), (x + size, y + 9)], fill="#e8a33d")
        path = f"{species}/{number:02d}.png"
        picture.save(root / path)
        large = "small" if size < 18 else "large" if size > 20 else "plump"
        where = f"{'high' if y < 14 else 'low'} on the {'left' if x < 14 else 'right'}"
        hour = ["morning", "midday", "evening"][sky.index(min(sky))]
        captions.append((path, f"a {large} {species}, {words}, {where}, {hour} sky"))
with (root / "captions.csv").open("w", encoding="utf-8", newline="") as table:
    csv.writer(table).writerows([("path", "text"), *captions])
