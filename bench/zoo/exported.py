# Networks of torchvision and transformers as PyTorch's exporters write them, small and with random weights, and what
# ONNX Runtime quantizes and fuses of them, each with inputs, ONNX Runtime's outputs and its time: for exported.lua.
#   python bench/zoo/exported.py FOLDER [PATTERN]    (a python with torch, torchvision, transformers, timm,
#                                                     onnxscript, onnxruntime and safetensors)
import copy
import inspect
import os
import re
import sys
import time
import warnings

import numpy
import onnxruntime
import torch
from safetensors.numpy import save_file

warnings.filterwarnings("ignore")
folder, pattern = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""


# ------------------------------------------------------------------ networks


def image(*shape):
    return torch.randn(*shape)


def tokens(batch, length, most=500):
    return torch.randint(0, most, (batch, length))


def vision(name, size=64, **options):
    """A network of torchvision, and inputs of two shapes."""
    from torchvision import models

    make = getattr(models, name, None) or getattr(models.segmentation, name, None) or getattr(
        models.detection, name, None) or getattr(models.video, name, None) or getattr(models.optical_flow, name)
    return make(weights=None, **options), [[image(1, 3, size, size)], [image(2, 3, size, size)]]


def segmentation(name):
    net, inputs = vision(name, weights_backbone=None, num_classes=5)

    class Scores(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def forward(self, x):
            return self.net(x)["out"]
    return Scores(), inputs


def detection(name):
    net, _ = vision(name, weights_backbone=None, num_classes=5, **(
        {} if "ssd" in name else {"min_size": 128, "max_size": 128}))

    class Boxes(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def forward(self, x):
            return tuple(self.net([x])[0].values())
    return Boxes(), [[torch.rand(3, 128, 128)]]


def film(name):
    net, _ = vision(name)
    return net, [[image(1, 3, 8, 64, 64)], [image(2, 3, 8, 64, 64)]]


def flow():
    net, _ = vision("raft_small")

    class Flow(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def forward(self, before, after):
            return self.net(before, after, 3)[-1]
    return Flow(), [[image(1, 3, 128, 128), image(1, 3, 128, 128)]]


def of_timm(name, size=64):
    import timm

    return timm.create_model(name, pretrained=False), [[image(1, 3, size, size)], [image(2, 3, size, size)]]


class Outputs(torch.nn.Module):
    """A network of transformers that gives a tuple of tensors."""

    def __init__(self, net, names, **options):
        super().__init__()
        self.net, self.names, self.options = net, names, options

    def forward(self, *inputs):
        out = self.net(**dict(zip(self.names, inputs)), **self.options)
        out = out[0] if not isinstance(out, torch.Tensor) else out
        return out


SMALL = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 128,
         "vocab_size": 500}


def encoder(kind, **options):
    import transformers

    config = getattr(transformers, kind + "Config")(**{**SMALL, **options}, attn_implementation="eager")
    net = getattr(transformers, kind + "Model")(config)
    mask = torch.ones(2, 9, dtype=torch.int64)
    mask[1, 6:] = 0
    return (Outputs(net, ["input_ids", "attention_mask"]),
            [[tokens(2, 9), mask], [tokens(1, 5), torch.ones(1, 5, dtype=torch.int64)]])


def distilbert():
    import transformers

    config = transformers.DistilBertConfig(vocab_size=500, dim=64, n_layers=2, n_heads=4, hidden_dim=128)
    mask = torch.ones(2, 9, dtype=torch.int64)
    return (Outputs(transformers.DistilBertModel(config), ["input_ids", "attention_mask"]),
            [[tokens(2, 9), mask], [tokens(1, 5), mask[:1, :5]]])


def decoder(kind, **options):
    import transformers

    config = getattr(transformers, kind + "Config")(**{**SMALL, **options}, use_cache=False)
    net = transformers.AutoModelForCausalLM.from_config(config)
    return Outputs(net, ["input_ids"], use_cache=False), [[tokens(2, 9)], [tokens(2, 9)] if kind == "Mamba" else [
        tokens(1, 5)]]  # Mamba's loop over time is unrolled by the exporter


def with_past(kind, **options):
    """A decoder's step: tokens, and the keys and values of those before, which grow."""
    import transformers
    from transformers.cache_utils import DynamicCache

    config = getattr(transformers, kind + "Config")(**{**SMALL, **options})
    net = transformers.AutoModelForCausalLM.from_config(config)
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = config.hidden_size // config.num_attention_heads

    class Step(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def forward(self, ids, k1, v1, k2, v2):
            past = DynamicCache()
            past.update(k1, v1, 0)
            past.update(k2, v2, 1)
            out = self.net(input_ids=ids, past_key_values=past, use_cache=True)
            layers = out.past_key_values.layers
            return (out.logits, *[t for layer in layers for t in (layer.keys, layer.values)])

    def inputs(n, seen, new):
        return [tokens(n, new)] + [torch.randn(n, heads, seen, width) for _ in range(4)]
    return Step(), [inputs(2, 7, 3), inputs(1, 12, 1)]


def t5():
    import transformers

    config = transformers.T5Config(vocab_size=500, d_model=64, d_kv=16, d_ff=128, num_layers=2, num_heads=4)
    return (Outputs(transformers.T5ForConditionalGeneration(config), ["input_ids", "decoder_input_ids"],
                    use_cache=False), [[tokens(2, 9), tokens(2, 4)], [tokens(1, 5), tokens(1, 3)]])


def whisper():
    import transformers

    config = transformers.WhisperConfig(
        vocab_size=500, num_mel_bins=20, encoder_layers=2, encoder_attention_heads=4, decoder_layers=2,
        decoder_attention_heads=4, encoder_ffn_dim=128, decoder_ffn_dim=128, d_model=64, max_source_positions=50,
        pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=1)
    net = transformers.WhisperForConditionalGeneration(config)
    return (Outputs(net, ["input_features", "decoder_input_ids"], use_cache=False),
            [[torch.randn(2, 20, 100), tokens(2, 4)], [torch.randn(1, 20, 100), tokens(1, 7)]])


def picture(kind, **options):
    import transformers

    config = getattr(transformers, kind + "Config")(**{**SMALL, "image_size": 64, "patch_size": 16, **options})
    return (Outputs(getattr(transformers, kind + "Model")(config), ["pixel_values"]),
            [[image(1, 3, 64, 64)], [image(3, 3, 64, 64)]])


def clip():
    import transformers

    small = {k: v for k, v in SMALL.items() if k != "vocab_size"}
    config = transformers.CLIPConfig(text_config={**SMALL, "eos_token_id": 499},
                                     vision_config={**small, "image_size": 64, "patch_size": 16})
    return (Outputs(transformers.CLIPModel(config), ["input_ids", "pixel_values"]),
            [[tokens(2, 9), image(3, 3, 64, 64)], [tokens(1, 5), image(1, 3, 64, 64)]])


def wav2vec2():
    import transformers

    config = transformers.Wav2Vec2Config(**{**SMALL, "vocab_size": 32}, conv_dim=(32,) * 7,
                                         num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4)
    return Outputs(transformers.Wav2Vec2ForCTC(config), ["input_values"]), [
        [torch.randn(1, 4000)], [torch.randn(2, 3000)]]


def recurrent(kind):
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = getattr(torch.nn, kind)(24, 48, 2, bidirectional=True, batch_first=True)
            self.out = torch.nn.Linear(96, 10)

        def forward(self, x):
            return self.out(self.rnn(x)[0])
    return Net(), [[torch.randn(2, 11, 24)], [torch.randn(1, 5, 24)]]


NETS = {
    **{name: (lambda name=name: vision(name)) for name in (
        "resnet18", "resnet50", "mobilenet_v2", "mobilenet_v3_large", "efficientnet_b0", "efficientnet_v2_s",
        "densenet121", "squeezenet1_1", "shufflenet_v2_x1_0", "mnasnet1_0", "regnet_y_400mf", "resnext50_32x4d",
        "convnext_tiny", "swin_t", "swin_v2_t")},
    "googlenet": lambda: vision("googlenet", aux_logits=False, init_weights=False),
    "inception_v3": lambda: vision("inception_v3", 96, aux_logits=False, init_weights=False),
    "alexnet": lambda: vision("alexnet"),
    "vgg11_bn": lambda: vision("vgg11_bn"),
    "vit_b_16": lambda: vision("vit_b_16", image_size=64),
    "maxvit_t": lambda: vision("maxvit_t", 224),
    **{name: (lambda name=name: segmentation(name)) for name in (
        "deeplabv3_resnet50", "deeplabv3_mobilenet_v3_large", "fcn_resnet50", "lraspp_mobilenet_v3_large")},
    **{name: (lambda name=name: detection(name)) for name in (
        "fasterrcnn_mobilenet_v3_large_320_fpn", "ssdlite320_mobilenet_v3_large", "retinanet_resnet50_fpn",
        "maskrcnn_resnet50_fpn")},
    **{name: (lambda name=name: film(name)) for name in ("r3d_18", "mc3_18", "r2plus1d_18")},
    "raft_small": flow,
    **{"timm " + name: (lambda name=name: of_timm(name)) for name in (
        "efficientvit_b0", "mobileone_s0", "ghostnetv2_100", "hrnet_w18_small", "nfnet_f0", "nasnetalarge", "mixnet_s",
        "poolformer_s12", "pvt_v2_b0", "resnest14d", "repvit_m0_9", "skresnet18", "lambda_resnet26t",
        "focalnet_tiny_srf", "mambaout_femto", "rdnet_tiny")},
    **{"timm " + name: (lambda name=name: of_timm(name, 224)) for name in (
        "cait_xxs24_224", "convit_tiny", "coat_lite_tiny", "davit_tiny", "gcvit_xxtiny", "levit_128s", "mixer_s16_224",
        "xcit_nano_12_p16_224")},
    "bert": lambda: encoder("Bert"),
    "roberta": lambda: encoder("Roberta"),
    "electra": lambda: encoder("Electra", embedding_size=32),
    "deberta_v2": lambda: encoder("DebertaV2", relative_attention=True, pos_att_type=["p2c", "c2p"]),
    "mpnet": lambda: encoder("MPNet"),
    "albert": lambda: encoder("Albert", embedding_size=32),
    "modernbert": lambda: encoder("ModernBert", pad_token_id=0, bos_token_id=1, eos_token_id=2, cls_token_id=1,
                                  sep_token_id=2),
    "distilbert": distilbert,
    "gpt2": lambda: decoder("GPT2", n_embd=64, n_layer=2, n_head=4),
    "gpt_neox": lambda: decoder("GPTNeoX"),
    "llama": lambda: decoder("Llama", num_key_value_heads=2),
    "qwen3": lambda: decoder("Qwen3", num_key_value_heads=2, head_dim=16),
    "gemma2": lambda: decoder("Gemma2", num_key_value_heads=2, head_dim=16, sliding_window=4),
    "phi3": lambda: decoder("Phi3", num_key_value_heads=2, pad_token_id=0, bos_token_id=1, eos_token_id=2),
    "mamba": lambda: decoder("Mamba", state_size=8),
    "gpt2 with past": lambda: with_past("GPT2", n_embd=64, n_layer=2, n_head=4),
    "llama with past": lambda: with_past("Llama", num_key_value_heads=2),
    "t5": t5,
    "whisper": whisper,
    "vit": lambda: picture("ViT"),
    "dinov2": lambda: picture("Dinov2"),
    "beit": lambda: picture("Beit"),
    "convnextv2": lambda: picture("ConvNextV2", hidden_sizes=[16, 32, 64, 64], depths=[1, 1, 2, 1]),
    "clip": clip,
    "wav2vec2": wav2vec2,
    "lstm": lambda: recurrent("LSTM"),
    "gru": lambda: recurrent("GRU"),
}

# ------------------------------------------------------------------ exporting


def varied(net):
    """Statistics and weights of norms as training leaves them: fresh ones are 0 and 1, which hides mistakes."""
    for module in net.modules():
        for name in ("running_mean", "running_var", "weight", "bias"):
            t = getattr(module, name, None)
            if "Norm" in type(module).__name__ and isinstance(t, torch.Tensor):
                t.data = torch.rand_like(t) * 0.5 + (0.75 if name in ("running_var", "weight") else -0.25)
    for t in net.parameters():
        if t.numel() > 1 and not t.any(): # heads and factors that begin at 0, of which nothing would be seen
            t.data.normal_(0, 0.05)
    return net.eval()


def axes_of(inputs, others):
    """The dimensions of inputs that differ between their shapes."""
    if not others:
        return [{} for _ in inputs]
    return [{d: "size_%d_%d" % (i, d) for d in range(a.ndim) if a.shape[d] != b.shape[d]}
            for i, (a, b) in enumerate(zip(inputs, others))]


def export_new(net, cases, path):
    axes = axes_of(cases[0], cases[1] if len(cases) > 1 else None)
    shapes = tuple({d: torch.export.Dim.DYNAMIC for d in each} for each in axes)
    if any("*" in str(p) for p in inspect.signature(net.forward).parameters.values()):
        shapes = (shapes,)
    torch.onnx.export(net, tuple(cases[0]), path, dynamo=True, dynamic_shapes=shapes, verbose=False,
                      external_data=False)


def export_old(net, cases, path):
    names = ["x%d" % i for i in range(len(cases[0]))]
    axes = axes_of(cases[0], cases[1] if len(cases) > 1 else None)
    torch.onnx.export(net, tuple(cases[0]), path, dynamo=False, input_names=names, opset_version=17,
                      dynamic_axes=dict(zip(names, axes)))


# ------------------------------------------------------------ ONNX Runtime


def session_of(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options)


def milliseconds(run):
    """The median of processor times, of a third of a second at most."""
    times, start = [], time.perf_counter()
    for _ in range(2):
        run()
    while len(times) < 5 or (time.perf_counter() - start < 0.3 and len(times) < 200):
        at = time.process_time()
        run()
        times.append(time.process_time() - at)
    return 1000 * sorted(times)[len(times) // 2]


def save_cases(path, cases):
    """For each list of inputs a file of them, with ONNX Runtime's outputs and time."""
    session = session_of(path)
    names = [value.name for value in session.get_inputs()]
    for i, inputs in enumerate(cases):
        given = {name: numpy.array(value, order="C") for name, value in zip(names, inputs)}
        outputs = session.run(None, given)
        arrays = {"in." + name: value for name, value in given.items()}
        arrays.update({"out.%d" % (k + 1): numpy.array(value, order="C") for k, value in enumerate(outputs)})
        save_file(arrays, "%s.%d.safetensors" % (path[:-5], i + 1),
                  {"ms": "%.4f" % milliseconds(lambda: session.run(None, given))})


# ------------------------------------------------- quantized and fused models


class Few:
    """What static quantization is calibrated with."""

    def __init__(self, path, cases):
        names = [value.name for value in session_of(path).get_inputs()]
        self.left = [{n: numpy.array(v) for n, v in zip(names, inputs)} for inputs in cases]

    def get_next(self):
        return self.left.pop() if self.left else None


def quantized(path, cases, to):
    from onnxruntime import quantization as q
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared = to + ".prepared"
    quant_pre_process(path, prepared, skip_symbolic_shape=True)
    # 7 bits: of 8, ONNX Runtime's products are cut to 16 bits on processors without VNNI
    yield "dynamic", lambda out: q.quantize_dynamic(prepared, out, reduce_range=True)
    yield "qdq", lambda out: q.quantize_static(prepared, out, Few(path, cases), reduce_range=True)
    yield "qoperator", lambda out: q.quantize_static(
        prepared, out, Few(path, cases), quant_format=q.QuantFormat.QOperator, activation_type=q.QuantType.QUInt8,
        weight_type=q.QuantType.QUInt8)


FUSED = {"bert": "bert", "roberta": "bert", "distilbert": "bert", "gpt2": "gpt2", "t5": "t5", "clip": "clip",
         "vit": "vit", "whisper": "bart", "llama": "gpt2", "electra": "bert"}
QUANTIZED = ("resnet18", "mobilenet_v2", "mobilenet_v3_large", "squeezenet1_1", "shufflenet_v2_x1_0", "bert", "gpt2",
             "vit", "lstm", "googlenet", "lraspp_mobilenet_v3_large", "llama")


def fused(path, name, to):
    from onnxruntime.transformers import optimizer

    model = optimizer.optimize_model(path, model_type=FUSED[name], num_heads=4, hidden_size=64, opt_level=0,
                                     only_onnxruntime=False)
    model.save_model_to_file(to)


def half(path, to):
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    onnx.save(convert_float_to_float16(onnx.load(path), keep_io_types=True), to)


def four_bits(path, to):
    import onnx
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    quantizer = MatMulNBitsQuantizer(onnx.load(path), block_size=32, is_symmetric=False)
    quantizer.process()
    onnx.save(quantizer.model.model, to)


def external(path, to):
    import onnx

    onnx.save_model(onnx.load(path), to, save_as_external_data=True, location=os.path.basename(to) + ".data")


def make(name, maker, cases):
    """Writes a model by a function, and its cases; tells what hinders either."""
    path = os.path.join(folder, re.sub(r"\W", "_", name) + ".onnx")
    if os.path.exists(path[:-5] + ".1.safetensors"):
        return path
    try:
        maker(path)
        save_cases(path, cases)
        print(name, flush=True)
        return path
    except Exception as problem:
        text = str(problem).strip().replace("\n", " ")[:300]
        print("none %s\t%s: %s" % (name, type(problem).__name__, text), flush=True)


def main():
    os.makedirs(folder, exist_ok=True)
    torch.set_num_threads(1)
    for name, build in NETS.items():
        if not re.search(pattern, name):
            continue
        torch.manual_seed(0)
        try:
            net, cases = build()
        except Exception as problem:
            print("none %s\t%s: %s" % (name, type(problem).__name__, problem), flush=True)
            continue
        net = varied(net)
        old = make(name + ", TorchScript", lambda path: export_old(copy.deepcopy(net), cases, path), cases)
        new = make(name + ", dynamo", lambda path: export_new(copy.deepcopy(net), cases, path), cases)
        path = new or old
        if not path:
            continue
        if name in QUANTIZED:
            for kind, maker in quantized(path, cases, path[:-5]):
                make("%s, %s" % (name, kind), maker, cases)
        if name in FUSED:
            make(name + ", fused", lambda out: fused(old or path, name, out), cases)
        if name in ("resnet18", "bert", "mobilenet_v3_large", "llama"):
            make(name + ", half", lambda out: half(path, out), cases)
        if name in ("llama", "gpt2"):
            make(name + ", 4 bits", lambda out: four_bits(path, out), cases)
        if name == "bert":
            make(name + ", external data", lambda out: external(path, out), cases)


main()
