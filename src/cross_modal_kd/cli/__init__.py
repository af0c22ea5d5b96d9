"""The commands: ``kedro run``, of which errors end in a paragraph, and those of a student at work.

Kedro finds this room by its name, in the project and for the installed package. A command is a file here and a line in
``group.py``; it is imported when it is called, so that a student answers without Kedro and MLflow.
"""

from cross_modal_kd import lazy_face

__getattr__, __dir__, __all__ = lazy_face(__name__, __file__)
