"""Writes tests/onnx/cases.gz, which tests/spec/onnx/cases_spec.lua runs, from the test cases in PyPI's onnx 1.23.2:

    python3 -m venv v && v/bin/pip install onnx==1.23.2 numpy pillow && v/bin/python tests/onnx/make_cases.py

The file has a message of Protocol Buffers for each case: 1 its name, 2 the model, 3 data sets, of which each has 1
inputs and 2 outputs. Those that excluded.txt names are left out; the bodies of functions written out (..._expanded);
and 19 that would take more than 50 KB each, and all together most of the file.
"""
import gzip
import os
import re
import zlib

import onnx
from onnx import numpy_helper
from onnx.backend.test.case import model as models
from onnx.backend.test.case import node as nodes

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(os.path.dirname(onnx.__file__), "backend", "test", "data")


def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def excluded():
    with open(os.path.join(HERE, "excluded.txt")) as f:
        lines = [line for line in f if not line.startswith("#")]
    return re.compile("|".join(line.split("\t")[0] for line in lines))


def value(v, info):
    """A value of a case as the bytes of its message."""
    if isinstance(v, onnx.TensorProto):
        return v.SerializeToString()
    kind = info.type.WhichOneof("value")
    if kind == "sequence_type":
        return numpy_helper.from_list(v, info.name).SerializeToString()
    if kind == "optional_type":
        return numpy_helper.from_optional(v, info.name).SerializeToString()
    return numpy_helper.from_array(v, info.name).SerializeToString()


def case(name, model, sets):
    parts = [field(1, name.encode()), field(2, model)]
    for inputs, outputs in sets:
        content = b"".join(field(1, v) for v in inputs) + b"".join(field(2, v) for v in outputs)
        parts.append(field(3, content))
    return field(1, b"".join(parts))


def made_cases():
    for c in list(nodes.collect_testcases()) + list(models.collect_testcases()):
        if c.kind == "real" or c.name.endswith("_expanded") or "_expanded_" in c.name:
            continue
        graph = c.model.graph
        sets = [([value(v, i) for v, i in zip(x, graph.input)], [value(v, i) for v, i in zip(y, graph.output)])
                for x, y in c.data_sets]
        yield c.name, c.model.SerializeToString(), sets


def read(path):
    with open(path, "rb") as f:
        return f.read()


def stored_cases():
    for kind in ("pytorch-operator", "pytorch-converted", "simple"):
        folder = os.path.join(DATA, kind)
        for name in sorted(os.listdir(folder)):
            sets = []
            for data in sorted(os.listdir(os.path.join(folder, name))):
                path = os.path.join(folder, name, data)
                if not os.path.isdir(path):
                    continue
                files = os.listdir(path)
                sets.append([[read(os.path.join(path, f"{what}_{i}.pb")) for i in range(len(files))
                              if f"{what}_{i}.pb" in files] for what in ("input", "output")])
            yield name, read(os.path.join(folder, name, "model.onnx")), sets


def main():
    out, names, left_out = [], set(), excluded()
    for cases in (made_cases(), stored_cases()):
        for name, model, sets in cases:
            if name not in names and not left_out.search(name):
                names.add(name)
                out.append(case(name, model, sets))
    folder = os.path.join(DATA, "light")
    for name in sorted(os.listdir(folder)):
        if name.endswith(".onnx"):
            wanted = read(os.path.join(folder, name[:-5] + "_output_0.pb"))
            out.append(case(name[:-5], read(os.path.join(folder, name)), [([], [wanted])]))
    out = [c for c in out if len(zlib.compress(c)) <= 50000]
    with open(os.path.join(HERE, "cases.gz"), "wb") as f:
        with gzip.GzipFile(fileobj=f, mode="wb", compresslevel=9, mtime=0, filename="") as z:
            z.write(b"".join(out))
    print(len(out), "cases")


if __name__ == "__main__":
    main()
