"""What is odd about the published sets, their lists and the formats that people bring, and the test that holds each.

``HELD`` says of every quirk, layout, list, count, protocol and recipe which test would fail without it; a test that is
taken away fails here. ``OPEN`` says what nothing here reads or does, and why.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
VOX, SPLIT, FACES = (f"sources/test_voxceleb{part}.py::" for part in ("", "_split", "_faces"))
CN, CUB, FLOWERS, OWN, WHOLE, TARS = (
    f"sources/test_{name}.py::" for name in ("cnceleb", "cub", "flowers", "own_formats", "published_sets", "webdataset")
)
LISTS, CONDITIONS = "evaluation/test_trial_lists.py::", "evaluation/test_conditions.py::"
ACROSS = "evaluation/test_across.py::"
FIELD, RECIPES, MODELS = (
    "modalities/test_speech_recipe.py::",
    "docs/test_recipes.py::",
    "training/test_pretrained_speech.py::",
)
MINI, INGEST, PAGE = (f"pipelines/test_{name}.py::" for name in ("voxceleb", "ingestion", "data_page"))

HELD = {
    # VoxCeleb1
    "both zips of VoxCeleb1 in one wav/": VOX + "test_a_path_of_every_tree",
    "each zip of VoxCeleb1 in its own folder": VOX + "test_a_path_of_every_tree",
    "the release of 2017 by names": VOX + "test_a_path_of_every_tree",
    "video ids of 11 characters with - and _": VOX + "test_a_path_of_every_tree",
    "ids stay texts with their zeros": VOX + "test_a_path_of_every_tree",
    "speakers and utterances of the four parts": VOX + "test_the_counts_are_the_published_ones",
    "the test is id10270 to id10309": VOX + "test_without_tables_numbers_and_folders_say_what_is_of_the_test",
    "a table that is named csv and parted by TAB": VOX + "test_the_tables_in_the_forms_of_their_copies",
    "nationalities with blanks": VOX + "test_gender_nationality_and_session_are_conditions",
    "French speakers are Norway's in its table": VOX + "test_norway_is_said_to_have_the_french_speakers_of_the_table",
    "a table whose lines stand in quotes": VOX + "test_the_tables_in_the_forms_of_their_copies",
    "five names that end with a dot": VOX + "test_a_name_that_ends_with_a_dot_is_found_with_and_without_it",
    "parts of archives that were not joined": VOX
    + "test_a_part_that_was_not_unpacked_is_said_with_the_archives_that_lie_there",
    "lists that lie among the sounds": VOX + "test_both_sets_below_one_root",
    "the identification split, 1 2 3": SPLIT + "test_the_identification_split_deals_utterances_of_every_speaker",
    "the sizes of the identification split": SPLIT + "test_its_counts_are_held_against_the_published_ones",
    "the identification split is a closed set": SPLIT + "test_identification_is_a_closed_set_and_no_verification",
    "the identification split from files to a report": MINI
    + "test_the_identification_split_of_voxceleb1_distills_as_a_closed_set",
    "the list of speakers who are in SITW too": SPLIT
    + "test_a_list_leaves_out_speakers_videos_and_utterances_of_voices_and_faces",
    "a set that was unpacked twice": FACES + "test_a_set_that_was_unpacked_twice_is_read_once",
    "folders in other letters": FACES + "test_a_folder_in_other_letters_is_said_with_what_it_should_be",
    "a list with files that are not there": SPLIT + "test_what_it_names_and_is_not_there_is_said",
    "copies of the split with a folder before or names": SPLIT + "test_copies_of_it_are_the_same",
    "O, E, H and CN-Celeb: counts and MD5": LISTS + "test_the_published_lists_have_the_published_counts",
    "the name of a list, cleaned or not": LISTS + "test_a_published_list_has_its_name_and_another_does_not",
    "SLR49's list by ids": LISTS + "test_a_published_list_has_its_name_and_another_does_not",
    "SLR49's list by names": LISTS + "test_a_list_by_names_is_read_by_the_table_of_the_speakers",
    "E and H are of the speakers of dev": VOX + "test_a_part_in_training_and_in_the_test",
    "E and H need both parts": VOX + "test_all_of_voxceleb1_as_the_test",
    "a list whose speakers are trained on": CONDITIONS + "test_a_list_whose_speakers_are_trained_on_is_refused",
    # VoxCeleb2
    "VoxCeleb2 as m4a": VOX + "test_a_path_of_every_tree",
    "the zip of its test has no folder test": VOX + "test_a_path_of_every_tree",
    "face tracks with the stem of the sound": FACES + "test_frames_of_a_face_track_are_addresses_in_it",
    "wav trees of voxceleb_trainer, WeSpeaker, SpeechBrain, TaoRuijie": VOX + "test_a_path_of_every_tree",
    "both sets in one wav/ with lists in meta/": VOX + "test_both_sets_below_one_root",
    ".m4a.wav": VOX + "test_a_path_of_every_tree",
    "a sound beside what it was converted to": VOX + "test_a_sound_and_what_it_was_converted_to_are_one_utterance",
    "Kaldi's commands in wav.scp": OWN + "test_a_kaldi_directory_whose_commands_are_never_run",
    "Kaldi's names joined by -": LISTS + "test_a_list_by_the_names_of_kaldis_recipes",
    "any folders before a name, any ending behind": VOX + "test_a_path_of_every_tree",
    "a table parted by commas with blanks": VOX + "test_the_tables_in_the_forms_of_their_copies",
    "VGGFace2's number is not the id's": FACES + "test_a_picture_of_every_tree",
    "no table and no folder that says dev or test": VOX + "test_what_is_broken_is_named",
    "a million texts of face tracks": FACES + "test_what_is_not_used_is_told",
    "another rate and several channels": INGEST + "test_stereo_and_another_rate_are_read",
    "m4a and mp4 that were cut": MINI + "test_a_broken_copy_says_which_file_and_goes_on_without_it",
    # faces
    "crops at one a second by name": FACES + "test_a_picture_of_every_tree",
    "the folder 1.6 there or not": FACES + "test_a_picture_of_every_tree",
    "the dense set with unpadded numbers": FACES + "test_a_picture_of_every_tree",
    "AVCleanse's aligned frames": FACES + "test_a_picture_of_every_tree",
    "stills of VGGFace1 and VGGFace2": FACES + "test_a_picture_of_every_tree",
    "some frames of each, evenly spread": FACES + "test_of_many_frames_some_are_taken_evenly_spread",
    "names become ids by the table alone": FACES + "test_what_is_broken_is_named",
    "several frames averaged by quality": "quality/test_views.py::"
    "test_views_of_an_instance_become_their_mean_weighted_by_quality",
    "by utterance, then video, then identity, counted": MINI
    + "test_a_miniature_of_voxceleb_distills_and_a_list_of_trials_is_scored",
    "the page has the levels, and who has no face": PAGE
    + "test_a_label_whose_samples_were_rejected_for_want_of_a_partner_is_named_with_the_levels_of_the_others",
    "splits of voice and face matching as names": SPLIT + "test_a_list_of_speakers_deals_voices_and_faces_alike",
    "a split that is a pickle": SPLIT + "test_a_split_that_is_a_pickle_is_not_loaded",
    "trials that are a pickle": LISTS + "test_a_pickle_of_trials_is_not_loaded",
    "vfal-eva's items, a voice, a face and a label": ACROSS
    + "test_pairs_of_a_voice_and_a_face_are_those_of_a_plain_loop_in_every_form",
    "vfal-eva's files of 1:2 matching, from either side": ACROSS
    + "test_vfal_evas_files_of_matching_are_read_from_either_side",
    "vfal-eva's files of 1:N matching and of verification": ACROSS
    + "test_vfal_evas_files_of_1_n_matching_and_of_verification_are_read",
    "vfal-eva's names of sounds and pictures": ACROSS
    + "test_names_of_2017_and_crops_without_their_folder_are_found_with_the_table",
    "1:N matching by fixed items": ACROSS + "test_matching_by_lists_is_that_of_a_plain_loop",
    "items that are a pickle, of plain lists alone": ACROSS
    + "test_a_pickle_that_asks_for_a_class_is_refused_with_its_name_and_nothing_runs",
    "voices and faces of speakers that are trained on": ACROSS
    + "test_a_list_whose_speakers_are_trained_on_is_refused_for_pairs_and_matching",
    # CN-Celeb
    "the lists say .wav and the files are .flac": LISTS + "test_lists_of_cn_celeb_are_read_as_they_are_published",
    "an older release in .wav": CN + "test_an_older_release_in_wav",
    "one set alone": CN + "test_one_of_the_sets_alone",
    "parts of its archive": CN + "test_a_folder_of_neither_set",
    "the label stands last and a model first": LISTS + "test_lists_of_cn_celeb_are_read_as_they_are_published",
    "genres with _ and names parted at -": CN + "test_the_session_is_of_the_speaker_and_genres_have_underscores",
    "ids that are VoxCeleb1's": CN + "test_training_is_dev_lst_and_cn_celeb2_under_its_own_names",
    "the tested speakers' sounds in data/": CN + "test_the_test_split_is_of_one_named_protocol",
    "a tested speaker in dev.lst": CN + "test_a_tested_speaker_in_dev_lst_ends_the_run",
    "short sounds joined by speaker and genre": "samples/test_joined.py::"
    "test_cn_celeb_has_fewer_and_longer_sounds_to_train_with_and_the_same_to_test",
    "WeSpeaker's joined names": CN + "test_what_wespeaker_has_joined_has_the_genre_and_session_of_its_name",
    "Avg and Concat, named": LISTS + "test_lists_of_cn_celeb_are_read_as_they_are_published",
    "the lists that WeSpeaker writes": LISTS
    + "test_lists_that_wespeaker_writes_of_cn_celeb_are_the_same_trials_with_a_row_a_genre",
    "speakers who are tested and have no model": CN + "test_the_test_split_is_of_one_named_protocol",
    "2,793 speakers to learn from, 196 models, 17,777 files": CN + "test_the_published_counts_agree_with_each_other",
    "its counts by genre": CN + "test_a_whole_copy_has_its_counts_by_genre",
    "the counts of its lists": CN + "test_counts_and_what_is_missing_are_said",
    "CN-Celeb from files to its published trials": WHOLE
    + "test_distill_on_a_miniature_of_cn_celeb_and_its_published_trials",
    # CUB
    "the tree and its lists": CUB + "test_images_captions_and_the_official_split",
    "1 is train": CUB + "test_images_captions_and_the_official_split",
    "the flag inverted": CUB + "test_a_whole_set_with_the_flag_inverted_is_refused",
    "the counts of CUB": CUB + "test_a_miniature_is_a_warning_with_both_numbers",
    "boxes": CUB + "test_boxes_cut_the_image_as_it_is_read",
    "class folder and file in other capitals": CUB + "test_images_captions_and_the_official_split",
    "captions with other bytes, blank lines, not ten": CUB + "test_captions_with_quirks",
    "t7 files beside the captions": CUB + "test_captions_with_quirks",
    "AttnGAN's text/, and captions anywhere": CUB + "test_captions_wherever_they_are_unpacked",
    "lists re-saved by Windows, files in other capitals": CUB + "test_lists_of_windows_and_files_of_other_capitals",
    "captions in UTF-16": CUB + "test_captions_in_utf_16_are_no_captions",
    "CUB's class-disjoint split": CUB + "test_the_class_disjoint_split_by_its_name",
    "the class-disjoint split is for a verification": WHOLE + "test_the_class_disjoint_split_is_for_a_verification",
    "grey images": CUB + "test_a_grey_image_becomes_rgb",
    "CUB from files to a report": WHOLE + "test_distill_on_a_miniature_of_cub",
    # Flowers
    "labels from 1, and a copy that has subtracted one": FLOWERS + "test_damaged_files_are_named",
    "the official split trains on the small part": FLOWERS + "test_the_official_split_trains_on_the_small_part",
    "the swapped split by its name": FLOWERS + "test_the_swapped_split_is_asked_for_by_name",
    "parts of other sizes": FLOWERS + "test_the_whole_set_with_parts_of_other_sizes_is_refused",
    "the copy with folders 1, 10, 100": FLOWERS + "test_the_copy_by_folders_is_known",
    "captions joined by the stem alone": FLOWERS + "test_captions_are_joined_by_the_stem_alone",
    "cat_to_name.json with keys as texts": FLOWERS + "test_names_of_the_classes",
    "Flowers' class-disjoint split": FLOWERS + "test_the_class_disjoint_split_by_its_name",
    "Flowers from files to a report": WHOLE + "test_distill_on_a_miniature_of_flowers",
    # MUSAN and RIRS_NOISES
    "MUSAN's folders with ANNOTATIONS": FIELD + "test_the_ratio_of_sound_and_noise_is_the_one_asked_for",
    "MUSAN in pieces": FIELD + "test_musan_in_pieces_of_five_seconds_is_musan",
    "names that repeat across rooms, rir_list, no point sources": FIELD
    + "test_rooms_are_those_of_the_lists_by_their_whole_paths",
    "real rooms of several channels": FIELD + "test_of_several_channels_the_first_is_taken_from_the_direct_sound_on",
    # recipes
    "WeSpeaker's ResNet34, AVCleanse's teacher": RECIPES
    + "test_the_environment_of_voxceleb_is_wespeakers_recipe_and_avcleanses_of_the_teacher",
    "WeSpeaker's ECAPA, SpeechBrain's, mmpretrain's of CUB, CN-Celeb's": RECIPES
    + "test_the_other_recipes_have_the_values_of_their_sources",
    "features less their mean": FIELD + "test_features_have_eighty_bands_of_mean_zero_in_every_sound",
    "sizes of ResNet34": FIELD + "test_resnet34_is_the_published_one",
    "sizes of ECAPA-TDNN": FIELD + "test_ecapa_has_the_published_sizes",
    "speeds as new speakers": "training/test_schedules.py::test_variants_are_classes_of_their_own_without_a_partner",
    "margins that rise": "training/test_schedules.py::test_every_step_of_a_training_has_the_margin_of_its_moment",
    "the mean of the last checkpoints": "training/test_schedules.py::test_the_average_is_the_mean_of_the_last_epochs",
    "the large-margin stage": "training/test_schedules.py::test_the_large_margin_stage_goes_on_from_the_first",
    "cyclic rates": "training/test_schedules.py::test_cyclic_rates_are_speechbrains",
    "dither": "modalities/test_features.py::test_dither_is_kaldis_drawn_by_torchs_generator_and_of_training_alone",
    "masks": FIELD + "test_masks_lie_over_a_band_and_a_stretch_no_wider_than_said",
    "AS-norm over the speakers' means": LISTS + "test_s_norm_is_that_of_a_plain_loop_over_the_cohorts_mean_embeddings",
    "the cohort's mean subtracted": LISTS + "test_the_mean_of_the_cohort_is_subtracted_first_where_it_is_asked_for",
    "quality-aware calibration": "evaluation/test_calibration.py::"
    "test_where_duration_moves_the_score_the_calibrated_error_is_lower",
    "no speaker of a calibration is tested": "evaluation/test_calibration.py::test_what_is_tested_is_not_fitted_on",
    "minDCF with its p_target": LISTS + "test_scores_and_metrics_are_those_of_a_plain_loop",
    "weights of SpeechBrain": MODELS + "test_speechbrains_models_give_their_own_embeddings",
    "weights of WeSpeaker's ResNet34": MODELS + "test_wespeakers_resnet_gives_its_own_embeddings",
    "weights of WeSpeaker's ECAPA": MODELS + "test_wespeakers_ecapa_gives_its_own_embeddings",
    # formats that people bring
    "a pair that stands twice in a list": LISTS
    + "test_pairs_that_stand_twice_are_a_warning_and_with_both_labels_an_error",
    "trials with the label first, last, or in words": LISTS + "test_every_form_of_a_list_is_the_same_trials",
    "Kaldi's wav.scp, utt2spk, spk2utt": OWN + "test_a_kaldi_directory_whose_commands_are_never_run",
    "Kaldi's segments and utt2dur": OWN + "test_segments_of_a_kaldi_directory_are_stretches_of_their_recordings",
    "WeSpeaker's raw.list with keys that end in .wav": OWN + "test_a_raw_list_of_wespeaker",
    "WeSpeaker's shards, parted at the last dot": OWN
    + "test_shards_of_wespeaker_are_parted_at_the_last_dot_and_read_in_place",
    "general webdataset, parted at the first dot": TARS
    + "test_keys_end_at_the_first_dot_of_the_base_name_and_members_are_read_in_place",
    "a WeSpeaker shard read as a webdataset": TARS
    + "test_a_shard_of_wespeaker_is_never_read_as_a_webdataset_nor_the_other_way_round",
    "webdataset: members without an ending": TARS + "test_what_is_not_read_is_counted",
    "webdataset from tars to a report": "new_task/test_new_task.py::test_from_a_webdataset_to_a_report",
    "Hugging Face's metadata in three kinds": OWN + "test_a_folder_of_hugging_face_with_metadata",
    "file_names and *_file_name": OWN + "test_pairs_and_lists_of_files_in_one_row",
    "metadata of one kind and the same columns": OWN + "test_metadata_of_two_kinds_or_of_other_columns",
    "labels of folders without metadata alone": OWN + "test_folders_give_labels_of_hugging_face_only_without_metadata",
    "torchvision's ImageFolder and its endings": OWN + "test_an_image_folder_takes_what_torchvision_takes",
    "tables of SpeechBrain and 3D-Speaker": OWN + "test_tables_of_toolkits_of_stretches_are_tables_of_their_sounds",
    # and what every environment says
    "what to put where, without data": WHOLE + "test_without_data_an_environment_says_what_to_put_where",
    "rates other than the commonest": PAGE
    + "test_rates_other_than_the_commonest_and_lengths_far_from_the_others_are_outliers",
    "copies under two labels": PAGE + "test_what_is_wrong_is_counted",
}

OPEN = {
    "the list of repeated videos": "its form is not known here; the option without takes videos, one a line",
    "the distinct files of lists E and H": "of which of the two forms of a list they are is not known",
    "vfal-eva's lists of retrieval": "the report's own retrieval is over all of the test; they are refused by name",
    "AVCleanse's lists, speaker-path lists of training": "the tree says the speakers, and nothing of them is more",
    "boxes in the texts of face tracks": "the tracks are cut out already",
    "FOP's features of faces and voices": "features without their network teach nothing new about sounds",
    "counts of MUSAN and of the rooms": "nothing depends on them",
    "MD5 of archives": "archives are not opened, and sums of a list's are held",
    "CUB's parts and attributes": "no task learns from them",
    "StackGAN's and AttnGAN's pickles, a rewrite of the captions": "pickles are not loaded; the texts are read",
    "WeSpeaker's LMDB of noise": "the folders that it was made of are read",
    "3D-Speaker's recipe": "its settings are here one by one, and no block; the recipes' page says so",
}


@cache
def _functions(file: str) -> frozenset[str]:
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("file", sorted({test.partition("::")[0] for test in HELD.values()}))
def test_the_tests_that_hold_the_quirks_are_there(file):
    named = {test.partition("::")[2] for test in HELD.values() if test.startswith(f"{file}::")}
    assert named - _functions(file) == set()


def test_no_quirk_is_both_held_and_open_and_every_open_one_has_its_reason():
    assert not HELD.keys() & OPEN.keys() and all(OPEN.values())
    assert all(test.partition("::")[2].startswith("test_") for test in HELD.values())
