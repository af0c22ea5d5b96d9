"""Raw measures of samples, their ranks in the training split, the one score of METHOD.md and the weights made of it."""
