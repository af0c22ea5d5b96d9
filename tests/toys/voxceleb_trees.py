"""Trees of VoxCeleb in the published names, with its tables."""

from pathlib import Path

VOX1_META = (
    "VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\tSet\n"
    "id10001\tA.J._Buckley\tm\tIreland\tdev\n"
    "id10002\tLouis_C.K.\tm\tTrinidad and Tobago\tdev\n"
    "id10003\tTim_Minchin\tm\tNew Zealand\tdev\n"
    "id10270\tEartha_Kitt\tf\tUSA\ttest\n"
)
VOX2_META = (
    "VoxCeleb2 ID ,VGGFace2 ID ,Gender ,Set \n"
    "id00012 ,n000012 ,m ,dev \n"
    "id00017 ,n000017 ,m ,test \n"
    "id00137 ,n000136 ,f ,dev \n"
)


def touch(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")
    return root


def metas(root: Path, vox1: str | None = VOX1_META, vox2: str | None = VOX2_META) -> Path:
    for name, text in (("vox1_meta.csv", vox1), ("vox2_meta.csv", vox2)):
        if text is not None:
            (root / name).write_bytes(text.encode("utf-8"))
    return root
