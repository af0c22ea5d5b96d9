"""Cross-modal distillation with soft constraints: a teacher in one modality trains a student in another."""
