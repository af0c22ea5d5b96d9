"""Images: reading, transform, augmentation, quality measures, degradations, preview."""
