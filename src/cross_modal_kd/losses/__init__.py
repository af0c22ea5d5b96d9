"""The losses of the method and its baselines, for any PyTorch project; imports no other room of this package.

>>> import torch
>>> from cross_modal_kd.losses import ConstraintInputs, SoftFeatureConstraint
>>> batch = ConstraintInputs(student=torch.randn(8, 16), teacher=torch.randn(8, 16))
>>> SoftFeatureConstraint(margin=0.2, distance="cosine")(batch).reduce().ndim
0

Distance, margin and reducer are three things: any of them may be one of your own. torch is all that is needed; only
``AAMSoftmaxClassifier`` and ``TwoViews`` ask for pytorch-metric-learning.

What this face promises stands in the stub beside it (``__init__.pyi``) and is imported when it is asked for, so that
``cross_modal_kd.losses.kinds`` can be read without torch.
"""

from cross_modal_kd import lazy_face

__getattr__, __dir__, __all__ = lazy_face(__name__, __file__)
