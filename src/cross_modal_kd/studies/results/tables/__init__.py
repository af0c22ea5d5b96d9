"""The tables of a page, from what the reporting folder holds."""

from cross_modal_kd.studies.results.tables.arms import arms_table, comparison_tables, headline
from cross_modal_kd.studies.results.tables.metrics import metrics_headline, metrics_tables
from cross_modal_kd.studies.results.tables.quality import discard_tables, ordering_tables, robustness_tables
from cross_modal_kd.studies.results.tables.regimes import regimes_tables, spread_tables
from cross_modal_kd.studies.results.tables.table import Table, cell, records
from cross_modal_kd.studies.results.tables.tuning import tuning_tables

__all__ = [
    "Table",
    "arms_table",
    "cell",
    "comparison_tables",
    "discard_tables",
    "headline",
    "metrics_headline",
    "metrics_tables",
    "ordering_tables",
    "records",
    "regimes_tables",
    "robustness_tables",
    "spread_tables",
    "tuning_tables",
]
