"""Writes tests/onnx/microsoft.gz, which tests/spec/onnx/cases_spec.lua runs: nodes of com.microsoft, with what ONNX
Runtime 1.32.0 makes of them. The file is as that of make_cases.py:

    python3 -m venv v && v/bin/pip install onnx==1.23.2 onnxruntime==1.32.0
    v/bin/python tests/onnx/make_microsoft_cases.py
"""
import gzip
import os

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

from make_cases import HERE, case

R = np.random.RandomState(0)


def real(*shape):
    return R.randn(*shape).astype(np.float32)


def whole(low, high, *shape, dtype=np.int64):
    return R.randint(low, high, shape).astype(dtype)


def model_of(op, inputs, outputs, attributes, constants, domain, opset):
    """One node; inputs are a dict of names to arrays, None for one that is left out."""
    names = [name if value is not None else "" for name, value in inputs.items()]
    given = {n: v for n, v in inputs.items() if v is not None}
    info = lambda name, v: helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape)
    node = helper.make_node(op, names, outputs, name="n", domain=domain, **attributes)
    graph = helper.make_graph(
        [node], "g", [info(n, v) for n, v in given.items() if n not in constants],
        [onnx.ValueInfoProto(name=name) for name in outputs if name],
        [numpy_helper.from_array(v, n) for n, v in given.items() if n in constants])
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def made(name, op, inputs, outputs=("y",), constants=(), domain="com.microsoft", standard=17, **attributes):
    model = model_of(op, inputs, list(outputs), attributes, constants, domain, standard)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    given = {n: v for n, v in inputs.items() if v is not None and n not in constants}
    results = session.run(None, given)
    del model.graph.output[:]
    for n, v in zip([o for o in outputs if o], results):
        model.graph.output.append(helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape))
    message = lambda v: numpy_helper.from_array(v).SerializeToString()
    sets = [([message(v) for v in given.values()], [message(v) for v in results])]
    return case("microsoft_" + name, model.SerializeToString(), sets)


def bytes_of(*shape, signed=False):
    return whole(-60, 60, *shape, dtype=np.int8) if signed else whole(60, 190, *shape, dtype=np.uint8)


def scalar(value, dtype=np.float32):
    return np.array(value, dtype=dtype)


def floats():
    x = real(2, 3, 8)
    yield made("bias_gelu", "BiasGelu", {"x": x, "b": real(8)})
    yield made("fast_gelu", "FastGelu", {"x": x, "b": real(8)})
    yield made("gelu", "Gelu", {"x": x})
    yield made("quick_gelu", "QuickGelu", {"x": x}, alpha=1.5)
    yield made("fused_matmul", "FusedMatMul", {"a": real(2, 4, 3), "b": real(2, 5, 4)}, transA=1, transB=1, alpha=0.5)
    yield made("transpose_matmul", "TransposeMatMul", {"a": real(4, 3), "b": real(4, 5)}, transA=1)
    yield made("fused_gemm", "FusedGemm", {"a": real(3, 4), "b": real(4, 5), "c": real(5)}, activation="LeakyRelu",
               activation_alpha=0.2)
    yield made("fused_conv", "FusedConv", {"x": real(1, 3, 6, 6), "w": real(4, 3, 3, 3), "b": real(4)},
               activation="Clip", activation_params=[-1.0, 1.5], pads=[1, 1, 1, 1])
    yield made("fused_conv_added", "FusedConv", {"x": real(1, 3, 6, 6), "w": real(4, 3, 1, 1), "b": real(4),
                                                 "z": real(1, 4, 6, 6)}, activation="Relu")
    norms = {"x": x, "skip": real(2, 3, 8), "gamma": real(8), "beta": real(8), "bias": real(8)}
    yield made("skip_layer_norm", "SkipLayerNormalization", norms, ["y", "", "", "sum"], epsilon=1e-5)
    del norms["beta"]
    yield made("skip_rms_norm", "SkipSimplifiedLayerNormalization", norms, ["y", "", "", "sum"], epsilon=1e-5)
    yield made("rms_norm", "SimplifiedLayerNormalization", {"x": x, "gamma": real(8)}, domain="", epsilon=1e-5)
    tables = {"w": real(20, 8), "p": real(6, 8), "k": real(2, 8), "gamma": real(8), "beta": real(8)}
    ids, kinds = whole(0, 20, 2, 4, dtype=np.int32), whole(0, 2, 2, 4, dtype=np.int32)
    mask = np.array([[1, 1, 1, 1], [1, 1, 0, 0]], dtype=np.int32)
    yield made("embed_layer_norm", "EmbedLayerNormalization", {"ids": ids, "kinds": kinds, **tables, "mask": mask},
               ["y", "lengths", "sum"])
    yield made("expand_dims", "ExpandDims", {"x": x, "axis": scalar(-1, np.int32)})
    yield made("inverse", "Inverse", {"x": real(2, 3, 3) + 3 * np.eye(3, dtype=np.float32)})


def attentions():
    x, mask = real(2, 4, 8), np.array([[1, 1, 1, 1], [1, 1, 1, 0]], dtype=np.int32)
    packed = {"x": x, "w": real(8, 24), "b": real(24)}
    yield made("attention_mask", "Attention", {**packed, "mask": mask}, num_heads=2)
    yield made("attention_lengths", "Attention", {**packed, "mask": np.array([4, 3], dtype=np.int32)}, num_heads=2)
    yield made("attention_past", "Attention", {**packed, "mask": None, "past": real(2, 2, 2, 3, 4)}, ["y", "present"],
               num_heads=2, unidirectional=1)
    q, k, v = real(2, 4, 8), real(2, 5, 8), real(2, 5, 8)
    yield made("mha", "MultiHeadAttention", {"q": q, "k": k, "v": v, "b": real(24)}, num_heads=2)
    yield made("mha_mask_bias", "MultiHeadAttention", {
        "q": q, "k": k, "v": v, "b": None, "mask": np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], dtype=np.int32),
        "bias": real(1, 2, 4, 5)}, num_heads=2, scale=0.3)
    yield made("mha_past", "MultiHeadAttention", {
        "q": q, "k": real(2, 4, 8), "v": real(2, 4, 8), "b": None, "mask": None, "bias": None,
        "pk": real(2, 2, 3, 4), "pv": real(2, 2, 3, 4)}, ["y", "nk", "nv"], num_heads=2, unidirectional=1)
    def turns(*speeds):
        angles = np.arange(8)[:, None] * np.array([speeds])
        return {"cos": np.cos(angles).astype(np.float32), "sin": np.sin(angles).astype(np.float32)}
    for turned in (0, 1):
        yield made("rotary_%d" % turned, "RotaryEmbedding", {
            "x": x, "at": whole(0, 8, 2, 4), **turns(1.0, 0.3)}, interleaved=turned)
    lengths = lambda *n: np.array(n, dtype=np.int32) - 1
    group = {"q": real(2, 3, 64), "k": real(2, 3, 32), "v": real(2, 3, 32)}
    out, heads = ["y", "nk", "nv"], {"num_heads": 4, "kv_num_heads": 2}
    none, many = {"pk": None, "pv": None}, turns(1.0, 0.7, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05)
    yield made("gqa", "GroupQueryAttention", {**group, **none, "n": lengths(3, 3), "total": scalar(3, np.int32)}, out,
               **heads)
    past = {"pk": real(2, 2, 5, 16), "pv": real(2, 2, 5, 16)}
    yield made("gqa_rotary_past", "GroupQueryAttention", {
        "q": real(2, 1, 64), "k": real(2, 1, 32), "v": real(2, 1, 32), **past, "n": lengths(6, 6),
        "total": scalar(6, np.int32), **many}, out, do_rotary=1, **heads)
    yield made("gqa_uneven", "GroupQueryAttention", {
        "q": real(2, 1, 64), "k": real(2, 1, 32), "v": real(2, 1, 32), **past, "n": lengths(6, 4),
        "total": scalar(6, np.int32), **many}, out, do_rotary=1, rotary_interleaved=1, **heads)
    yield made("gqa_packed_window", "GroupQueryAttention", {
        "q": real(1, 6, 128), "k": None, "v": None, **none, "n": lengths(6), "total": scalar(6, np.int32)}, out,
        local_window_size=2, softcap=3.0, **heads)
    yield made("gqa_sinks", "GroupQueryAttention", {
        **group, **none, "n": lengths(3, 3), "total": scalar(3, np.int32), "cos": None, "sin": None, "at": None,
        "bias": None, "sinks": real(4)}, out, **heads)
    yield made("gqa_smooth", "GroupQueryAttention", {
        **group, **none, "n": lengths(3, 3), "total": scalar(3, np.int32)}, out, smooth_softmax=1, **heads)


def lstms():
    hidden, wide = 5, 20
    for name, directions, rows in (("one", 1, 2), ("both", 2, 1)):
        weights = {
            "w": whole(-60, 60, directions, 3, wide, dtype=np.int8),
            "r": whole(-60, 60, directions, hidden, wide, dtype=np.int8), "b": real(directions, 2 * wide),
            "lengths": None, "h": real(directions, rows, hidden), "c": real(directions, rows, hidden), "p": None}
        each = {"one": (directions,), "both": (directions, wide)}[name]
        scales = {"ws": np.abs(real(*each)) * 0.01 + 0.001, "wz": np.zeros(each, np.int8),
                  "rs": np.abs(real(*each)) * 0.01 + 0.001, "rz": np.zeros(each, np.int8)}
        given = {"x": real(4, rows, 3), **weights, **scales}
        yield made("dynamic_quantize_lstm_" + name, "DynamicQuantizeLSTM", given, ["y", "nh", "nc"],
                   ["w", "r", "b", *scales], hidden_size=hidden,
                   direction="bidirectional" if directions == 2 else "forward")


def quantized():
    u8 = lambda value: scalar(value, np.uint8)
    a = {"x": bytes_of(2, 3, 4), "xs": scalar(0.02), "xz": u8(120)}
    z = {"zs": scalar(0.03), "zz": u8(100)}
    two = {**a, "v": bytes_of(2, 3, 4), "ys": scalar(0.0123), "yz": u8(110), **z}
    yield made("qlinear_add", "QLinearAdd", two)
    yield made("qlinear_mul", "QLinearMul", two)
    yield made("qlinear_where", "QLinearWhere", {"c": whole(0, 2, 2, 3, 4, dtype=bool), **two})
    yield made("qlinear_sigmoid", "QLinearSigmoid", {**a, "zs": scalar(1 / 256), "zz": u8(0)})
    yield made("qlinear_leaky_relu", "QLinearLeakyRelu", {**a, **z}, alpha=0.1)
    yield made("qlinear_softmax", "QLinearSoftmax", {**a, "zs": scalar(1 / 256), "zz": u8(0)}, axis=-1, opset=13)
    more = {"v": bytes_of(2, 1, 4), "ys": scalar(0.01), "yz": u8(110)}
    yield made("qlinear_concat", "QLinearConcat", {**z, **a, **more}, axis=1)
    picture = {**a, "x": bytes_of(1, 2, 5, 5)}
    yield made("qlinear_average_pool", "QLinearAveragePool", {**picture, "zs": scalar(0.0307), "zz": u8(100)},
               kernel_shape=[2, 2])
    yield made("qlinear_global_average_pool", "QLinearGlobalAveragePool", {**picture, **z})
    gemm = {**a, "x": bytes_of(3, 4), "v": bytes_of(5, 4, signed=True), "ys": scalar(0.01), "yz": scalar(0, np.int8),
            "c": whole(-500, 500, 5, dtype=np.int32)}
    yield made("qgemm", "QGemm", {**gemm, **z}, transB=1)
    yield made("qgemm_real", "QGemm", {**gemm, "zs": None, "zz": None}, transB=1, alpha=0.5)
    product = {"x": bytes_of(3, 4), "v": bytes_of(4, 5, signed=True), "xs": scalar(0.02), "ys": np.abs(real(5)),
               "xz": u8(120), "yz": np.zeros(5, np.int8), "b": real(5)}
    yield made("matmul_integer_to_float", "MatMulIntegerToFloat", product)
    yield made("dynamic_quantize_matmul", "DynamicQuantizeMatMul", {
        "x": real(3, 4), "v": bytes_of(4, 5, signed=True), "ys": np.abs(real(5)), "yz": np.zeros(5, np.int8),
        "b": real(5)})
    yield made("dynamic_quantize_zeros", "DynamicQuantizeMatMul", {
        "x": np.zeros((3, 4), np.float32), "v": bytes_of(4, 5, signed=True), "ys": np.abs(real(5)), "yz": None,
        "b": real(5)})
    mask = np.array([[1, 1, 1, 1], [1, 1, 1, 0]], dtype=np.int32)
    yield made("qattention", "QAttention", {
        "x": bytes_of(2, 4, 8), "w": bytes_of(8, 24, signed=True), "b": real(24), "xs": scalar(0.01),
        "ws": scalar(0.02), "mask": mask, "xz": u8(120), "wz": scalar(0, np.int8)}, num_heads=2)
    sixteen = {"x": whole(0, 65536, 3, 4, dtype=np.uint16), "s": scalar(0.01), "z": scalar(30000, np.uint16)}
    yield made("dequantize_16", "DequantizeLinear", sixteen)
    tables = [bytes_of(*shape) for shape in ((20, 8), (6, 8), (2, 8), (8,), (8,))]
    names = ["w", "p", "k", "gamma", "beta"]
    yield made("qembed_layer_norm", "QEmbedLayerNormalization", {
        "ids": whole(0, 20, 2, 4, dtype=np.int32), "kinds": whole(0, 2, 2, 4, dtype=np.int32),
        **dict(zip(names, tables)), "mask": mask, **{n + "s": scalar(0.01) for n in names},
        **{n + "z": u8(120) for n in names}}, ["y", "lengths"])


def packed():
    x = real(2, 3, 40)
    for bits in (4, 8):
        blocks, blob = 3, 16 * bits // 8
        weight = whole(0, 256, 6, blocks, blob, dtype=np.uint8)
        given = {"x": x, "w": weight, "s": np.abs(real(6, blocks)) * 0.1}
        size = {"N": 6, "K": 40, "bits": bits, "block_size": 16}
        yield made("matmul_%d_bits" % bits, "MatMulNBits", given, constants=["w", "s"], **size)
        zero = whole(0, 256, 6, (blocks * bits + 7) // 8, dtype=np.uint8)
        yield made("matmul_%d_bits_zero" % bits, "MatMulNBits", {**given, "z": zero, "g": None, "b": real(6)},
                   constants=["w", "s", "z"], **size)
    one = {"x": real(1, 8), "w": whole(0, 256, 3, 1, 8, dtype=np.uint8), "s": np.abs(real(3, 1))}
    yield made("matmul_one_block", "MatMulNBits", {**one, "z": whole(0, 256, 3, 1, dtype=np.uint8)},
               constants=["w", "s", "z"], N=3, K=8, block_size=16)
    table = {"t": whole(0, 256, 10, 16, dtype=np.uint8), "i": whole(0, 10, 2, 3), "s": np.abs(real(10, 2)) * 0.1}
    size = {"gather_axis": 0, "quantize_axis": 1, "block_size": 16, "bits": 4}
    yield made("gather_block_quantized", "GatherBlockQuantized", table, **size)
    yield made("gather_block_quantized_zero", "GatherBlockQuantized", {
        **table, "z": whole(0, 256, 10, 1, dtype=np.uint8)}, **size)


def corners():
    x, u8 = real(2, 4, 8), lambda value: scalar(value, np.uint8)
    yield made("attention_ends_starts", "Attention", {
        "x": x, "w": real(8, 24), "b": real(24), "mask": np.array([4, 3, 1, 0], dtype=np.int32)}, num_heads=2)
    angles = np.arange(9)[:, None] * np.array([[1.0, 0.3]])
    turns = {"cos": np.cos(angles).astype(np.float32), "sin": np.sin(angles).astype(np.float32)}
    yield made("rotary_offset", "RotaryEmbedding", {"x": x, "at": whole(3, 4, 1), **turns})
    picture = {"x": bytes_of(1, 5, 5, 2), "xs": scalar(0.02), "xz": u8(120), "zs": scalar(0.0307), "zz": u8(100)}
    yield made("qlinear_average_pool_last", "QLinearAveragePool", picture, kernel_shape=[2, 2], channels_last=1)
    yield made("qlinear_global_average_pool_last", "QLinearGlobalAveragePool", picture, channels_last=1)
    signed = {"x": bytes_of(2, 3, 4, signed=True), "xs": scalar(0.02)}
    yield made("qlinear_leaky_relu_signed", "QLinearLeakyRelu", {**signed, "xz": scalar(3, np.int8),
                                                                 "zs": scalar(0.03), "zz": None}, alpha=0.1)
    yield made("qlinear_sigmoid_no_zeros", "QLinearSigmoid", {**signed, "xz": None, "zs": scalar(1 / 128), "zz": None})
    yield made("dynamic_quantize_nan", "DynamicQuantizeMatMul", {
        "x": np.full((3, 4), np.nan, np.float32), "v": bytes_of(4, 5, signed=True), "ys": np.abs(real(5)),
        "yz": np.zeros(5, np.int8)})
    gemm = {"a": real(3, 4), "b": real(4, 5)}
    for activation in ("Elu", "Softplus", "ThresholdedRelu"):
        yield made("fused_gemm_" + activation.lower(), "FusedGemm", gemm, activation=activation, activation_alpha=0.7)
    yield made("rms_norm_factor", "SimplifiedLayerNormalization", {"x": x, "gamma": real(8)}, ["y", "factor"],
               domain="", epsilon=1e-5)
    yield made("qgemm_no_zero", "QGemm", {
        "x": bytes_of(3, 4), "xs": scalar(0.02), "xz": u8(120), "v": bytes_of(4, 5), "ys": scalar(0.01),
        "yz": u8(110), "c": None, "zs": scalar(0.03), "zz": None})
    table = {"t": whole(0, 256, 10, 16, dtype=np.uint8), "i": whole(-10, 10, 2, 3), "s": np.abs(real(10, 2)) * 0.1}
    yield made("gather_block_quantized_negative", "GatherBlockQuantized", table, gather_axis=-2, quantize_axis=-1,
               block_size=16, bits=4)
    table = {"t": whole(0, 256, 3, 5, 24, dtype=np.uint8), "i": whole(0, 3, 2), "s": np.abs(real(3, 5, 3)) * 0.1,
             "z": whole(0, 256, 3, 5, 2, dtype=np.uint8)}
    yield made("gather_block_quantized_3_dims", "GatherBlockQuantized", table, quantize_axis=2, block_size=16, bits=4)
    for mode in ("nearest", "linear"):
        yield made("resize_10_" + mode, "Resize", {"x": real(1, 2, 4, 5), "s": np.array([1, 1, 2, 0.6], np.float32)},
                   constants=["s"], domain="", standard=10, mode=mode)
    for op, gates in (("LSTM", 4), ("GRU", 3), ("RNN", 1)): # the last sequence has no step
        outputs = ["y", "nh", "nc"] if op == "LSTM" else ["y", "nh"]
        yield made("no_steps_" + op.lower(), op, {
            "x": real(3, 2, 2), "w": real(2, 2 * gates, 2), "r": real(2, 2 * gates, 2), "b": None,
            "lengths": np.array([2, 0], dtype=np.int32), "h": real(2, 2, 2)}, outputs, domain="", standard=14,
            hidden_size=2, direction="bidirectional")


def short_sequences():
    """What is quantized at each step has zeros for sequences that are over, or their last states where no others are
    wanted; without a step in the last columns these don't count at all."""
    hidden, wide, rows, steps = 8, 32, 3, 6
    for name, lengths, direction, outputs in (
            ("", (5, 2, 4), "forward", ["y", "nh", "nc"]), ("_last", (5, 2, 4), "bidirectional", ["", "nh", "nc"]),
            ("_reverse", (1, 4, 3), "reverse", ["y", "nh", "nc"]), ("_none", (3, 0, 1), "bidirectional", ["y", "nh"]),
            ("_equal", (2, 2, 2), "bidirectional", ["y", "nh", "nc"])):
        n = 2 if direction == "bidirectional" else 1
        weights = {"w": whole(60, 190, n, 3, wide, dtype=np.uint8),
                   "r": whole(60, 190, n, hidden, wide, dtype=np.uint8), "b": real(n, 2 * wide),
                   "lengths": np.array(lengths, dtype=np.int32), "h": 3 * real(n, rows, hidden),
                   "c": real(n, rows, hidden), "p": None}
        scales = {"ws": np.full((n,), 0.02, np.float32), "wz": np.full((n,), 125, np.uint8),
                  "rs": np.full((n,), 0.02, np.float32), "rz": np.full((n,), 120, np.uint8)}
        yield made("dynamic_quantize_lstm_short" + name, "DynamicQuantizeLSTM", {
            "x": real(steps, rows, 3), **weights, **scales}, outputs, ["w", "r", "b", *scales], hidden_size=hidden,
            direction=direction)


def bytes_alone():
    """Sums and products of all bytes of which one is every third, where roundings of reals would show; what broadcasts;
    pools; numbers on the edges of what a byte holds, and none at all."""
    for signed in (False, True):
        dtype, low = (np.int8, -128) if signed else (np.uint8, 0)
        name = "_signed" if signed else ""
        all_bytes = np.arange(low, low + 256).astype(dtype)
        a = {"x": np.tile(all_bytes[::3], 256), "xs": scalar(0.02), "xz": scalar(low + 120, dtype)}
        b = {"v": np.repeat(all_bytes, 86), "ys": scalar(0.01), "yz": scalar(low + 77, dtype)}
        y = {"zs": scalar(0.03), "zz": scalar(low + 131, dtype)}
        yield made("qlinear_add_all" + name, "QLinearAdd", {**a, **b, **y})
        yield made("qlinear_mul_all" + name, "QLinearMul", {**a, **b, **y})
        fused = {"xs": scalar(0.12121184170246124), "xz": scalar(low + 149, dtype), "ys": scalar(0.11176064610481262),
                 "yz": scalar(low + 111, dtype), "zs": scalar(0.07734065502882004), "zz": scalar(low, dtype)}
        for third in range(3): # of two products that are added one isn't rounded
            some = all_bytes[third::3]
            yield made("qlinear_add_fused_%d%s" % (third, name), "QLinearAdd", {
                "x": np.tile(some, 256), "xs": None, "xz": None, "v": np.repeat(all_bytes, len(some)), **fused})
        image, one = bytes_of(2, 3, 4, 5, signed=signed), bytes_of(2, 3, 1, 1, signed=signed)
        for op in ("add", "mul"):
            kind = "QLinear" + op.capitalize()
            yield made("qlinear_%s_channels%s" % (op, name), kind, {**a, "x": image, **b, "v": one, **y})
            yield made("qlinear_%s_turned%s" % (op, name), kind, {**a, "x": one, **b, "v": image, **y})
        yield made("qlinear_concat" + (name or "_unsigned"), "QLinearConcat", {
            **y, "a": image, "as": scalar(0.02), "az": scalar(low + 3, dtype), "b": bytes_of(2, 7, 4, 5, signed=signed),
            "bs": scalar(0.07), "bz": scalar(low + 100, dtype), "c": one * np.ones((1, 1, 4, 5), dtype),
            "cs": scalar(0.03), "cz": scalar(low + 131, dtype)}, axis=1)
        windows = {
            "plain": {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]},
            "pairs": {"kernel_shape": [2, 2], "strides": [2, 2]},
            "same": {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]},
            "ceil": {"kernel_shape": [3, 2], "strides": [2, 3], "ceil_mode": 1},
            "dilated": {"kernel_shape": [2, 3], "dilations": [3, 2], "pads": [1, 1, 1, 1]},
            "uneven": {"kernel_shape": [4, 4], "strides": [3, 1], "pads": [0, 1, 3, 2]}}
        for kind, attributes in windows.items():
            yield made("max_pool_bytes_%s%s" % (kind, name), "MaxPool", {
                "x": whole(low, low + 256, 2, 2, 10, 38, dtype=dtype)}, domain="", **attributes)
        yield made("max_pool_bytes_line" + name, "MaxPool", {
            "x": whole(low, low + 256, 2, 3, 41, dtype=dtype)}, domain="", kernel_shape=[3], strides=[2])
        edges = np.array([0.5, 1.5, 2.5, -0.5, -1.5, 300, -300, 127.5, 128.5, 254.5, 255.5, np.inf, -np.inf, 1e30,
                          -1e30, np.nan, 2.0 ** 31, -2.0 ** 33], dtype=np.float32)
        numbers = np.concatenate([edges * 0.25, real(80) * 30])
        yield made("quantize_edges" + name, "QuantizeLinear", {
            "x": numbers, "s": scalar(0.25), "z": scalar(low + 120, dtype)}, domain="")
        yield made("dequantize_all" + name, "DequantizeLinear", {
            "x": all_bytes, "s": scalar(0.013), "z": scalar(low + 120, dtype)}, domain="")


def resizes():
    """Scales that are no whole numbers, where roundings decide which place is nearest. Not align_corners, of which ONNX
    Runtime has other widths than ONNX's own cases."""
    for mode in ("asymmetric", "half_pixel", "pytorch_half_pixel", "half_pixel_symmetric", "tf_half_pixel_for_nn"):
        opset = {"half_pixel_symmetric": 19, "tf_half_pixel_for_nn": 11}.get(mode, 13)
        for kind in ("nearest", "linear", "cubic"):
            roundings = ("floor", "ceil", "round_prefer_floor", "round_prefer_ceil")
            for rounding in roundings if kind == "nearest" else roundings[:1]:
                attributes = {"nearest_mode": rounding} if kind == "nearest" else {}
                for name, given in (("shrunk", {"s": np.array([1, 1, 0.3, 0.29], np.float32)}),
                                    ("grown", {"s": np.array([1, 1, 2.6, 1.7], np.float32)}),
                                    ("sized", {"s": np.zeros(0, np.float32), "n": np.array([1, 1, 17, 4])})):
                    yield made("_".join(("resize", mode, kind, rounding, name)), "Resize", {
                        "x": real(1, 1, 10, 7), "r": np.zeros(0, np.float32), **given}, constants=["r", "s", "n"],
                        domain="", standard=opset, mode=kind, coordinate_transformation_mode=mode, **attributes)


def byte_means():
    """Of windows that hang over the end, with pads that count and that don't, and channels last."""
    for signed in (False, True):
        dtype, low = (np.int8, -128) if signed else (np.uint8, 0)
        forms = {"xs": scalar(0.021), "xz": scalar(low + 100, dtype),
                 "ys": scalar(0.017), "yz": scalar(low + 90, dtype)}
        for count in (0, 1):
            for name, shape, attributes in (
                    ("pairs", (1, 2, 5, 5), {"kernel_shape": [2, 2], "strides": [2, 2]}),
                    ("padded", (2, 3, 6, 7), {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}),
                    ("uneven", (1, 1, 9, 10), {"kernel_shape": [4, 4], "strides": [3, 3], "pads": [1, 2, 2, 1]}),
                    ("last", (1, 8, 8, 2), {"kernel_shape": [3, 2], "strides": [2, 3], "channels_last": 1})):
                yield made("qlinear_average_pool_ceil_%s_%d_%s" % (name, count, dtype.__name__), "QLinearAveragePool", {
                    "x": whole(low, low + 256, *shape, dtype=dtype), **forms}, ceil_mode=1, count_include_pad=count,
                    **attributes)


def no_numbers():
    """Convolutions of bytes by scales that are nan, infinite and 0."""
    for groups, kernel in ((1, 1), (8, 3)):
        for dtype, low in ((np.uint8, 0), (np.int8, -128)):
            image = whole(low, low + 256, 1, 8, 5, 5, dtype=dtype)
            image[0, :, 0, 0] = low + 120
            weight = whole(-127, 128, 8, 8 // groups, kernel, kernel, dtype=np.int8)
            rows = [np.nan, 0.01, np.inf, -0.01, 0, 0.01, -np.inf, 1e30]
            for name, x_scale, w_scale, y_scale in (
                    ("rows", 0.02, rows, 0.5), ("x", np.nan, [0.01] * 8, 0.5), ("y", 0.02, [0.01] * 8, np.nan),
                    ("zero", 0.02, [0.01] * 8, 0.0)):
                yield made("qlinear_conv_nan_%s_%d_%s" % (name, groups, dtype.__name__), "QLinearConv", {
                    "x": image, "xs": scalar(x_scale), "xz": scalar(low + 120, dtype), "w": weight,
                    "ws": np.array(w_scale, dtype=np.float32), "wz": np.zeros(8, np.int8), "ys": scalar(y_scale),
                    "yz": scalar(low + 110, dtype)}, constants=["w", "ws", "wz"], domain="", group=groups)


def spread_bytes():
    """Both operands broadcast, and their rounded sums and products are often halfway between two bytes."""
    for signed in (False, True):
        dtype, low = (np.int8, -128) if signed else (np.uint8, 0)
        name = "_signed" if signed else ""
        all_bytes = np.arange(low, low + 256).astype(dtype)
        a = {"x": all_bytes[::3].reshape(1, 86), "xs": scalar(0.01), "xz": scalar(low + 29, dtype)}
        b = {"v": all_bytes[::5].reshape(52, 1), "ys": scalar(0.5), "yz": scalar(low + 124, dtype)}
        y = {"zs": scalar(0.02), "zz": scalar(low + 89, dtype)}
        rows = {**b, "v": np.tile(all_bytes[::5].reshape(52, 1), 86)}
        for op in ("QLinearAdd", "QLinearMul"):
            yield made(op.lower() + "_spread" + name, op, {**a, **b, **y})
            yield made(op.lower() + "_spread_rows" + name, op, {**a, **rows, **y})


def main():
    families = (floats, attentions, lstms, quantized, packed, corners, short_sequences, bytes_alone, resizes,
                byte_means, no_numbers, spread_bytes)
    out = [c for family in families for c in family()]
    with open(os.path.join(HERE, "microsoft.gz"), "wb") as f:
        with gzip.GzipFile(fileobj=f, mode="wb", compresslevel=9, mtime=0, filename="") as z:
            z.write(b"".join(out))
    print(len(out), "cases")


main()
