"""`import torchvision`, also where its wheel was built for another kind of torch.

PyPI's torchvision wheel for Linux is built for CUDA; beside a CPU-only torch its operators do not load, and the import
stops at the missing schemas of `nms` and `qnms`. No code here calls them, so declaring their names is enough.
An import that works is left alone.
"""

import sys

import torch

try:
    import torchvision
except RuntimeError as error:
    if "torchvision::" not in str(error):
        raise
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]  # the half-imported package
    _library = torch.library.Library("torchvision", "DEF")  # the schemas live as long as this object
    for _operator in ("nms", "qnms"):
        _library.define(f"{_operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision

__all__ = ["torchvision"]
