"""What several pipelines need: one arm's training, and the dev metrics that choose checkpoints."""
