"""Runs what tests/onnx/exports.lua has written in ONNX Runtime, and prints what ONNX's checker refuses or what differs:

    python tests/onnx/exports.py FOLDER

It wants PyPI's onnx and onnxruntime. Models with nodes of the domain nnlua are counted, not run.
"""
import os
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

onnxruntime.set_default_logger_severity(4)
counts = {"equal": 0, "nnlua": 0, "refused": 0, "not there": 0, "differ": 0}
rows = {}


def data(folder, what, names):
    tensors = []
    for i in range(len(names)):
        path = os.path.join(folder, "test_data_set_0", f"{what}_{i}.pb")
        tensors.append(numpy_helper.to_array(onnx.load_tensor(path)))
    return tensors


def run(folder):
    model = onnx.load(os.path.join(folder, "model.onnx"))
    try:
        onnx.checker.check_model(model, full_check=True)
    except Exception as e:
        return "refused", str(e).split("\n")[0]
    own = [n.op_type for n in model.graph.node if n.domain == "nnlua"]
    for op in own:
        rows[op] = rows.get(op, 0) + 1
    if own:
        return "nnlua", ""
    inputs = data(folder, "input", model.graph.input)
    wanted = data(folder, "output", model.graph.output)
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        got = session.run(None, {i.name: x for i, x in zip(model.graph.input, inputs)})
    except Exception as e:
        return "not there", str(e).split("\n")[0][:300]
    for i, (g, w) in enumerate(zip(got, wanted)):
        if g.dtype != w.dtype or g.shape != w.shape:
            return "differ", f"output {i} is {g.dtype}{g.shape}, not {w.dtype}{w.shape}"
        if g.size and g.dtype.kind in "fiu":
            scale = max(1.0, float(np.nanmax(np.abs(np.where(np.isfinite(w), w, 0)))))
            if not np.allclose(g, w, rtol=1e-5, atol=1e-5 * scale, equal_nan=True):
                return "differ", f"output {i} by {np.nanmax(np.abs(g.astype(float) - w.astype(float)))}"
        elif not np.array_equal(g, w):
            return "differ", f"output {i}"
    return "equal", ""


for name in sorted(os.listdir(sys.argv[1])):
    outcome, text = run(os.path.join(sys.argv[1], name))
    counts[outcome] += 1
    if text:
        print(name, outcome, text)
print(", ".join(f"{n} {what}" for what, n in counts.items()))
print("rows of the domain nnlua:", " ".join(f"{n} {op}" for op, n in sorted(rows.items(), key=lambda r: -r[1])))
