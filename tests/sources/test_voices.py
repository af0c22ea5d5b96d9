import pytest

from cross_modal_kd.config.ingestion import SourceConfig
from cross_modal_kd.samples.errors import SamplesError
from cross_modal_kd.samples.roots import Roots
from cross_modal_kd.sources.voices import read_voices

CLIPS = '''path,speaker,language,transcript
lab_en/1.ogg,lab_en,en,"hello,  ""you"""
lab_en/2.ogg,lab_en,en," "
lab_fr/1.ogg,lab_fr,fr,salut
lab_fr/2.ogg,lab_fr,fr,NA
home_en/1.ogg,home_en,en,alone
'''


def read(tmp_path, text=CLIPS, **options):
    (tmp_path / "clips.csv").write_text(text, encoding="utf-8")
    return read_voices("voices", Roots({"voices": SourceConfig(layout="voices", root=str(tmp_path))}), options)


def test_speech_and_transcripts_share_the_clip(tmp_path):
    rows, rejected, *_ = read(tmp_path, texts=True)
    texts = rows[rows["modality"] == "text"].set_index("group")["text"].to_dict()
    assert texts == {"lab_en/1": 'hello, "you"', "lab_fr/1": "salut", "lab_fr/2": "NA"}
    assert rows.loc[rows["modality"] == "speech", "sample_id"].tolist() == [
        f"voices/lab_{language}/{number}" for language in ("en", "fr") for number in (1, 2)
    ]
    reasons = rejected.set_index("path")["reason"]
    assert reasons["lab_en/2.ogg"] == "the transcript is blank: no text row"
    assert "home_en has 1 clip(s), fewer than min_clips = 2" in reasons["home_en/1.ogg"]


@pytest.mark.parametrize(
    ("domain", "expected"),
    [("collection", {"lab"}), ("language", {"en", "fr"}), ("collection_language", {"lab/en", "lab/fr"})],
)
def test_domain(tmp_path, domain, expected):
    assert set(read(tmp_path, domain=domain).rows["domain"]) == expected


def test_languages_and_no_texts(tmp_path):
    rows, *_ = read(tmp_path, languages=["fr"])
    assert set(rows["label"]) == {"lab_fr"}
    assert set(rows["modality"]) == {"speech"}


def test_a_table_without_its_columns(tmp_path):
    with pytest.raises(SamplesError, match=r"clips.csv: expected the column\(s\) 'language', 'transcript', found"):
        read(tmp_path, "path,speaker\na,b\n")
    with pytest.raises(SamplesError, match="the table has no rows"):
        read(tmp_path, "path,speaker,language,transcript\n")
    with pytest.raises(SamplesError, match="not a readable CSV"):
        read(tmp_path, "")


@pytest.mark.parametrize("languages", [["de"], ["fr", "de"], []])
def test_a_language_without_a_clip_is_named(tmp_path, languages):
    with pytest.raises(SamplesError, match=r"sources.voices.options.languages = .*which has 'en', 'fr'; correct them"):
        read(tmp_path, languages=languages)


def test_a_domain_column_of_the_table(tmp_path):
    table = "path,speaker,language,transcript,session\n./lab/1.ogg,lab,en,a,monday\nlab/2.ogg,lab,en,b,\n"
    rows, *_ = read(tmp_path, table, domain="session")
    assert rows["path"].tolist() == ["lab/1.ogg", "lab/2.ogg"]
    assert rows["domain"].fillna("").tolist() == ["monday", ""]
    with pytest.raises(SamplesError, match=r"clips.csv: expected the column\(s\) 'domain', found"):
        read(tmp_path, table, domain="domain")


def test_a_blank_speaker_is_rejected(tmp_path):
    rows, rejected, *_ = read(tmp_path, CLIPS + "x/1.ogg, ,en,a\nx/2.ogg, ,en,b\n")
    assert len(rows) == 4
    assert rejected.set_index("path")["reason"]["x/1.ogg"] == "the speaker is blank in clips.csv"
