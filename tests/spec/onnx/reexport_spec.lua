-- Rows that the reader makes of a file, of inputs of which nothing is known, written as ONNX's own operators: read back
-- they give what these operators give.
local nl = require "nnlua"

local cases = require "onnx.cases"

--- What a program of f(b, x) gives for x, after it was written and read.
local function again(f, x)
  local b = nl.program.builder()
  local results = table.pack(f(b, b:input "x"))
  for i = 1, results.n do b:output("y" .. i, results[i]) end
  local program = b:build()
  local got = table.pack(cases.again(program, true)(x))
  for i = 1, got.n do got[i] = got[i]:tolist() end
  return table.unpack(got)
end

local x = nl.tensor {{1, 2, 3, 4, 5}, {6, 7, 8, 9, 10}}:to(nl.float32)

--- Rows of the expected values 1, 2, … as decimals of so many places.
local function rounded(list)
  for i, v in ipairs(list) do list[i] = type(v) == "table" and rounded(v) or math.floor(v * 1e4 + 0.5) / 1e4 end
  return list
end

describe("exported with ONNX's own operators and read back,", function()
  it("Split gives its parts, of sizes or as even as they get", function()
    local first, last = again(function(b, v)
      local parts = b:call("onnx_split", {v, axis = 1, num_outputs = 2})
      return b:item(parts, 1), b:item(parts, -1)
    end, x)
    assert.same({{1, 2, 3}, {6, 7, 8}}, first)
    assert.same({{4, 5}, {9, 10}}, last)
    local narrow = again(function(b, v)
      return b:item(b:call("onnx_split", {v, split = nl.tensor {4, 1}, axis = 1, num_outputs = 2}), 2)
    end, x)
    assert.same({{5}, {10}}, narrow)
  end)

  it("a sequence of parts that are wanted together is one", function()
    local turned, count = again(function(b, v)
      local parts = b:call("onnx_split", {v, axis = 0, num_outputs = 2})
      return b:call("cat", {parts, dim = 2}), b:length(parts)
    end, x)
    assert.same({{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}}, turned)
    assert.equal(2, count)
  end)

  it("ConstantOfShape fills a shape that depends on the input", function()
    local function filled(value)
      return again(function(b, v)
        return b:call("onnx_constant_of_shape", {b:call("onnx_shape", {v}), value = value})
      end, nl.zeros(1, 3))
    end
    assert.same({{7, 7, 7}}, filled(nl.tensor {7}))
    assert.same({{0, 0, 0}}, filled(nil))
    assert.same({{true, true, true}}, filled(nl.tensor {true}))
  end)

  it("Softmax of operator sets before 13 takes all axes from one on together", function()
    local function shares(kind, axis)
      return again(function(b, v) return b:call("onnx_softmax", {v, axis = axis, flat = true, kind = kind}) end,
        nl.tensor {{{0, math.log(2)}, {math.log(3), math.log(4)}}})
    end
    assert.same({{{0.1, 0.2}, {0.3, 0.4}}}, rounded(shares("softmax", 1)))
    assert.same({{{0.1, 0.2}, {0.3, 0.4}}}, rounded(shares("softmax", 0)))
    assert.same({{{0, 0}, {0, 1}}}, shares("hardmax", 1))
    assert.same({{{0.3333, 0.6667}, {0.4286, 0.5714}}}, rounded(shares("softmax", 2)))
  end)

  it("HardSigmoid's line is one", function()
    assert.same({{0.7, 0.9, 1.1, 1.3, 1.5}}, rounded(again(function(b, v)
      return b:call("onnx_affine", {v, alpha = 0.2, beta = 0.5})
    end, x:narrow(1, 1, 1))))
  end)

  it("BatchNormalization of training has the numbers of its batch, and moves the running ones", function()
    local y, mean, var = again(function(b, v)
      return b:call("onnx_batch_norm_training", {
        v, nl.ones(1), nl.zeros(1), nl.zeros(1), nl.ones(1), epsilon = 0, momentum = 0.5,
      })
    end, nl.tensor {{{1, 3}}}:to(nl.float32))
    assert.same({{{-1, 1}}}, rounded(y))
    assert.same({1}, mean)
    assert.same({1}, var)
  end)

  it("blocks, diagonals, tests and narrow integers are what they were", function()
    local image = nl.arange(1, 17):to(nl.float32):reshape(1, 1, 4, 4)
    assert.same({{{{1, 3}, {9, 11}}, {{2, 4}, {10, 12}}, {{5, 7}, {13, 15}}, {{6, 8}, {14, 16}}}},
      again(function(b, v) return b:call("onnx_space_to_depth", {v, blocksize = 2}) end, image))
    assert.same({{0, 1, 0, 0, 0}, {0, 0, 1, 0, 0}},
      again(function(b, v) return b:call("onnx_eye_like", {v, k = 1, dtype = nl.int64}) end, x))
    assert.same({false, true}, again(function(b, v) return b:call("isnan", {v}) end, nl.tensor {1, 0 / 0}))
    assert.same({false, true}, again(function(b, v) return b:call("isinf", {v}) end, nl.tensor {1, -math.huge}))
    assert.same({-7, 7}, again(function(b, v) return b:call("onnx_into_range", {v, {-8, 7}}) end,
      nl.tensor({9, 7}, {dtype = nl.int8})))
  end)

  it("RoiAlign takes the means of a box's points", function()
    local y = again(function(b, v)
      return b:call("onnx_roi_align", {
        v, nl.tensor {{0.5, 0.5, 2.5, 2.5}}, nl.tensor {0}, height = 1, width = 1, sampling_ratio = 1,
      })
    end, nl.arange(1, 17):to(nl.float32):reshape(1, 1, 4, 4))
    assert.same({{{{6}}}}, y)
  end)

  it("values whose dtype isn't known pass branches", function()
    assert.same({{2, 4, 6, 8, 10}}, again(function(b, v)
      local largest = b:call("onnx_top_k", {v, nl.tensor {1}, axis = 0, largest = false})
      local is_any = b:call("gt", {b:call("onnx_size", {largest}), 0})
      return b:branch(is_any, function(inner) return inner:call("add", {largest, largest}) end,
        function(inner) return inner:call("neg", {largest}) end)
    end, x))
  end)
end)
