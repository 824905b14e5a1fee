"""Makes the files beside it, which tests/spec/files reads: python make.py (PyTorch 2.15, NumPy 2.4, in this folder).

Values are simple enough for the specs to write them down again.
"""
import argparse
import collections
import io
import types
import warnings
import zipfile

import numpy as np
import torch

warnings.simplefilter("ignore")
DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64",
          "complex64", "complex128"]


def ramp(dtype):
    x = torch.arange(12).reshape(3, 4)
    if dtype == torch.bool:
        return x % 3 == 0
    x = x.to(torch.float64) - (0 if dtype == torch.uint8 else 3)
    return (torch.complex(x, -x) if dtype.is_complex else x).to(dtype)


def net():
    net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    with torch.no_grad():
        for i, p in enumerate(net.parameters()):
            p.copy_(torch.arange(p.numel()).reshape(p.shape) + 10 * i)
    return net


def values():
    base = torch.arange(24.0).reshape(4, 6)
    return {
        "dtypes": collections.OrderedDict((name, ramp(getattr(torch, name))) for name in DTYPES),
        "views": {"base": base, "columns": base[:, 1:4], "turned": base.t(), "last": base[3, 5],
                  "expanded": torch.ones(1).expand(3), "empty": torch.zeros(0, 3), "scalar": torch.tensor(2.5)},
        "numbers": [0, 255, 256, 65536, -1, 2**40, -2**63, 1.5, float("inf"), True, False, None],
        "texts": ["", "é\U0001F600", "a" * 300, b"\x00\xff\x80", {"a", "b"}],
        "tables": {1: "one", 0: "zero", "list": [], "dict": {}, "tuple": (1, (2, 3)), True: "yes"} | {2.5: "float"},
        "state": net().state_dict(),
        "parameters": [torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.zeros(2), requires_grad=False)],
        "others": [torch.Size([2, 3]), torch.bfloat16, torch.device("cuda:1"), 1 - 2j, np.float64(2.5), np.int32(-7),
                   np.bool_(True)],
    }


def containers():
    """What training scripts keep beside their tensors."""
    a = np.arange(6.0).reshape(2, 3)
    return {
        "args": argparse.Namespace(lr=0.5, layers=[1, 2]), "simple": types.SimpleNamespace(name="x"),
        "counter": collections.Counter("aab"), "missing": collections.defaultdict(list, {"a": [1]}),
        "bytes": bytearray(b"\x00\xffab"), "version": torch.torch_version.TorchVersion("2.15.0"),
        "arrays": [a, np.asfortranarray(a), a[0].astype(">i4"), a > 2, np.array(2.5, "f4"), np.zeros((0, 3)),
                   (a + 1j).astype("c8"), a.astype("f2")],
    }


def optimizer(make):
    """The state after two steps, and the parameters then and after a third."""
    p = [torch.nn.Parameter(torch.arange(6.0).reshape(2, 3)), torch.nn.Parameter(torch.tensor([1.0, -1.0]))]
    o = make(p)

    def loss():
        o.zero_grad()
        x = (p[0] ** 2).sum() / 10 + (p[1] ** 3).sum()
        x.backward()
        return x

    o.step(loss), o.step(loss)
    state, before = o.state_dict(), [q.detach().clone() for q in p]
    # a copy: the third step changes the state's tensors
    buffer = io.BytesIO()
    torch.save(state, buffer)
    buffer.seek(0)
    state = torch.load(buffer)
    o.step(loss)
    return {"state": state, "before": before, "after": [q.detach().clone() for q in p]}


def turned(source, target):
    """The same archive as a machine of the other byte order would have written it."""
    sizes = [4, 2, 8]  # bytes of a number of the storages 0, 1, 2
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            data = old.read(info)
            if info.filename.endswith("byteorder"):
                data = b"big"
            elif "/data/" in info.filename:
                size = sizes[int(info.filename.rsplit("/", 1)[1])]
                data = b"".join(data[i:i + size][::-1] for i in range(0, len(data), size))
            new.writestr(zipfile.ZipInfo(info.filename), data)


def torch_files():
    torch.save(values(), "values.pt")
    torch.save(values(), "values_protocol4.pt", pickle_protocol=4)
    torch.save(values(), "values_old.pth", _use_new_zipfile_serialization=False)
    torch.save(torch.complex(torch.ones(2), torch.ones(2)).conj(), "conjugate.pt")
    torch.save(net(), "module.pt")
    torch.save(containers(), "containers.pt")
    torch.save(containers(), "containers_protocol5.pt", pickle_protocol=5)
    torch.save({"storage": torch.ones(2).untyped_storage()}, "storage.pt")
    torch.jit.freeze(torch.jit.script(net().eval())).save("frozen.pt")
    torch.save({"sparse": torch.eye(2).to_sparse()}, "sparse.pt")
    torch.save({"u": torch.zeros(2, dtype=torch.uint16)}, "uint16.pt")
    torch.save([torch.tensor([1.5, -2.0]), torch.tensor([1, -2], dtype=torch.int16),
                torch.tensor([1 + 2j], dtype=torch.complex128)], "little.pt")
    turned("little.pt", "big.pt")
    torch.jit.script(net()).save("script.pt")
    o = torch.optim
    torch.save({
        "SGD": optimizer(lambda p: o.SGD(p, lr=0.1, momentum=0.9)),
        "Adam": optimizer(lambda p: o.Adam(p, lr=0.1, amsgrad=True)),
        "AdamW": optimizer(lambda p: o.AdamW(p, lr=0.1)),
        "RMSprop": optimizer(lambda p: o.RMSprop(p, lr=0.01, centered=True, momentum=0.5)),
        "Adagrad": optimizer(lambda p: o.Adagrad(p, lr=0.1)),
        "Adadelta": optimizer(lambda p: o.Adadelta(p)),
        "Adamax": optimizer(lambda p: o.Adamax(p, lr=0.1)),
        "NAdam": optimizer(lambda p: o.NAdam(p, lr=0.1)),
        "RAdam": optimizer(lambda p: o.RAdam(p, lr=0.1)),
        "ASGD": optimizer(lambda p: o.ASGD(p, lr=0.1)),
        "Rprop": optimizer(lambda p: o.Rprop(p, lr=0.1)),
        "Adafactor": optimizer(lambda p: o.Adafactor(p, lr=0.1)),
        "LBFGS": optimizer(lambda p: o.LBFGS(p, lr=0.1, max_iter=3)),
    }, "optimizers.pt")


def numpy_files():
    arrays = {name: ramp(getattr(torch, name)).numpy() for name in DTYPES if name != "bfloat16"}
    np.savez("arrays.npz", **arrays)
    np.savez_compressed("compressed.npz", **arrays, zeros=np.zeros((100, 100)))
    np.savez("big.npz", **{name: a.astype(a.dtype.newbyteorder(">")) for name, a in arrays.items()})
    np.savez("shapes.npz", np.float32(1.5), np.zeros((0, 3)), np.asfortranarray(np.arange(24).reshape(2, 3, 4)))
    np.save("ramp.npy", arrays["float32"])
    np.save("record.npy", np.zeros(2, [("a", "<f4"), ("b", "<i2")]))
    np.save("text.npy", np.array(["ab", "c"]))
    np.save("uint16.npy", np.zeros(2, "u2"))


torch_files()
numpy_files()
