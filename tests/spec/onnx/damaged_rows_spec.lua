-- Models of ONNX whose sizes, attributes or counts lie: each operator raises an error that names what is wrong, and
-- reads or writes nothing beyond its tensors.
local nl = require "nnlua"
local types = require "nnlua.onnx.types"
local writer = require "nnlua.onnx.writer"

local function attribute(name, value)
  local fields = {name = name}
  if math.type(value) == "integer" then
    fields.i, fields.type = value, 2
  elseif type(value) == "string" then
    fields.s, fields.type = value, 3
  elseif value.graph then
    fields.g, fields.type = value.graph, 5
  elseif value.texts then
    fields.strings, fields.type = value.texts, 8
  else
    fields.ints, fields.type = value, 7
  end
  return writer.message("attribute", fields)
end

local function opset(domain, version)
  return writer.message("opset", {domain = domain, version = version})
end

--- The program of a graph with the result "y".
local function load_graph(fields)
  fields.name, fields.output = "g", fields.output or {writer.message("value_info", {name = "y"})}
  local text = table.concat(writer.message("model", {
    ir_version = 10, graph = writer.message("graph", fields),
    opset_import = {opset("", 24), opset("nnlua", 1), opset("com.microsoft", 1)},
  }))
  return nl.onnx.load(nl.io.BytesIO(text))
end

--- What a model of one node gives: "x" is its input, and the other names are those of tensors.
local function run(op, inputs, x, tensors, attributes, domain)
  local list, initializers = {}, {}
  for name, value in pairs(attributes or {}) do table.insert(list, attribute(name, value)) end
  for name, tensor in pairs(tensors or {}) do table.insert(initializers, types.tensor(name, tensor)) end
  local node = writer.message("node", {
    name = "n", op_type = op, domain = domain or "", input = inputs, output = {"y"}, attribute = list,
  })
  local program = load_graph {
    node = {node}, initializer = initializers, input = {x and writer.message("value_info", {name = "x"})},
  }
  if x then return program(x) end
  return program()
end

local function whole(values)
  return nl.tensor(values, {dtype = nl.int64})
end

local function fails(message, ...)
  local ok, problem = pcall(run, ...)
  assert.is_false(ok)
  assert.matches(message, tostring(problem))
end

describe("nodes", function()
  local function model_of(...)
    local nodes = {}
    for i, parts in ipairs {...} do
      nodes[i] = writer.message("node", {name = "n" .. i, op_type = parts[1], input = parts[2], output = parts[3]})
    end
    return load_graph {node = nodes, input = {writer.message("value_info", {name = "x"})}}
  end

  it("may stand before what they need", function()
    local program = model_of({"Mul", {"b", "a"}, {"y"}}, {"Neg", {"a"}, {"b"}}, {"Abs", {"x"}, {"a"}})
    assert.same({-4, -9}, program(nl.tensor {2.0, -3.0}):tolist())
    local chain = {}
    for i = 1, 3000 do chain[i] = {"Neg", {i == 3000 and "x" or "v" .. i + 1}, {i == 1 and "y" or "v" .. i}} end
    assert.same({2, -3}, model_of(table.unpack(chain))(nl.tensor {2.0, -3.0}):tolist())
  end)

  it("can't need each other, or what nothing makes", function()
    for _, first in ipairs {{"Add", {"x", "b"}, {"a"}}, {"Add", {"x", "c"}, {"a"}}} do
      local ok, problem = pcall(model_of, first, {"Neg", {"a"}, {"b"}}, {"Neg", {"b"}, {"y"}})
      assert.is_false(ok)
      assert.matches("its input '%a' is made by no node", problem)
    end
  end)
end)

describe("an output's declared type", function()
  local function typed(name, elem_type, sizes)
    local dims = {}
    for i, size in ipairs(sizes) do
      dims[i] = writer.message("dimension", type(size) == "string" and {dim_param = size} or {dim_value = size})
    end
    local tensor = writer.message("tensor_type", {elem_type = elem_type, shape = writer.message("shape", {dim = dims})})
    return writer.message("value_info", {name = name, type = writer.message("type", {tensor_type = tensor})})
  end

  --- A program of Neg whose output is declared so, and its input if sizes of it are given.
  local function declared(elem_type, sizes, of_input)
    return load_graph {
      node = {writer.message("node", {op_type = "Neg", input = {"x"}, output = {"y"}})},
      input = {of_input and typed("x", 1, of_input) or writer.message("value_info", {name = "x"})},
      output = {typed("y", elem_type, sizes)},
    }
  end
  local float32, int64 <const> = 1, 7

  local function of(program)
    local output = program.outputs[1]
    return {output.dtype, output.shape and table.concat(output.shape, " ")}
  end

  it("is put right, and its shape forgotten, when something else comes", function()
    for _, case in ipairs {{int64, {2}, "2"}, {float32, {3}}, {float32, {2, "N"}}} do
      local program = declared(case[1], case[2])
      assert.equal(#case[2], #program.outputs[1].shape)
      program(nl.ones(2))
      assert.same({nl.float32, case[3]}, of(program))
    end
    for _, size in ipairs {2, "N"} do
      local program = declared(float32, {size})
      program(nl.ones(2))
      assert.same({nl.float32, tostring(size)}, of(program))
    end
  end)

  it("is put right by an export, before any call", function()
    for _, case in ipairs {
      {int64, {2, "N"}, {2, "N"}, "2 N"}, {int64, {2, 3}, {2, 3}, "2 3"}, {float32, {2, 4}, {2, 3}},
      {float32, {2, 9}, {2, "N"}}, {float32, {2, "M"}, {2, "N"}, "2 M"}, {0, {2}, {2}, "2"},
    } do
      local program = declared(table.unpack(case, 1, 3))
      local file = nl.io.BytesIO()
      nl.onnx.export(program, file)
      assert.same({nl.float32, case[4]}, of(nl.onnx.load(nl.io.BytesIO(file:getvalue()))))
    end
  end)

  it("has no shape that no tensor can have", function()
    local many = {}
    for i = 1, 40 do many[i] = 1 end
    for _, sizes in ipairs {many, {1 << 62, 1 << 62}, {0, 1 << 62, 2}} do
      local output = declared(float32, sizes).outputs[1]
      assert.same({nl.float32}, {output.dtype, output.shape})
    end
  end)
end)

describe("pools with uneven pads", function()
  it("are maxima and means of what is there", function()
    local x = nl.tensor {{{{1.0, -2, 3}, {4, 5, -6}}}}
    local attributes = {kernel_shape = {2, 2}, strides = {1, 1}, auto_pad = "SAME_UPPER"}
    assert.same({{{{5, 5, 3}, {5, 5, -6}}}}, run("MaxPool", {"x"}, x, {}, attributes):tolist())
    local bytes = run("MaxPool", {"x"}, x:to(nl.int8), {}, attributes)
    assert.same({nl.int8, {{{{5, 5, 3}, {5, 5, -6}}}}}, {bytes.dtype, bytes:tolist()})
    assert.same({{{{2, 0, -1.5}, {4.5, -0.5, -6}}}}, run("AveragePool", {"x"}, x, {}, attributes):tolist())
    attributes.count_include_pad = 1
    assert.same({{{{2, 0, -0.75}, {2.25, -0.25, -1.5}}}}, run("AveragePool", {"x"}, x, {}, attributes):tolist())
    attributes.auto_pad, attributes.pads = nil, {0, 1, 0, 0}
    assert.same({{{{4, 5, 5}}}}, run("MaxPool", {"x"}, x, {}, attributes):tolist())
    assert.same({{{{1.25, 2, 0}}}}, run("AveragePool", {"x"}, x, {}, attributes):tolist())
  end)
end)

describe("attention of heads with keys beyond the queries", function()
  it("sees as many as stand before a query, and itself", function()
    local v = nl.tensor {{{1.0, 2}, {3, 4}, {5, 6}}}
    local y = run("MultiHeadAttention", {"x", "k", "v"}, nl.zeros(1, 2, 2), {k = v, v = v},
      {num_heads = 1, unidirectional = 1}, "com.microsoft")
    assert.same({{{1, 2}, {2, 3}}}, y:tolist())
  end)
end)

describe("packed weights", function()
  it("are unpacked when the model is read, as a parameter", function()
    local tensors = {w = nl.tensor({{{0x21}}, {{0x43}}}, {dtype = nl.uint8}), s = nl.tensor {{2.0}, {1.0}}}
    local sizes = {}
    for name, size in pairs {N = 2, K = 2, block_size = 16} do table.insert(sizes, attribute(name, size)) end
    local function product(from, to)
      return writer.message("node", {
        name = to, op_type = "MatMulNBits", domain = "com.microsoft", input = {from, "w", "s"}, output = {to},
        attribute = sizes,
      })
    end
    local program = load_graph {
      node = {product("x", "h"), product("h", "y")}, input = {writer.message("value_info", {name = "x"})},
      initializer = {types.tensor("w", tensors.w), types.tensor("s", tensors.s)},
    }
    assert.same({{-14, -12}, {-5, -4}}, program:state_dict().w:tolist()) -- less 8, times the scales
    assert.same({{26 * 14 + 9 * 12, 26 * 5 + 9 * 4}}, program(nl.tensor {{1.0, 1.0}}):tolist())
  end)

  it("are taken along an axis in the middle", function()
    local tensors = {t = nl.tensor({{{129, 130}, {131, 132}}, {{127, 126}, {125, 128}}}, {dtype = nl.uint8}),
      s = nl.tensor {{{1.0}, {2.0}}, {{1.0}, {0.5}}}}
    local y = run("GatherBlockQuantized", {"t", "x", "s"}, whole {1}, tensors,
      {gather_axis = 1, quantize_axis = 2, bits = 8, block_size = 16}, "com.microsoft")
    assert.same({{{6, 8}}, {{-1.5, 0}}}, y:tolist())
  end)
end)

describe("a damaged model's operator", function()
  it("Resize gives nothing for a scale that leaves nothing", function()
    for _, scale in ipairs {1e-9, 1e-42, 0.2} do
      for _, mode in ipairs {"linear", "cubic", "nearest"} do
        local y = run("Resize", {"x", "", "s"}, nl.ones(1, 1, 4, 4), {s = nl.tensor {1, 1, 1, scale}},
          {mode = mode, antialias = mode ~= "nearest" and 1 or 0})
        assert.equal("[1, 1, 4, 0]", tostring(y.shape))
      end
    end
    -- an average of all four, by weights of a triangle as wide as the image twice
    local y = run("Resize", {"x", "", "s"}, nl.ones(1, 1, 4, 4), {s = nl.tensor {1, 1, 1, 0.25}},
      {mode = "linear", antialias = 1})
    assert.is_true(nl.allclose(y, nl.ones(1, 1, 4, 1)))
    fails("can't have size", "Resize", {"x", "", "s"}, nl.ones(1, 1, 0, 4), {s = nl.tensor {1, 1, 1 / 0, 1}})
  end)

  it("RotaryEmbedding wants angles", function()
    local x = nl.ones(1, 3, 8)
    fails("cos_cache", "RotaryEmbedding", {"x", "c", "c"}, x, {c = nl.ones(1, 3, 0)})
    fails("without dimensions", "RotaryEmbedding", {"x", "c", "c"}, x, {c = nl.tensor(1.0)})
  end)

  it("Split wants a number of outputs that can be", function()
    for _, n in ipairs {1 << 61, math.maxinteger, 0, -1} do
      fails("outputs", "onnx_split", {"x"}, nl.ones(4), {}, {
        axis = 0, num_outputs = n, _tensors = {texts = {"input"}},
      }, "nnlua")
    end
    fails("a part of %-1", "Split", {"x", "s"}, nl.ones(4), {s = whole {-1}})
    fails("leave 3 of", "Split", {"x", "s"}, nl.ones(4), {s = whole {1}})
    local program = run("SplitToSequence", {"x", "s"}, nl.ones(5), {s = whole(math.maxinteger)})
    assert.equal(1, #program)
  end)

  it("DeformConv's places are counted", function()
    fails("out of range", "DeformConv", {"x", "w", "o"}, nl.ones(0, 1, 1, 1), {
      w = nl.empty(0, 1, 1 << 30, 1 << 30), o = nl.empty(0, 1, 1, 1),
    }, {pads = {1 << 29, 1 << 29, 1 << 29, (1 << 29) - 1}})
  end)

  it("OneHot's result has at most as many dimensions as a tensor can have", function()
    local shape = {}
    for i = 1, 16 do shape[i] = 1 end
    local tensors = {d = whole {3}, v = nl.tensor {0.0, 1.0}}
    fails("17 dimensions", "OneHot", {"x", "d", "v"}, nl.zeros(shape, {dtype = nl.int64}), tensors)
    tensors.d = whole {-3}
    fails("depth is %-3", "OneHot", {"x", "d", "v"}, whole {0}, tensors)
  end)

  it("TensorScatter's update has the cache's dimensions", function()
    fails("an update", "TensorScatter", {"x", "u"}, nl.ones(2, 3, 4), {u = nl.ones(4)})
    fails("an update", "TensorScatter", {"x", "u"}, nl.tensor(1.0), {u = nl.tensor(1.0)}, {axis = 0})
  end)

  it("attention's masks, pasts and factors have the dimensions that they are read by", function()
    local q = nl.ones(1, 2, 3, 4)
    fails("without dimensions", "Attention", {"x", "x", "x", "m"}, q, {m = nl.tensor(1.0)})
    fails("past keys", "Attention", {"x", "x", "x", "", "p", "p"}, q, {p = nl.ones(0)}, {is_causal = 1})
    fails("without dimensions", "LinearAttention", {"x", "x", "x", "", "", "b"}, nl.ones(1, 2, 3),
      {b = nl.tensor(1.0)}, {q_num_heads = 1, kv_num_heads = 1})
    fails("without dimensions", "Attention", {"x", "w", "b"}, nl.ones(4), {w = nl.ones(4), b = nl.tensor(1.0)},
      {num_heads = 1}, "com.microsoft")
  end)

  it("heads in groups have lengths that their past and total hold", function()
    local x = nl.ones(2, 1, 32)
    local heads = {num_heads = 4, kv_num_heads = 2}
    local function group(message, lengths, total, past)
      local tensors = {n = nl.tensor(lengths, {dtype = nl.int64}), t = nl.tensor(total, {dtype = nl.int32}), p = past}
      fails(message, "GroupQueryAttention", {"x", "", "", past and "p" or "", past and "p" or "", "n", "t"}, x,
        tensors, heads, "com.microsoft")
    end
    local past = nl.ones(2, 2, 3, 4)
    group("seqlens_k has 1", {3}, 4, past)
    group("stands at 4 of 4, with 3 before", {3, 4}, 4, past)
    group("stands at %-1 of 4", {3, -1}, 4, past)
    group("total_sequence_length has 2", {3, 3}, {4, 4}, past)
    group("past keys or values of shape", {3, 3}, 4, nl.ones(3))
    group("a past of 1 batches", {3, 3}, 4, nl.ones(1, 2, 3, 4))
    group("stands at 9223372036854775807", {3, math.maxinteger}, 4, past)
    heads.num_heads = 3
    group("don't divide into 7 heads", {3, 3}, 4, past)
    for _, n in ipairs {math.maxinteger, 1 << 62, 0, -1} do
      heads.num_heads, heads.kv_num_heads = 2, n
      group("2 heads of queries and " .. (n < 0 and "%" or "") .. n, {3, 3}, 4, past)
    end
  end)

  it("heads in groups have as many new keys as queries, and no quantized ones", function()
    local x = nl.ones(1, 2, 8)
    local tensors = {k = nl.ones(1, 3, 4), n = nl.tensor({1}, {dtype = nl.int32}),
      t = nl.tensor(2, {dtype = nl.int32}), b = nl.tensor(1.0)}
    local function group(message, key, attributes, ...)
      attributes.num_heads, attributes.kv_num_heads = 2, 1
      fails(message, "GroupQueryAttention", {"x", key, key, "", "", "n", "t", "", "", "", ...}, x, tensors, attributes,
        "com.microsoft")
    end
    group("3 new keys and 3 values for 2 queries", "k", {})
    tensors.k = nl.ones(1, 2, 4)
    group("without dimensions", "k", {}, "b")
    group("k_scale, v_scale", "k", {}, "", "", "b", "b")
    group("v_quant_type = PER_TENSOR", "k", {v_quant_type = "PER_TENSOR"})
  end)

  it("packed weights have the bytes that their sizes want", function()
    local tensors = {w = nl.zeros(6, 3, 8, {dtype = nl.uint8}), s = nl.ones(6, 3), z = nl.zeros(5, {dtype = nl.uint8})}
    local function packed(message, attributes, zero)
      fails(message, "MatMulNBits", {"x", "w", "s", zero}, nl.ones(1, 40), tensors, attributes, "com.microsoft")
    end
    packed("3 bits", {N = 6, K = 40, block_size = 16, bits = 3})
    packed("MatMulNBits", {N = 6, K = 40, block_size = math.maxinteger}, "z")
    packed("blocks of 0", {N = 6, K = 40, block_size = 0})
    packed("MatMulNBits", {N = -6, K = 40, block_size = 16})
    packed("MatMulNBits", {N = 6, K = 400, block_size = 16})
    packed("MatMulNBits", {N = 7, K = 40, block_size = 16})
    packed("MatMulNBits", {N = 6, K = 40, block_size = 8})
    packed("MatMulNBits", {N = 6, K = 40, block_size = 16}, "z")
    local function gathered(message, given, attributes)
      local all = {t = nl.zeros(4, 8, {dtype = nl.uint8}), s = nl.ones(4, 1)}
      for name, tensor in pairs(given) do all[name] = tensor end
      fails(message, "GatherBlockQuantized", {"t", "x", "s"}, whole {0, 3}, all, attributes or {}, "com.microsoft")
    end
    gathered("a table of shape", {t = nl.zeros(4, {dtype = nl.uint8})})
    gathered("a table of shape", {s = nl.ones(4)})
    gathered("GatherBlockQuantized", {s = nl.ones(4, 2)})
    gathered("along the last axis", {}, {gather_axis = 1})
    gathered("quantize_axis is 0", {}, {quantize_axis = 0})
  end)

  it("an LSTM of bytes has scales of each direction", function()
    local x = nl.ones(2, 1, 3)
    local function lstm(message, given)
      local tensors = {w = nl.zeros(1, 3, 8, {dtype = nl.int8}), r = nl.zeros(1, 2, 8, {dtype = nl.int8}),
        s = nl.ones(1), z = nl.zeros(1, {dtype = nl.int8})}
      for name, tensor in pairs(given) do tensors[name] = tensor end
      fails(message, "DynamicQuantizeLSTM", {"x", "w", "r", "", "", "", "", "", "s", "z", "s", "z"}, x, tensors,
        {hidden_size = 2}, "com.microsoft")
    end
    lstm("of each direction", {s = nl.tensor(1.0)})
    lstm("of each direction", {z = nl.tensor(0, {dtype = nl.int8})})
    lstm("W has shape", {w = nl.zeros(1, 4, 8, {dtype = nl.int8})})
    lstm("W and R", {w = nl.zeros(3, 8, {dtype = nl.int8})})
    lstm("weight", {w = nl.zeros(1, 3, 8, {dtype = nl.int32})})
    lstm("", {s = nl.ones(1, 5)})
  end)

  it("an LSTM of bytes has as many rows of sums as steps of its batch", function()
    local function lstm(steps, batch, rows)
      local b, h = nl.program.builder(), nl.zeros(batch, 2)
      b:output("y", (b:call("onnx_byte_lstm", {b:input "x", h, h, nl.zeros(2, 8, {dtype = nl.int8}),
        nl.zeros(8, {dtype = nl.int32}), nl.ones(8), steps = steps})))
      return b:build()(nl.zeros(rows, 8))
    end
    for _, steps in ipairs {6148914691236517206, math.maxinteger, 3, -1} do -- 3 times the first is 2^64 + 2
      assert.error_matches(function() lstm(steps, 3, 2) end, "sizes don't fit")
    end
    assert.equal("[6, 2]", tostring(lstm(2, 3, 6).shape))
    assert.equal("[0, 2]", tostring(lstm(math.maxinteger, 0, 0).shape))
  end)

  -- what ONNX Runtime 1.26 gives
  it("infinite ranges and those too small for a scale have ONNX Runtime's zero points", function()
    local b = nl.program.builder()
    local y, scale, zero = b:call("onnx_dynamic_quantize", {b:input "x"})
    b:output("y", y)
    b:output("scale", scale)
    b:output("zero", zero)
    local program = b:build()
    local function quantized(x, expected, zero_point)
      local bytes, _, z = program(nl.tensor(x, {dtype = nl.float32}))
      assert.same(expected, bytes:tolist())
      assert.equal(zero_point, z:item())
    end
    quantized({-math.huge, 1, 2}, {0, 255, 255}, 255)
    quantized({math.huge, 1, -2}, {0, 0, 0}, 0)
    quantized({-math.huge, math.huge}, {0, 0}, 255)
    quantized({3e38, -3e38}, {0, 0}, 0)
    quantized({1e-45, 0}, {255, 0}, 255)
    quantized({-1e-45, 0}, {0, 0}, 255)
    quantized({-1, 0}, {0, 255}, 255)
    local x = nl.zeros(100003)
    x[7] = 0 / 0
    assert.equal("nan", tostring(select(2, program(x)):abs():item()))
    x = nl.randn(100003) -- which threads share
    local bytes, s, z = program(x)
    local low, high = x:min():item(), x:max():item()
    assert.is_true(math.abs(s:item() - (high - low) / 255) < 1e-7)
    assert.is_true(math.abs(z:item() + low / s:item()) <= 0.5001)
    assert.is_true(bytes:equal(nl.round(x / s):add(z:item()):clamp(0, 255):to(nl.uint8)))
  end)

  it("GatherND's batches are the same", function()
    local index = whole {{{0}, {1}}, {{0}, {1}}, {{0}, {1}}}
    fails("differ in the first 1 axes", "GatherND", {"x", "i"}, nl.ones(2, 3, 4), {i = index}, {batch_dims = 1})
    local y = run("GatherND", {"x", "i"}, nl.ones(3, 3, 4), {i = index}, {batch_dims = 1})
    assert.equal("[3, 2, 4]", tostring(y.shape))
  end)

  it("Scan has as many scanned inputs as it has inputs", function()
    for _, n in ipairs {-1, 0, 3, 1 << 33, math.maxinteger} do
      fails("num_scan_inputs", "Scan", {"x"}, nl.ones(4), {}, {num_scan_inputs = n, body = {graph = ""}})
    end
  end)

  it("a node has at most 100000 inputs", function()
    local inputs = {}
    for i = 1, 100001 do inputs[i] = "" end
    fails("100001 inputs, more than 100000", "Sum", inputs, nl.ones(4))
  end)

  it("a row of the own domain tells its arguments", function()
    for _, text in ipairs {":", "", "a:b", "input:99999999999999999999"} do
      local want = text:find "9" and "lacks inputs" or "tells no argument"
      fails(want, "onnx_split", {"x"}, nl.ones(4), {}, {axis = 0, _tensors = {texts = {text}}}, "nnlua")
    end
  end)

  it("Pad cuts no more than there is", function()
    for _, mode in ipairs {"edge", "reflect", "wrap"} do
      fails("cut more than 3", "Pad", {"x", "p"}, nl.ones(3), {p = whole {-2, -2}}, {mode = mode})
      assert.equal(0, run("Pad", {"x", "p"}, nl.ones(3), {p = whole {-2, -1}}, {mode = mode}):numel())
    end
  end)

  it("takes a 0-dim tensor's axis as one of size 1, or refuses it", function()
    local x = nl.tensor(3.0)
    assert.equal(3, run("Gather", {"x", "i"}, x, {i = whole(0)}, {axis = 0}):item())
    assert.equal(1, run("Hardmax", {"x"}, x, {}, {axis = 0}):item())
    assert.is_false(pcall(run, "Split", {"x"}, x, {}, {axis = 0}))
    fails("can't be resized", "Resize", {"x", "", "", "s"}, x, {s = whole {3}}, {axes = {0}})
    fails("no batch and time", "ReverseSequence", {"x", "l"}, x, {l = whole {1}})
  end)

  it("DFT's and STFT's lengths and windows are checked", function()
    fails("has no axis", "STFT", {"x", "s", "w", "n"}, nl.ones(1, 8, 1),
      {s = whole(1), w = nl.tensor(1.0), n = whole(4)})
    local scalars = {a = whole(1 << 14), b = whole((1 << 31) - 1), c = whole(8000), d = nl.tensor(0.0),
      e = nl.tensor(10.0)}
    fails("too many", "MelWeightMatrix", {"a", "b", "c", "d", "e"}, nil, scalars)
    scalars.a, scalars.b, scalars.d = whole(8), whole(16), nl.tensor(-8000.0)
    fails("beyond half", "MelWeightMatrix", {"a", "b", "c", "d", "e"}, nil, scalars)
  end)

  it("recurrent layers' states have the batch's shape", function()
    local weights = {w = nl.ones(1, 256, 3), r = nl.ones(1, 256, 64), h = nl.ones(1, 1, 64), c = nl.ones(1, 1, 64)}
    fails("a first state", "LSTM", {"x", "w", "r", "", "", "h", "c"}, nl.ones(5, 40, 3), weights, {hidden_size = 64})
    weights.h = nl.ones(40, 64)
    fails("a first state", "LSTM", {"x", "w", "r", "", "", "h", "c"}, nl.ones(5, 40, 3), weights, {hidden_size = 64})
  end)

  it("LRN takes no more neighbours than there are channels", function()
    -- all three squares are in each window
    local y = run("LRN", {"x"}, nl.ones(1, 3, 2, 2), {}, {size = 1 << 30})
    assert.is_true(nl.allclose(y, nl.full({1, 3, 2, 2}, (1 + 1e-4 / (1 << 30) * 3) ^ -0.75)))
    y = run("LRN", {"x"}, nl.tensor {{{1.0}, {2.0}, {3.0}}}:reshape(1, 3, 1, 1) * 100, {}, {size = 3})
    local function normalized(x, ...)
      local sum = 0
      for _, v in ipairs {...} do sum = sum + v * v end
      return x / (1 + 1e-4 / 3 * sum) ^ 0.75
    end
    local want = {normalized(100, 100, 200), normalized(200, 100, 200, 300), normalized(300, 200, 300)}
    assert.is_true(nl.allclose(y:reshape(3), nl.tensor(want)))
  end)

  it("RoiAlign's points are few enough for their weights", function()
    fails("too many", "RoiAlign", {"x", "r", "b"}, nl.ones(1, 1, 1, 1), {
      r = nl.tensor {{0.0, 0 / 0, 1 / 0, 1.0}}, b = whole {0},
    }, {output_height = 32767, output_width = 1, sampling_ratio = 32767})
  end)

  it("MaxRoiPool's boxes are of images that are there", function()
    local nan = 0 / 0
    for _, image in ipairs {nan, 1 / 0, -1, 1} do
      fails("no image", "MaxRoiPool", {"x", "r"}, nl.ones(1, 1, 4, 4), {r = nl.tensor {{image, 0, 0, 1, 1}}},
        {pooled_shape = {2, 2}})
    end
    local y = run("MaxRoiPool", {"x", "r"}, nl.ones(1, 1, 4, 4), {r = nl.tensor {{0, nan, nan, nan, nan}}},
      {pooled_shape = {2, 2}})
    assert.equal("[1, 1, 2, 2]", tostring(y.shape))
  end)
end)

describe("a sparse tensor", function()
  local function load_sparse(indices, index_dims, dims)
    local function tensor(name, data_type, sizes, data)
      return writer.message("tensor", {name = name, dims = sizes, data_type = data_type, raw_data = data})
    end
    local sparse = writer.message("sparse_tensor", {
      values = tensor("v", 1, {2}, string.pack("<ff", 5, 7)),
      indices = tensor("i", 7, index_dims, string.pack("<" .. ("i8"):rep(#indices), table.unpack(indices))),
      dims = dims,
    })
    local node = writer.message("node", {op_type = "Identity", input = {"v"}, output = {"y"}})
    return load_graph({node = {node}, sparse_initializer = {sparse}})()
  end

  it("is the dense one by flat indices or one a dimension", function()
    assert.same({0, 5, 0, 7}, load_sparse({1, 3}, {2}, {4}):tolist())
    assert.same({{0, 5}, {7, 0}}, load_sparse({0, 1, 1, 0}, {2, 2}, {2, 2}):tolist())
  end)

  it("has indices within its dimensions, one for each value", function()
    for _, indices in ipairs {{-50, 1000}, {0, 4}, {-1, 0}} do
      assert.error_matches(function() load_sparse(indices, {2}, {4}) end, "onnx.load: .*'v' is out of range")
    end
    assert.error_matches(function() load_sparse({0, 2, 1, 0}, {2, 2}, {2, 2}) end, "onnx.load: .*'v' is out of range")
    assert.error_matches(function() load_sparse({0, 1, 1}, {3}, {4}) end, "onnx.load: .*don't fit")
    assert.error_matches(function() load_sparse({0, 1}, {2, 1}, {2, 2}) end, "onnx.load: .*don't fit")
    assert.error_matches(function() load_sparse({0, 1}, {2}, {}) end, "onnx.load: .*don't fit")
  end)
end)
