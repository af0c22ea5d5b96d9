"""Networks: encoders by name, the student, the teacher's projection with its prototypes."""
