"""A drawn split is saved, given back and checked."""

import numpy as np
import pandas as pd
import pytest

from cross_modal_kd.config.ingestion import SplitConfig
from cross_modal_kd.samples.errors import SamplesError
from cross_modal_kd.samples.frozen import drawn_split, frozen_partners, frozen_splits, read_frozen
from cross_modal_kd.samples.schema import conform
from cross_modal_kd.storage import write_csv
from sample_tables import CLOSED_SET, OPEN_SET, sample

ODD = ("C#", "a,b", 'say "hi"', "new\nline", "caf\u00e9", "=1+1", "NA", "back\\slash", " blank ", "car\rriage")
ODD += ("a;=1", "a;b;c", "\x1b[31mred", "C:\\x41", "'", "-")


def written(tmp_path, text, **split):
    (tmp_path / "split.csv").write_text(text, encoding="utf-8")
    return read_frozen(SplitConfig(frozen="split.csv", **split), tmp_path)


@pytest.mark.parametrize("design", [OPEN_SET, CLOSED_SET])
def test_a_split_comes_back_as_it_was_saved_whatever_the_names(tmp_path, design):
    rows = [
        sample(f"{name}/{view}", name, ("train", "dev", "test")[number % 3])
        for number, name in enumerate(ODD)
        for view in (1, 2)
    ]
    rows += [sample("alone", "x", "dev", group=None), sample("twin", "y", "test", family="f")]
    samples = conform(pd.DataFrame(rows))
    table = drawn_split(samples, design, 3)
    assert table.columns.tolist() == ["cluster", "split", "seed"]
    write_csv(tmp_path / "split.csv", table)
    frozen = read_frozen(SplitConfig(frozen="split.csv", seed=3), tmp_path)
    assert len(frozen) == len(ODD) + 2
    nobody = pd.Series(None, index=samples.index, dtype="str")
    assert (frozen_splits(design.dealt(samples), nobody, frozen) == samples["split"]).all()


def test_no_file_no_split(tmp_path):
    assert read_frozen(SplitConfig()) == {}
    with pytest.raises(SamplesError, match=r"ingestion.split.frozen = 'gone.csv': there is no file .*set .* to null"):
        read_frozen(SplitConfig(frozen="gone.csv"), tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cluster,split\nlabel:a,train\nlabel:a,test\n", "each cluster has one split; several are given to 'label:a'"),
        ("cluster,split\nlabel:caf\u00e9,train\nlabel:cafe\u0301,test\n", "several are given to"),
        ("cluster,split\nlabel:a,validation\n", "split must be one of .* found 'validation'"),
        ("label,split\na,train\n", r"expected the column\(s\) 'cluster', found"),
        ("cluster,split\na,train\n", r"a cluster says what it is of \(label:, .* found 'a'"),
        ("cluster,split\nlabel:a,train,\n", "line 2: expected 2 fields"),
    ],
)
def test_a_wrong_file_is_named(tmp_path, text, message):
    with pytest.raises(SamplesError, match=message):
        written(tmp_path, text)


def test_a_line_may_stand_twice_and_the_seed_may_be_left_out(tmp_path):
    assert written(tmp_path, "split;cluster\ntrain;label:a\ntrain;label:a\n", seed=9) == {"label:a": "train"}


def test_the_partners_of_a_chimeric_task_are_those_of_the_file_and_of_its_seed(tmp_path):
    def given(text, **split):
        (tmp_path / "split.csv").write_text(f"cluster,split,seed,teacher\n{text}")
        return frozen_partners(SplitConfig(frozen="split.csv", **split), tmp_path)

    text = "label:a,train,0,s1\nlabel:b,test,0,\ngroup:c,test,0,s2\n"
    assert given(text) == {"a": "s1"} and given(text, seed=1) == {}
    with pytest.raises(SamplesError, match="split.csv: teacher: given to two labels: 's1'"):
        given("label:a,train,0,s1\nlabel:b,test,0,s1\n")
    assert frozen_partners(SplitConfig()) == {}


def test_a_split_of_another_seed_decides_nothing_and_that_is_said(tmp_path, caplog):
    text = "cluster,split,seed\nlabel:a,train,4\n"
    assert written(tmp_path, text, seed=4) == {"label:a": "train"}
    assert not caplog.text
    assert written(tmp_path, text, seed=5) == {}
    assert "split.csv was drawn with the seed 4 and decides nothing: the split is drawn with" in caplog.text


def test_the_split_of_other_data_or_of_less_is_said(caplog):
    clusters, nobody = pd.Series(["label:a", "label:b"]), pd.Series([None, None], dtype="str")
    assert frozen_splits(clusters, nobody, {"label:x": "train"}).isna().all()
    assert (
        "other data and decides nothing: none of its 1 clusters ('label:x') occurs in these ('label:a'" in caplog.text
    )
    caplog.clear()
    caplog.set_level("INFO")
    given = frozen_splits(clusters, nobody, {"label:a": "train", "label:x": "test"})
    assert given.fillna("").tolist() == ["train", ""]
    assert "1 of its 2 clusters do not occur: 'label:x'" in caplog.text
    assert "gives 1 cluster its split; 1 other is drawn" in caplog.text


def test_shares_that_the_frozen_split_has_not_are_said(tmp_path, caplog):
    lines = [f"label:{n},{split}" for n, split in enumerate(np.repeat(["train", "dev", "test"], [110, 30, 60]))]
    written(tmp_path, "cluster,split\n" + "\n".join(lines), train=0.55, dev=0.15, test=0.3)
    assert not caplog.text
    written(tmp_path, "cluster,split\n" + "\n".join(lines), train=0.8, dev=0.1, test=0.1)
    assert "55 % train, 15 % dev, 30 % test, and not ingestion.split's 80 %, 10 % and 10 %" in caplog.text
