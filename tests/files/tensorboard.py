# Writes what torch.utils.tensorboard of PyTorch 2.15 (with tensorboard 2.21) writes for the calls of
# tests/spec/training/tensorboard_spec.lua, and nothing else of a run, to tests/files/tensorboard/:
#   python tests/files/tensorboard.py
import os
import shutil

import numpy as np
import torch
from torch.utils.tensorboard import SummaryWriter

folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tensorboard")
shutil.rmtree(folder, ignore_errors=True)
w = SummaryWriter(folder, purge_step=4)
w.add_scalar("loss/train", 0.25, 3)
w.add_scalar("none", torch.tensor(7))
w.add_scalar("new", 2.5, 3, new_style=True)
w.add_scalar("double", 2.5, 3, new_style=True, double_precision=True)
w.add_scalars("many", {"a": 0.5, "b": 2.25}, 1)
x = (torch.arange(0, 200).double() * 7 % 200 - 30) / 64
w.add_histogram("h", x, 1)
w.add_histogram("hi", x, 1, 10)
w.add_histogram("he", x, 1, [-1, -0.25, 0, 0.5])
w.add_histogram("hm", x, 1, bins=50, max_bins=7)
w.add_histogram("one", torch.tensor([1.0, 1.0]), 1, 3)
w.add_histogram_raw("raw", 0.5, 1, 3, 1.5, 1.25, [0.5, 1], [1, 2], 2)
image = torch.arange(0, 240).view(3, 8, 10).float() / 240
w.add_image("image", image, 1)
w.add_image("hwc", image.permute(1, 2, 0), dataformats="HWC")
w.add_image("hw", image[0], dataformats="HW")
w.add_image("bytes", (image * 255).to(torch.uint8), 2)
w.add_image("gray", image[0].unsqueeze(0), 1)
w.add_images("images", torch.arange(0, 660).view(11, 3, 4, 5).float() / 660, 1)
w.add_audio("sound", torch.arange(-32, 32).float() / 50, 1, 8000)
w.add_text("note", "# Title\n\nsome *text*, täxt", 1)
labels, predictions = torch.arange(0, 200) % 3, torch.arange(0, 200).float() * 0.618 % 1
w.add_pr_curve("curve", labels.eq(0), predictions, 1)
w.add_pr_curve("weighted", labels.eq(0).int(), predictions, 1, 11, np.arange(0, 200) / 100)
w.add_pr_curve_raw("counted", [3, 2, 1], [2, 1, 0], [0, 1, 2], [0, 1, 2], [0.5, 0.75, 1], [1, 0.75, 0.5], 1, 3)
w.add_custom_scalars({"losses": {"a": ["Margin", ["x", "y", "z"]], "b": ["Multiline", ["loss/train", "loss/val"]]}})
w.add_custom_scalars_multilinechart(["a", "b"], "cat", "title")
w.add_custom_scalars_marginchart(["a", "b", "c"])
for name in ["float16", "bfloat16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool", "complex64",
             "complex128"]:
    w.add_tensor("tensor/" + name, torch.tensor([[2.0, 0.0], [1.5, 3.0]]).to(getattr(torch, name)), 1)
w.add_hparams({"lr": 0.1}, {"hparam/loss": 0.5}, {"lr": [0.1, 0.2]}, "run1", 5)
w.add_hparams({"name": "adam"}, {"hparam/loss": 0.25}, None, "run2")
w.add_embedding(torch.arange(0, 12).float().view(4, 3) / 8, ["a", "b", "c", "d"],
                torch.arange(0, 48).view(4, 3, 2, 2).float() / 48, 2, "some/points")
w.add_embedding(torch.arange(0, 12).view(4, 3), [["a", 1], ["b", 2], ["c", 3], ["d", 4]], metadata_header=["name", "n"])
w.close()
for path, _, files in os.walk(folder):
    for name in files:
        if "tfevents" in name:
            os.rename(os.path.join(path, name), os.path.join(path, "events"))
