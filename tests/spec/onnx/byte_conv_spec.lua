-- Convolutions of bytes, QLinearConv and ConvInteger, against convolutions of doubles, which hold their sums exactly.
local nl = require "nnlua"
local types = require "nnlua.onnx.types"
local writer = require "nnlua.onnx.writer"

local F = nl.nn.functional

local function attribute(name, value)
  local fields = {name = name}
  if math.type(value) == "integer" then
    fields.i, fields.type = value, 2
  else
    fields.ints, fields.type = value, 7
  end
  return writer.message("attribute", fields)
end

--- A program of one node whose inputs are initializers, or else given to it, in this order.
local function load_node(op, inputs, tensors, attributes)
  local list, initializers, given = {}, {}, {}
  for name, value in pairs(attributes) do table.insert(list, attribute(name, value)) end
  for name, tensor in pairs(tensors) do table.insert(initializers, types.tensor(name, tensor)) end
  for _, name in ipairs(inputs) do
    if not tensors[name] then table.insert(given, writer.message("value_info", {name = name})) end
  end
  local node = writer.message("node", {name = "n", op_type = op, input = inputs, output = {"y"}, attribute = list})
  local text = table.concat(writer.message("model", {
    ir_version = 10, opset_import = {writer.message("opset", {domain = "", version = 21})},
    graph = writer.message("graph", {
      name = "g", node = {node}, initializer = initializers, input = given,
      output = {writer.message("value_info", {name = "y"})},
    }),
  }))
  return nl.onnx.load(nl.io.BytesIO(text))
end

local low <const> = {[nl.uint8] = 0, [nl.int8] = -128}

local function bytes(dtype, ...)
  return nl.randint(low[dtype], low[dtype] + 256, {...}):to(dtype)
end

--- The sums in doubles: x less its zero point, padded with 0, convolved with w less its own.
local function sums_of(case, x, w)
  local n = x:dim() - 2
  local left = x:double() - case.x_zero:double()
  local w_zero = case.w_zero:double()
  if w_zero:numel() > 1 then w_zero = w_zero:reshape({-1, 1, table.unpack({1, 1}, 1, n)}) end
  local pads, padding = case.attributes.pads, {}
  for i = n, 1, -1 do
    table.insert(padding, pads[i])
    table.insert(padding, pads[n + i])
  end
  left = F.pad(left, padding)
  local conv = n == 1 and F.conv1d or F.conv2d
  return conv(left, w:double() - w_zero, nil, case.attributes.strides, 0,
              case.attributes.dilations, case.attributes.group)
end

local function geometry(x_shape, w_shape, options)
  local n, attributes = #x_shape - 2, {}
  for name, default in pairs {strides = 1, dilations = 1} do
    attributes[name] = options[name] or {table.unpack({default, default}, 1, n)}
  end
  attributes.pads = options.pads or {table.unpack({0, 0, 0, 0}, 1, 2 * n)}
  attributes.group = options.group or 1
  return {x_shape = x_shape, w_shape = w_shape, attributes = attributes}
end

local cases = {
  ["a kernel of one element"] = geometry({2, 5, 6, 7}, {9, 5, 1, 1}, {}),
  ["many places"] = geometry({1, 6, 40, 37}, {17, 6, 1, 1}, {}),
  ["3 x 3 with pads"] = geometry({2, 3, 9, 8}, {14, 3, 3, 3}, {pads = {1, 1, 1, 1}}),
  ["3 x 3 without pads"] = geometry({1, 3, 9, 8}, {5, 3, 3, 3}, {}),
  ["7 x 7 with strides"] = geometry({1, 3, 23, 25}, {13, 3, 7, 7}, {pads = {3, 3, 3, 3}, strides = {2, 2}}),
  ["uneven pads, strides and dilations"] =
    geometry({2, 4, 11, 13}, {6, 2, 3, 2}, {pads = {2, 0, 1, 3}, strides = {3, 4}, dilations = {2, 3}, group = 2}),
  ["strides of 2 without pads"] = geometry({1, 4, 9, 9}, {8, 4, 1, 1}, {strides = {2, 2}}),
  ["pads wider than the image"] = geometry({1, 2, 2, 1}, {3, 2, 3, 3}, {pads = {4, 5, 4, 5}}),
  ["each channel alone"] = geometry({2, 7, 9, 8}, {7, 1, 3, 3}, {pads = {1, 1, 1, 1}, group = 7}),
  ["each channel alone, strides of 2"] =
    geometry({2, 5, 19, 40}, {5, 1, 5, 5}, {pads = {2, 2, 2, 2}, strides = {2, 2}, group = 5}),
  ["each channel alone, uneven pads and a dilation"] =
    geometry({1, 5, 9, 20}, {5, 1, 3, 4}, {pads = {0, 3, 2, 1}, dilations = {2, 1}, group = 5}),
  ["each channel alone, in columns apart"] =
    geometry({1, 5, 9, 20}, {5, 1, 2, 2}, {pads = {0, 3, 2, 1}, dilations = {1, 3}, strides = {1, 3}, group = 5}),
  ["each channel alone, no pads"] = geometry({1, 3, 5, 3}, {3, 1, 3, 3}, {group = 3}),
  ["several rows a channel"] = geometry({1, 3, 6, 6}, {6, 1, 3, 3}, {pads = {1, 1, 1, 1}, group = 3}),
  ["lines alone"] = geometry({2, 4, 30}, {5, 4, 3}, {pads = {1, 2}, strides = {2}}),
  ["a long line"] = geometry({1, 2, 3000}, {3, 2, 5}, {pads = {2, 2}}),
  ["one place"] = geometry({3, 40, 1, 1}, {30, 40, 1, 1}, {}),
}

local function each_dtype(f)
  for _, x_dtype in ipairs {nl.uint8, nl.int8} do
    for _, w_dtype in ipairs {nl.uint8, nl.int8} do f(x_dtype, w_dtype) end
  end
end

describe("convolutions of bytes", function()
  before_each(function() nl.manual_seed(3) end)
  local threads_before <const> = nl.get_num_threads()

  after_each(function() nl.set_num_threads(threads_before) end)

  --- Calls on one thread and on two, the plain first one and planned ones.
  local function agrees(program, x, expected)
    for _, threads in ipairs {1, 2} do
      nl.set_num_threads(threads)
      for _ = 1, 3 do
        local y = program(x)
        assert.equal(expected.dtype, y.dtype)
        assert.is_true(nl.equal(expected, y))
      end
    end
  end

  for name, case in pairs(cases) do
    it("gives exact sums: " .. name, function()
      each_dtype(function(x_dtype, w_dtype)
        local x, w = bytes(x_dtype, table.unpack(case.x_shape)), bytes(w_dtype, table.unpack(case.w_shape))
        case.x_zero, case.w_zero = bytes(x_dtype):reshape({}), bytes(w_dtype):reshape({})
        local program = load_node("ConvInteger", {"x", "w", "p", "q"}, {w = w, p = case.x_zero, q = case.w_zero},
                                  case.attributes)
        agrees(program, x, sums_of(case, x, w):to(nl.int32))
      end)
    end)

    it("gives bytes: " .. name, function()
      each_dtype(function(x_dtype, w_dtype)
        local x, w = bytes(x_dtype, table.unpack(case.x_shape)), bytes(w_dtype, table.unpack(case.w_shape))
        local rows = w:size(1)
        case.x_zero, case.w_zero = bytes(x_dtype):reshape({}), bytes(w_dtype, rows)
        local y_zero, bias = bytes(x_dtype):reshape({}), nl.randint(-5000, 5000, {rows}):to(nl.int32)
        local x_scale, w_scale = nl.tensor(0.03), nl.rand(rows) * 0.02 + 0.01
        local y_scale = nl.tensor(0.7)
        local program = load_node(
          "QLinearConv", {"x", "xs", "p", "w", "ws", "q", "ys", "yz", "b"},
          {xs = x_scale, p = case.x_zero, w = w, ws = w_scale, q = case.w_zero, ys = y_scale, yz = y_zero, b = bias},
          case.attributes)
        local each = {1, -1, table.unpack({1, 1}, 1, x:dim() - 2)}
        local sums = (sums_of(case, x, w) + bias:double():reshape(each)):float()
        local real = (sums * (x_scale * w_scale / y_scale):reshape(each)):round() + y_zero:float()
        agrees(program, x, real:clamp(low[x_dtype], low[x_dtype] + 255):to(x_dtype))
      end)
    end)
  end

  it("rounds halves to even numbers, and stays within a byte", function()
    local one = nl.tensor({{{{1}}}}, {dtype = nl.int8})
    local none = nl.tensor(0, {dtype = nl.int8})
    local program = load_node(
      "QLinearConv", {"x", "xs", "none", "w", "ws", "none", "ys", "yz"},
      {xs = nl.tensor(1.0), none = none, w = one, ws = nl.tensor({1.0}), ys = nl.tensor(2.0),
       yz = nl.tensor(100, {dtype = nl.int8})}, {})
    local x = nl.tensor({{{{-128, -127, -3, -1, 0, 1, 3, 5, 53, 54, 55, 127}}}}, {dtype = nl.int8})
    assert.same({36, 36, 98, 100, 100, 100, 102, 102, 126, 127, 127, 127}, program(x):flatten():tolist())
  end)

  it("takes images that lie anyhow, and weights that change", function()
    local case = cases["3 x 3 with pads"]
    case.x_zero, case.w_zero = nl.tensor(3, {dtype = nl.uint8}), nl.tensor(0, {dtype = nl.int8})
    local program = load_node("ConvInteger", {"x", "w", "p"}, {p = case.x_zero}, case.attributes)
    local x = bytes(nl.uint8, 8, 3, 9, 4):transpose(1, 4):narrow(1, 2, 2)
    for _ = 1, 4 do
      local w = bytes(nl.int8, table.unpack(case.w_shape))
      assert.is_true(nl.equal(sums_of(case, x, w):to(nl.int32), program(x, w)))
    end
  end)

  it("takes no elements", function()
    local w = nl.zeros({2, 3, 1, 1}, {dtype = nl.int8})
    local program = load_node("ConvInteger", {"x", "w"}, {w = w}, {})
    assert.same({0, 2, 4, 4}, {table.unpack(program(nl.zeros({0, 3, 4, 4}, {dtype = nl.uint8})).shape)})
    program = load_node("ConvInteger", {"x", "w"}, {w = nl.zeros({2, 0, 1, 1}, {dtype = nl.int8})}, {})
    assert.is_true(nl.equal(program(nl.zeros({1, 0, 2, 2}, {dtype = nl.uint8})), nl.zeros({1, 2, 2, 2},
                                                                                          {dtype = nl.int32})))
  end)

  it("tells what doesn't fit", function()
    local w = nl.zeros({2, 3, 2, 2}, {dtype = nl.int8})
    local x = nl.zeros({1, 3, 4, 4}, {dtype = nl.uint8})
    local function fails(message, tensor, attributes)
      local ok, problem = pcall(load_node("ConvInteger", {"x", "w"}, {w = w}, attributes), tensor)
      assert.is_false(ok)
      assert.matches(message, tostring(problem))
    end
    fails("channels", nl.zeros({1, 4, 4, 4}, {dtype = nl.uint8}), {})
    fails("group", x, {group = 0})
    fails("strides has", x, {strides = {1}})
    fails("kernel takes", x, {dilations = {4, 4}})
    fails("pads has", x, {pads = {1, 1}})
  end)
end)
