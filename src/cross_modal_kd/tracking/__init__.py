"""What is worth knowing about a run, as flat values. Imports neither kedro nor mlflow."""
