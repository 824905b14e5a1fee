# Loads a model of the zoo and runs it once, with no more imported than that takes: the other side of start.lua.
#   once.py NAME CASE [FILE]        (the file of its inputs; the ONNX file of the model, if it is one)
import sys

name, case, *file = sys.argv[1:]
if file:
    import onnxruntime
    from safetensors.numpy import load_file

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    inputs = {key[3:]: value for key, value in load_file(case).items() if key.startswith("in.")}
    onnxruntime.InferenceSession(file[0], options).run(None, inputs)
else:
    import torch

    import models

    torch.set_num_threads(1)
    models.runner(name)()
