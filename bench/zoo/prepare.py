# Fetches the zoo's packages and runs its models, so that compare.lua has inputs to run and outputs to compare with:
#   python bench/zoo/prepare.py        (a python with torch, onnxruntime and safetensors; into build/zoo, or $ZOO)
#   ZOO_SMALL=1 python bench/zoo/prepare.py FOLDER      (small inputs, into a folder: those of tests/models)
import os
import sys

import numpy
from safetensors.numpy import save_file

from fetch import fetch
import models


def main():
    fetch()
    folder = sys.argv[1] if models.is_small else models.folder
    for name in models.names():
        print(name, flush=True)
        arrays = {"in." + key: numpy.array(value, order="C") for key, value in models.make_inputs(name).items()}
        for i, value in enumerate(models.runner(name)()):
            arrays["out.%d" % (i + 1)] = numpy.array(value, order="C")
        save_file(arrays, os.path.join(folder, models.slug(name) + ".safetensors"))


main()
