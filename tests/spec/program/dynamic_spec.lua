-- Programs with sizes that have names: traced at some sizes, compared with the plain path at others.
local nl = require "nnlua"
local same = require "support.same"

local nn = nl.nn
local trace = nl.program.trace

local function assert_same(expected, got) assert.is_nil(same.difference(expected, got)) end

--- That f, traced with an example of shape {4, 6} whose sizes are T and N, is the same at other sizes.
local function check(f, other_sizes)
  local p = trace(f, nl.randn(4, 6), {dynamic = {x = {"T", "N"}}})
  for _, size in ipairs(other_sizes or {{4, 6}, {8, 6}, {4, 12}, {5, 9}, {1, 1}, {20, 2}}) do
    local x = nl.randn(size[1], size[2])
    assert_same({f(x)}, {p(x)})
  end
  return p
end

local function assert_refused(message, f, example)
  local ok, told = pcall(trace, f, example or nl.randn(4, 6), {dynamic = {x = {"T", "N"}}})
  assert.is_false(ok)
  assert.truthy(told:find(message, 1, true), told)
  assert.truthy(told:find "^[^\n]*dynamic_spec.lua:%d+: ", told)
end

describe("sizes with names", function()
  it("may be passed on, added and multiplied", function()
    check(function(x)
      local t, n = x:size(1), x:size(2)
      return x:reshape(t * n), x:reshape(n, t), nl.zeros(t + 2, 3 * n - 1), x:expand(2, t, n), nl.ones(t * t, n * n),
        nl.arange(2 * t + n)
    end)
  end)

  it("may be divided where nothing is left over, which is told otherwise", function()
    local p = check(function(x) return x:narrow(1, 1, x:size(1) // 2) end, {{4, 6}, {6, 1}, {10, 3}})
    local ok, told = pcall(p, nl.randn(5, 6))
    assert.is_false(ok)
    assert.truthy(told:find("a size in the program is 5 / 2, which is no integer for these inputs", 1, true), told)
  end)

  it("are the same wherever the name stands", function()
    local q = trace(function(x, y) return x + y:view(1, y:size(1)) end, nl.randn(3, 2), nl.randn(2),
      {dynamic = {x = {false, "N"}, y = {"N"}}})
    assert_same(nl.full({3, 7}, 2.0), q(nl.ones(3, 7), nl.ones(7)))
    local ok, told = pcall(q, nl.ones(3, 7), nl.ones(6))
    assert.is_false(ok)
    assert.truthy(told:find("input 'y': dimension 1 is 6, but N is 7 by the inputs before", 1, true), told)
  end)

  it("are told in the text", function()
    local p = trace(function(x) return x:reshape(x:size(1) * 2, -1) end, nl.randn(4, 6), {dynamic = {x = {"N"}}})
    assert.matches("program%(x: float32 %(N, 6%)%)\n  v1 = reshape%(x, shape = {2 %* N, %-1}%)", tostring(p))
  end)

  it("leave buffers and random numbers as one run does", function()
    local plain, net = nn.BatchNorm1d(3), nn.BatchNorm1d(3)
    local x = nl.randn(4, 3)
    plain(x)
    nl.manual_seed(1)
    local expected = nl.rand(1)
    nl.manual_seed(1)
    trace(net, x, {dynamic = {[1] = {"N"}}})
    assert_same(plain:state_dict(), net:state_dict())
    assert_same(expected, nl.rand(1))
  end)

  it("serve recurrent nets, transformers and convolutions", function()
    local cases = {
      {nn.LSTM(3, 4, 2), {5, 2, 3}, {"T", "N"}, {9, 4, 3}},
      {nn.TransformerEncoderLayer(8, 2, 16, {dropout = 0, batch_first = true}), {2, 5, 8}, {"N", "T"}, {3, 7, 8}},
      {nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.AdaptiveAvgPool2d(2), nn.Flatten()):eval(), {2, 3, 8, 9},
        {"N", false, "H", "W"}, {5, 3, 11, 6}},
      {nn.Sequential(nn.Upsample {scale_factor = 2}, nn.PixelUnshuffle(2)), {1, 2, 4, 4}, {"N", false, "H", "W"},
        {2, 2, 3, 5}},
    }
    for _, case in ipairs(cases) do
      local p = trace(case[1], nl.randn(case[2]), {dynamic = {[1] = case[3]}})
      local x = nl.randn(case[4])
      assert_same({case[1](x)}, {p(x)})
    end
  end)

  it("are operands: whole numbers that follow from them", function()
    local function f(x)
      local n = x:size(1)
      return x:sum(1) / n, x * (n * 1.0) + (n - 1), nl.where(x:gt(0), x, 2 * n)
    end
    local p = trace(f, nl.randn(3, 2), {dynamic = {x = {"N", false}}})
    local text = tostring(p)
    assert.truthy(text:find("div(v1, N)", 1, true), text)
    assert.truthy(text:find("where(v5, x, 2 * N)", 1, true), text)
    local file = nl.io.BytesIO()
    nl.onnx.export(p, file, {strict = true})
    file:seek "set"
    local again = nl.onnx.load(file)
    for n = 4, 7 do
      local x = nl.randn(n, 2)
      local want = {f(x)}
      for _ = 1, 3 do assert_same(want, {p(x)}) end
      for i, y in ipairs {again(x)} do assert.is_true(nl.allclose(want[i], y)) end
    end
  end)

  it("are refused where the network does something else for other sizes", function()
    assert_refused("trace: the network does something else for other sizes: 0 steps for one, 1 for another", function(x)
      return x:size(1) > 7 and x + 1 or x
    end)
    assert_refused("step 1 (mul): a constant that was made of sizes differs", function(x)
      return x * (1 / x:size(1))
    end)
    assert_refused("step 1 (narrow): no sum or product of sizes gives its length", function(x)
      return x:narrow(1, 1, math.max(3, x:size(1) // 2))
    end)
    assert_refused("step 1 (mul): there it is add", function(x) return x:size(1) > 4 and x + 1 or x * 1 end)
    assert_refused("step 1 (clamp): another value for its min", function(x) return x:clamp(x:size(1) / 2) end)
    assert_refused("step 1 (split): it reads or gives other values", function(x) return x:split(2) end)
    assert_refused("another number of dimensions", function(x) return x:squeeze() end, nl.randn(1, 6))
  end)

  it("are refused where they are said wrongly", function()
    local x = nl.randn(2, 3)
    local function fails(message, dynamic)
      local ok, told = pcall(trace, function(y) return y + 1 end, x, {dynamic = dynamic})
      assert.is_false(ok)
      assert.truthy(told:find(message, 1, true), told)
    end
    fails("trace: dynamic is a table of inputs, as {y = {'N', false}}, and has 'z'", {z = {"N"}})
    fails("trace: dynamic names dimension 3 of an input that has 2", {y = {[3] = "N"}})
    fails("a name of its size, or false", {y = {7}})
  end)
end)
