-- Convolutions and products between DequantizeLinear and QuantizeLinear are read as those of quantized numbers, where
-- that is what they are; the numbers are compared with what the nodes say one by one. And pools of quantized numbers.
local nl = require "nnlua"
local types = require "nnlua.onnx.types"
local writer = require "nnlua.onnx.writer"

local F = nl.nn.functional

local function node(op, inputs, outputs, attributes, domain)
  local list = {}
  for name, value in pairs(attributes or {}) do
    local fields = {name = name}
    if math.type(value) == "integer" then
      fields.i, fields.type = value, 2
    elseif type(value) == "number" then
      fields.f, fields.type = value, 1
    else
      fields.ints, fields.type = value, 7
    end
    table.insert(list, writer.message("attribute", fields))
  end
  return writer.message("node", {
    name = outputs[1], op_type = op, domain = domain, input = inputs, output = outputs, attribute = list,
  })
end

local function load_model(nodes, tensors, outputs)
  local initializers, infos = {}, {}
  for name, tensor in pairs(tensors) do table.insert(initializers, types.tensor(name, tensor)) end
  for i, name in ipairs(outputs) do infos[i] = writer.message("value_info", {name = name}) end
  return nl.onnx.load(nl.io.BytesIO(table.concat(writer.message("model", {
    ir_version = 10, opset_import = {
      writer.message("opset", {domain = "", version = 21}),
      writer.message("opset", {domain = "com.microsoft", version = 1}),
    },
    graph = writer.message("graph", {
      name = "g", node = nodes, initializer = initializers, output = infos,
      input = {writer.message("value_info", {name = "x"})},
    }),
  }))))
end

local function byte(value) return nl.tensor(value, {dtype = nl.uint8}) end

--- What the file says, one node after the other.
local function quantized(real)
  return ((real / 0.25):round() + 100):clamp(0, 255):to(nl.uint8)
end

describe("nodes between bytes", function()
  local x, w, bias, tensors

  before_each(function()
    nl.manual_seed(0)
    x = nl.randint(0, 256, {2, 3, 5, 6}):to(nl.uint8)
    w = nl.randint(-127, 128, {4, 3, 3, 3}):to(nl.int8)
    bias = nl.randint(-9000, 9000, {4}):to(nl.int32)
    tensors = {
      xs = nl.tensor(0.125), xz = byte(120), w = w, ws = nl.tensor(0.0625), wz = nl.tensor(0, {dtype = nl.int8}),
      b = bias, bs = nl.tensor({0.0078125}), bz = nl.tensor(0, {dtype = nl.int32}), ys = nl.tensor(0.25),
      yz = byte(100),
    }
  end)

  local pads <const> = {pads = {1, 1, 1, 1}}

  local function nodes_of(op, attributes)
    return {
      node("DequantizeLinear", {"x", "xs", "xz"}, {"xr"}), node("DequantizeLinear", {"w", "ws", "wz"}, {"wr"}),
      node("DequantizeLinear", {"b", "bs", "bz"}, {"br"}), node(op, {"xr", "wr", "br"}, {"r"}, attributes),
      node("QuantizeLinear", {"r", "ys", "yz"}, {"y"}),
    }
  end

  local function real_conv()
    return F.conv2d((x:float() - 120) * 0.125, w:float() * tensors.ws:reshape {-1, 1, 1, 1},
                    bias:float() * 0.0078125, 1, 1)
  end

  it("are convolutions of bytes", function()
    local program = load_model(nodes_of("Conv", pads), tensors, {"y"})
    local text = tostring(program)
    assert.matches("QLinearConv", text)
    assert.not_matches("DequantizeLinear", text)
    for _ = 1, 3 do assert.is_true(nl.equal(quantized(real_conv()), program(x))) end
  end)

  it("stand in any order", function()
    local nodes = nodes_of("Conv", pads)
    local turned = {}
    for i = #nodes, 1, -1 do table.insert(turned, nodes[i]) end
    assert.is_true(nl.equal(quantized(real_conv()), load_model(turned, tensors, {"y"})(x)))
  end)

  it("are what they say to others that want them", function()
    local nodes = nodes_of("Conv", pads)
    table.insert(nodes, node("Neg", {"xr"}, {"n"}))
    local program = load_model(nodes, tensors, {"y", "r", "n", "wr"})
    local y, r, n, wr = program(x)
    assert.is_true(nl.equal(quantized(real_conv()), y))
    assert.is_true(nl.allclose(real_conv(), r))
    assert.is_true(nl.equal((120 - x:float()) * 0.125, n))
    assert.is_true(nl.equal(w:float() * 0.0625, wr))
  end)

  it("are products of bytes", function()
    x = nl.randint(0, 256, {5, 7}):to(nl.uint8)
    w = nl.randint(-127, 128, {4, 7}):to(nl.int8)
    tensors.w = w
    local program = load_model(nodes_of("Gemm", {transB = 1}), tensors, {"y"})
    assert.matches("MatMulInteger", tostring(program))
    local real = F.linear((x:float() - 120) * 0.125, w:float() * 0.0625, bias:float() * 0.0078125)
    for _ = 1, 3 do assert.is_true(nl.equal(quantized(real), program(x))) end
  end)

  it("stay real where the bias has another scale", function()
    tensors.bs = nl.tensor({0.5})
    local program = load_model(nodes_of("Conv", pads), tensors, {"y"})
    assert.not_matches("QLinearConv", tostring(program))
    local real = F.conv2d((x:float() - 120) * 0.125, w:float() * 0.0625, bias:float() * 0.5, 1, 1)
    assert.is_true(nl.equal(quantized(real), program(x)))
  end)

  it("stay real where the product scales its bias", function()
    tensors.w = nl.randint(-127, 128, {4, 7}):to(nl.int8)
    local program = load_model(nodes_of("Gemm", {transB = 1, beta = 0.5}), tensors, {"y"})
    assert.not_matches("MatMulInteger", tostring(program))
  end)

  it("stay real where the product alone is scaled, not its bias", function()
    x = nl.randint(0, 256, {5, 7}):to(nl.uint8)
    tensors.w = nl.randint(-127, 128, {4, 7}):to(nl.int8)
    local program = load_model(nodes_of("Gemm", {transB = 1, alpha = 0.5}), tensors, {"y"})
    assert.not_matches("MatMulInteger", tostring(program))
    local real = F.linear((x:float() - 120) * 0.125, tensors.w:float() * 0.03125, bias:float() * 0.0078125)
    assert.is_true(nl.equal(quantized(real), program(x)))
  end)

  it("stay real where scales are of what products add up, not of their columns", function()
    x = nl.randint(0, 256, {5, 4}):to(nl.uint8)
    tensors.w = nl.randint(-127, 128, {4, 4}):to(nl.int8)
    tensors.ws, tensors.wz = nl.tensor({0.0625, 0.125, 0.5, 0.25}), nl.zeros({4}, {dtype = nl.int8})
    local left, scales = (x:float() - 120) * 0.125, tensors.ws
    local function agrees(of_weight, of_product, right, op)
      local nodes = {
        node("DequantizeLinear", {"x", "xs", "xz"}, {"xr"}),
        node("DequantizeLinear", {"w", "ws", "wz"}, {"wr"}, of_weight),
        node(op or "Gemm", {"xr", "wr"}, {"r"}, of_product), node("QuantizeLinear", {"r", "ys", "yz"}, {"y"}),
      }
      local program = load_model(nodes, tensors, {"y"})
      assert.is_true(nl.equal(quantized(left:mm(right)), program(x)))
      return tostring(program)
    end
    local by_rows, by_columns = tensors.w:float() * scales:reshape(-1, 1), tensors.w:float() * scales
    assert.matches("MatMulInteger", agrees({axis = 0}, {transB = 1}, by_rows:t()))
    assert.not_matches("MatMulInteger", agrees({axis = 0}, {}, by_rows))
    assert.matches("MatMulInteger", agrees({axis = 1}, {}, by_columns))
    assert.matches("MatMulInteger", agrees({axis = -1}, {}, by_columns))
    assert.matches("QLinearMatMul", agrees({axis = 1}, nil, by_columns, "MatMul"))
    assert.not_matches("QLinearMatMul", agrees({axis = 0}, nil, by_rows, "MatMul"))
    assert.not_matches("MatMulInteger", agrees({block_size = 0}, {transB = 1}, by_columns:t()))
  end)

  it("take a scale a row of the weight", function()
    tensors.ws, tensors.wz = nl.tensor({0.0625, 0.125, 0.5, 0.25}), nl.zeros({4}, {dtype = nl.int8})
    tensors.bs = tensors.ws * 0.125
    local nodes = nodes_of("Conv", pads)
    nodes[2] = node("DequantizeLinear", {"w", "ws", "wz"}, {"wr"}, {axis = 0})
    tensors.bz = nl.zeros({4}, {dtype = nl.int32})
    nodes[3] = node("DequantizeLinear", {"b", "bs", "bz"}, {"br"}, {axis = 0})
    local program = load_model(nodes, tensors, {"y"})
    local real = F.conv2d((x:float() - 120) * 0.125, w:float() * tensors.ws:reshape {-1, 1, 1, 1},
                          bias:float() * tensors.bs, 1, 1)
    assert.is_true(nl.equal(quantized(real), program(x)))
    assert.matches("QLinearConv", tostring(program))
  end)

  --- A program of a node on dequantized inputs, x first, whose result is quantized; and what its text says.
  local function around(op, others, attributes, form)
    local nodes, names = {node("DequantizeLinear", {"x", "xs", "xz"}, {"xr"})}, {"xr"}
    for i, name in ipairs(others) do
      names[i + 1] = name .. "r"
      table.insert(nodes, node("DequantizeLinear", {name, name .. "s", name .. "z"}, {name .. "r"}))
    end
    table.insert(nodes, node(op, names, {"r"}, attributes))
    form = form or {"ys", "yz"}
    table.insert(nodes, node("QuantizeLinear", {"r", form[1], form[2]}, {"y"}))
    local program = load_model(nodes, tensors, {"y"})
    return program, tostring(program)
  end

  --- That a program on x is written as ONNX's own operators, and gives the same when it is read back.
  local function assert_written(program)
    local file = nl.io.BytesIO()
    nl.onnx.export(program, file, {strict = true})
    file:seek "set"
    assert.is_true(nl.equal(program(x), nl.onnx.load(file)(x)))
  end

  it("are written as operators of real numbers between them", function()
    tensors.w, tensors.ws, tensors.wz = nl.randint(0, 256, {2, 3, 5, 6}):to(nl.uint8), nl.tensor(0.0625), byte(90)
    for _, op in ipairs {"Add", "Mul"} do assert_written((around(op, {"w"}))) end
    assert_written((around("Concat", {"w"}, {axis = 1})))
    for _, op in ipairs {"GlobalAveragePool", "Sigmoid", "Softmax"} do assert_written((around(op, {}))) end
  end)

  it("are sums, products, parts and means of bytes", function()
    tensors.w, tensors.ws, tensors.wz = nl.randint(0, 256, {2, 3, 5, 6}):to(nl.uint8), nl.tensor(0.0625), byte(90)
    local left, right = (x:float() - 120) * 0.125, (tensors.w:float() - 90) * 0.0625
    for _, case in ipairs {
      {"Add", "QLinearAdd", left + right}, {"Mul", "QLinearMul", left * right},
      {"Concat", "QLinearConcat", nl.cat({left, right}, 2), {axis = 1}},
    } do
      local program, text = around(case[1], {"w"}, case[4])
      assert.matches(case[2], text)
      assert.not_matches("DequantizeLinear", text)
      for _ = 1, 3 do assert.is_true(nl.equal(quantized(case[3]), program(x))) end
    end
    for _, case in ipairs {
      {"AveragePool", left:unfold(3, 2, 1):unfold(4, 2, 1):mean({-1, -2}), {kernel_shape = {2, 2}}},
      {"LeakyRelu", F.leaky_relu(left, 0.25), {alpha = 0.25}},
    } do
      local program = around(case[1], {}, case[3])
      for _ = 1, 3 do assert.is_true(nl.equal(quantized(case[2]), program(x))) end
    end
  end)

  it("are products of bytes with a matrix", function()
    x = nl.randint(0, 256, {2, 5, 7}):to(nl.uint8)
    tensors.w, tensors.wz = nl.randint(-127, 128, {7, 4}):to(nl.int8), nl.tensor(3, {dtype = nl.int8})
    local program, text = around("MatMul", {"w"})
    assert.matches("QLinearMatMul", text)
    local real = ((x:float() - 120) * 0.125):matmul((tensors.w:float() - 3) * 0.0625)
    for _ = 1, 3 do assert.is_true(nl.equal(quantized(real), program(x))) end
  end)

  it("move bytes where these keep their scale and zero point", function()
    local turned = x:permute(2, 1, 4, 3)
    local function moved(form) return around("Transpose", {}, {perm = {1, 0, 3, 2}}, form) end
    local program, text = moved {"xs", "xz"}
    assert.not_matches("DequantizeLinear", text)
    for _ = 1, 3 do assert.is_true(nl.equal(turned, program(x))) end
    program, text = moved()
    assert.matches("DequantizeLinear", text)
    assert.is_true(nl.equal(quantized((turned:float() - 120) * 0.125), program(x)))
    program, text = around("MaxPool", {}, {kernel_shape = {3, 3}, pads = {1, 1, 1, 1}}, {"xs", "xz"})
    assert.not_matches("DequantizeLinear", text)
    for _ = 1, 3 do assert.is_true(nl.equal(F.max_pool2d(x:float(), 3, 1, 1):to(nl.uint8), program(x))) end
  end)

  it("stay real where two dtypes meet", function()
    tensors.w, tensors.wz = nl.randint(-127, 128, {2, 3, 5, 6}):to(nl.int8), nl.tensor(0, {dtype = nl.int8})
    local program, text = around("Add", {"w"})
    assert.matches("DequantizeLinear", text)
    local real = (x:float() - 120) * 0.125 + tensors.w:float() * 0.0625
    assert.is_true(nl.equal(quantized(real), program(x)))
  end)

  it("are named where one is missing", function()
    local nodes = nodes_of("Conv", pads)
    table.remove(nodes, 2)
    local ok, problem = pcall(load_model, nodes, tensors, {"y"})
    assert.is_false(ok)
    assert.matches("its input 'w?r' is made by no node", tostring(problem))
  end)
end)

describe("pools of quantized numbers", function()
  local function pool(op, x, attributes)
    local tensors = {xs = nl.tensor(1.0), xz = byte(10), ys = nl.tensor(2.0), yz = byte(101)}
    local nodes = {node(op, {"x", "xs", "xz", "ys", "yz"}, {"y"}, attributes, "com.microsoft")}
    return load_model(nodes, tensors, {"y"})(x):flatten():tolist()
  end

  -- means of 1, 3, 5 and -1, over the scale halves: ONNX Runtime rounds those of windows together with the zero point,
  -- 101, and those of whole images before it
  local images <const> = nl.tensor({{{{11, 11}}, {{12, 14}}, {{10, 20}}, {{8, 10}}}}, {dtype = nl.uint8})

  it("round windows' means with the zero point", function()
    local pairs_of = nl.cat({images, images}, 4) -- two windows a channel
    assert.same({102, 102, 102, 102, 104, 104, 100, 100},
                pool("QLinearAveragePool", pairs_of, {kernel_shape = {1, 2}, strides = {1, 2}}))
    assert.same({101, 103, 103, 101}, pool("QLinearAveragePool", images, {kernel_shape = {1, 2}}))
  end)

  it("round images' means before the zero point is added", function()
    assert.same({101, 103, 103, 101}, pool("QLinearGlobalAveragePool", images))
    local last = images:movedim(2, -1):contiguous()
    assert.same({101, 103, 103, 101}, pool("QLinearGlobalAveragePool", last, {channels_last = 1}))
  end)
end)
