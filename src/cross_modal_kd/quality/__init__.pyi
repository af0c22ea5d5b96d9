from cross_modal_kd.quality.errors import QualityError as QualityError
from cross_modal_kd.quality.table import Scoring as Scoring
from cross_modal_kd.quality.table import fit_score as fit_score
from cross_modal_kd.quality.table import measure_samples as measure_samples
from cross_modal_kd.quality.table import score_samples as score_samples
from cross_modal_kd.quality.weights import sample_weights as sample_weights
