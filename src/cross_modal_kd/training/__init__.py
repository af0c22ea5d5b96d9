"""One readable loop for students and teachers, the fit of the projection, checkpoints that resume exactly."""
