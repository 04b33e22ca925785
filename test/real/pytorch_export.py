"""pytorch_export.py FOLDER NETWORK OPSET BATCH FOLDING -- FOLDER/model.onnx as PyTorch exports a network for inference,
with seeded weights, and FOLDER/x.npy, an input.

BATCH fixed: of 1. BATCH open: named N in the model, and the input has 2, unlike the one that was traced.
FOLDING folded: the exporter computes constants itself and folds normalisations into convolutions, as it does unless
told otherwise. FOLDING plain: it writes the nodes."""

import sys
import warnings

import numpy
import torch
import torchvision
from torch import nn


def mobilenet_v1():
    """Howard 2017, table 1; torchvision has none."""

    def convolution(inputs, outputs, kernel, stride, groups=1):
        return [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
                nn.BatchNorm2d(outputs), nn.ReLU6()]

    widths = [(32, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1), (256, 512, 2),
              *[(512, 512, 1)] * 5, (512, 1024, 2), (1024, 1024, 1)]
    layers = convolution(3, 32, 3, 2)
    for inputs, outputs, stride in widths:
        layers += convolution(inputs, inputs, 3, stride, inputs) + convolution(inputs, outputs, 1, 1)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(), nn.Linear(1024, 1000))


def encoder():
    """One layer of a transformer, as its single operators: the fused one of PyTorch 1.13 cannot be exported."""
    layer = nn.TransformerEncoderLayer(64, 4, 128, activation="gelu", batch_first=True)
    layer.activation_relu_or_gelu = 0
    return layer


def network(name):
    own = {"mobilenet_v1": mobilenet_v1, "encoder": encoder}
    if name in own:
        return own[name]()
    options = {"aux_logits": False, "init_weights": False} if name == "googlenet" else {}
    return getattr(torchvision.models, name)(weights=None, **options)


def spread_normalisations(model):
    """A new normalisation does nothing; a trained one scales and shifts."""
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.running_mean, 0, 0.1)
            nn.init.uniform_(layer.running_var, 0.5, 1.5)
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.normal_(layer.bias, 0, 0.1)


def main():
    folder, name, opset, batch, folding = sys.argv[1:]
    warnings.filterwarnings("ignore")
    torch.manual_seed(7)
    model = network(name).eval()
    spread_normalisations(model)
    is_open = batch == "open"
    x = torch.randn(2 if is_open else 1, *((16, 64) if name == "encoder" else (3, 224, 224)))
    numpy.save(f"{folder}/x.npy", x.numpy())
    mode = torch.onnx.TrainingMode
    torch.onnx.export(model, x[:1], f"{folder}/model.onnx", input_names=["x"], output_names=["y"],
                      opset_version=int(opset), do_constant_folding=folding == "folded",
                      training=mode.EVAL if folding == "folded" else mode.PRESERVE,  # PRESERVE: model.eval() stands
                      dynamic_axes={"x": {0: "N"}, "y": {0: "N"}} if is_open else None)


main()
