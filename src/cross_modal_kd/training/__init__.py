"""One readable loop for students and teachers, the fit of the projection head, checkpoints that resume exactly."""
