"""Texts as a student's inputs, and the encoders that read them."""

import numpy as np
import pandas as pd
import pytest
import torch

from cross_modal_kd.config import EncoderConfig, InputConfig, SourcesConfig
from cross_modal_kd.modalities import Item, load_inputs, modality_of
from cross_modal_kd.modalities.text.byte_encoders import hashed_ngrams
from cross_modal_kd.models import create_encoder
from cross_modal_kd.samples import Roots
from cross_modal_kd.student.inputs import Reader
from cross_modal_kd.student.quality import QualityReference
from cross_modal_kd.student.record import QualityRecord

SOURCES = SourcesConfig({"made": {"layout": "folder", "root": "."}})
WORDS = ["a red heart", "Herz ❤", "x"]


def inputs_of(words, length=16, corrupt=None):
    table = pd.DataFrame({"sample_id": [str(place) for place in range(len(words))], "modality": "text", "text": words})
    return load_inputs("text", table, Roots(SOURCES), InputConfig(text={"length": length}), corrupt)


def batch_of(words, length=16, **more):
    return inputs_of(words, length, **more).__getitems__([Item(place) for place in range(len(words))])[1]


def test_a_text_is_its_bytes_with_zeros_behind_or_cut():
    batch = batch_of(WORDS, length=8)
    assert batch.dtype == torch.uint8 and batch.shape == (3, 8)
    assert bytes(batch[0].tolist()) == b"a red he"
    assert bytes(batch[1].tolist()) == "Herz ❤".encode()
    assert bytes(batch[2].tolist()) == b"x" + 7 * b"\0"
    indices, one = inputs_of(WORDS, 8).__getitems__([Item(2), Item(0, (1, 3))])
    assert indices.tolist() == [2, 0] and torch.equal(one, batch[[2, 0]])


def test_damage_is_done_to_the_words():
    drop = modality_of("text").degradations["dropped_words"].apply
    batch = batch_of(["one two three four"] * 2, 24, corrupt=lambda _, text: drop(text, 0.5, np.random.default_rng(0)))
    assert 0 < int((batch[0] != 0).sum()) < len("one two three four")


def test_the_length_goes_unsaid_where_it_is_the_default_so_that_no_training_is_made_again():
    assert "text" not in InputConfig().model_dump()
    assert InputConfig(text={"length": 8}).model_dump()["text"] == {"length": 8}


def naive_ngrams(text: bytes, lengths, buckets):
    whole, found = b" " + text + b" ", []
    for length in lengths:
        for start in range(len(whole) - length + 1):
            value = 0
            for byte in whole[start : start + length]:
                value = (value * 1_000_003 + byte) % 2**31
            found.append(value % buckets)
    return found


@pytest.mark.parametrize("length", [4, 16, 40])
def test_ngrams_are_those_of_the_text_with_a_blank_on_either_side(length):
    places, there = hashed_ngrams(batch_of(WORDS, length), [2, 3, 7], 1000)
    for row, words in enumerate(WORDS):
        expected = naive_ngrams(words.encode()[:length], [2, 3, 7], 1000)
        assert sorted(places[row][there[row]].tolist()) == sorted(expected)


def test_a_bag_is_the_layer_on_the_mean_of_its_vectors_whatever_the_length():
    options = {"ngrams": [2, 3], "buckets": 50, "dim": 4, "features": 5, "dropout": 0.0}
    config = EncoderConfig(library="utf8", name="fasttext", options=options)
    torch.manual_seed(0)
    encoder = create_encoder(config, InputConfig())
    found = encoder(batch_of(WORDS, 40))
    for row, words in enumerate(WORDS):
        vectors = encoder.vectors.weight[naive_ngrams(words.encode(), [2, 3], 50)]
        torch.testing.assert_close(found[row], encoder.layers(vectors.mean(dim=0)))
    torch.testing.assert_close(found, encoder(batch_of(WORDS, 20)))
    assert encoder.num_features == 5 and torch.isfinite(encoder(torch.zeros(1, 8, dtype=torch.uint8))).all()


def test_bert_reads_a_texts_own_bytes_alone():
    options = {"hidden_size": 8, "intermediate_size": 8}
    torch.manual_seed(0)
    encoder = create_encoder(EncoderConfig(library="utf8", name="bert", options=options), InputConfig()).eval()
    batch = batch_of(WORDS, 96)
    found, seen = encoder(batch), encoder.network(input_ids=batch[2:, :1].long()).last_hidden_state[:, 0]
    torch.testing.assert_close(found[2:], seen)
    torch.testing.assert_close(found[:1], encoder(batch[:1]))
    assert not torch.allclose(found[0], found[1])
    names = {name for name, _ in encoder.named_parameters()}
    assert {name for layer in encoder.layer_names() for name in layer} == names and len(encoder.layer_names()) == 3


def test_options_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"hidden_size: expected a multiple of num_attention_heads, 3"):
        EncoderConfig(library="utf8", name="bert", options={"hidden_size": 8, "num_attention_heads": 3})
    with pytest.raises(ValueError, match=r"encoder.name 'gpt' is not known for utf8; expected one of: .*fasttext"):
        EncoderConfig(library="utf8", name="gpt")


def test_what_is_cut_off_is_told_in_words():
    text, inputs = modality_of("text"), InputConfig(text={"length": 8})
    assert text.take("Straßen!", "a", inputs).unread == "1 of its 9 bytes"
    assert text.take("a red he", "a", inputs).unread == ""


def test_inputs_in_use_that_are_cut_off_are_counted(caplog):
    reader = Reader("text", InputConfig(text={"length": 8}), QualityReference(QualityRecord(poor_below=0.0)))
    stream = reader.batches(iter(["short", "far longer than that", "and another of them"]), 2)
    assert [each.unread for each in next(stream)] == ["", "12 of its 20 bytes"]
    stream.close()
    (said,) = [record.message for record in caplog.records]
    assert said.startswith("1 of 2 inputs are longer than what the student reads")
    assert "(far longer than that: 12 of its 20 bytes)" in said
    caplog.clear()
    assert len(list(reader.batches(["short", "longest of all", "and another"], 2))) == 2
    assert caplog.records[0].message.startswith("2 of 3 inputs are longer")
