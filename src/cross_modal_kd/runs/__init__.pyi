from cross_modal_kd.runs.agreement import Agreement as Agreement
from cross_modal_kd.runs.differences import Comparison as Comparison
from cross_modal_kd.runs.differences import compare as compare
from cross_modal_kd.runs.metric_rows import resamples_of as resamples_of
from cross_modal_kd.runs.page import compare_page as compare_page
from cross_modal_kd.runs.repetition import Refused as Refused
from cross_modal_kd.runs.repetition import Repetition as Repetition
from cross_modal_kd.runs.words import compare_words as compare_words
