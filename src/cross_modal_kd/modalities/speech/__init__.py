"""Speech: reading, transform, augmentation, quality measures, degradations, preview."""
