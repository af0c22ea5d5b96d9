"""Networks: encoders by name, the student, the teacher's projection head with its prototypes."""
