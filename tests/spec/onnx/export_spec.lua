-- parts: 2
-- Programs written to files of ONNX and read back. What ONNX Runtime makes of the files tests/onnx/exports.py tells.
local here = debug.getinfo(1, "S").source:match("^@(.*)/") or "."
package.path = here .. "/../../?.lua;" .. package.path

local nl = require "nnlua"

local cases = require "onnx.cases"
local exported = require "onnx.exported"
local runner = require "oracle.runner"

local F, nn = nl.F, nl.nn

--- A function traced with examples, written and read back; the text of what was read.
local function again(f, ...)
  local _ <close> = nl.no_grad()
  local program = cases.again(nl.program.trace(f, ...))
  return program, tostring(program)
end

describe("a program that is exported and read back", function()
  it("gives what the network gives", function()
    local net = nn.Sequential(nn.Conv2d(3, 4, 3, {padding = 1}), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
      nn.Flatten(), nn.Linear(64, 5))
    net:eval()
    local x = nl.randn(2, 3, 8, 8)
    local program = again(net, x)
    assert.is_true(nl.allclose(net(x), program(x)))
    assert.same({"input", "output"}, {program.inputs[1].name, program.outputs[1].name})
    assert.equal("[4, 3, 3, 3]", tostring(program:state_dict()["0.weight"].shape))
  end)

  it("tells the outputs' dtypes and shapes", function()
    local program = again(function(x) return x:gt(0), x:sum(2) end, nl.ones(2, 3))
    local first, second = program.outputs[1], program.outputs[2]
    assert.same({nl.bool, 2, 3, nl.float32, 2}, {
      first.dtype, first.shape[1], first.shape[2], second.dtype, second.shape[1],
    })
    local traced = nl.program.trace(nn.Linear(3, 4), nl.ones(2, 3), {dynamic = {{"N", false}}})
    assert.same({"N", 4}, {table.unpack(cases.again(traced).outputs[1].shape)})
  end)

  it("shifts by nothing, by too much and by less than nothing", function()
    for _, dtype in ipairs {nl.int8, nl.uint8, nl.int64} do
      local x = nl.tensor({{-128}, {-3}, {0}, {5}, {127}}, {dtype = nl.int64}):to(dtype)
      local by = nl.tensor({-1, 0, 1, 6, 7, 8, 62, 63, 64, 100}, {dtype = nl.int64}):to(dtype)
      for _, name in ipairs {"bitwise_left_shift", "bitwise_right_shift"} do
        local program, text = again(function(a, b) return nl[name](a, b) end, x, by)
        assert.is_true(nl.equal(nl[name](x, by), program(x, by)))
        -- Pow takes no numbers of 8 or 16 bits
        assert.equal(dtype ~= nl.int64, text:find("to(a, dtype = int32)", 1, true) ~= nil)
      end
    end
  end)

  it("keeps what it tells besides", function()
    local program = nl.program.trace(nn.Linear(2, 3), nl.ones(1, 2))
    program.metadata = {classes = "cat\ndog", author = "a"}
    assert.same({classes = "cat\ndog", author = "a"}, cases.again(program).metadata)
  end)

  it("keeps nan", function()
    local nan, inf = nl.nan, math.huge
    local function f(t)
      local top, at = t:cummax(2)
      local bottom, place = t:cummin(2)
      local middle, where = t:median(2)
      return top, at, bottom, place, middle, where, t:median(), F.softshrink(t), F.hardshrink(t)
    end
    local x = nl.tensor {{1.0, nan, 3.0}, {2.0, 5.0, nan}, {3.0, 1.0, 2.0}}
    local got = {again(f, nl.ones(3, 3))(x)}
    -- torch 2.15, positions plus 1
    local expected = {
      {{1, nan, nan}, {2, 5, nan}, {3, 3, 3}}, {{1, 2, 2}, {1, 2, 3}, {1, 1, 1}},
      {{1, nan, nan}, {2, 2, nan}, {3, 1, 1}}, {{1, 2, 2}, {1, 1, 3}, {1, 2, 2}},
      {nan, nan, 2}, {2, 3, 3}, nan,
      {{0.5, nan, 2.5}, {1.5, 4.5, nan}, {2.5, 0.5, 1.5}}, {{1, nan, 3}, {2, 5, nan}, {3, 1, 2}},
    }
    for i, want in ipairs(expected) do
      assert.is_true(nl.allclose(nl.tensor(want, {dtype = got[i].dtype}), got[i], {equal_nan = true}), "result " .. i)
    end
    local y, z = nl.tensor {inf, inf, -inf, -inf}, nl.tensor {inf, -inf, inf, -inf}
    local angles = again(nl.atan2, nl.ones(4), nl.ones(4))(y, z) / math.pi
    assert.is_true(nl.allclose(nl.tensor {0.25, 0.75, -0.25, -0.75}, angles))
  end)

  it("gives positions from 1, for the file adds 1 where they leave", function()
    local x = nl.tensor {{1.0, 9.0, 3.0}, {7.0, 5.0, 6.0}}
    local program, text = again(function(t)
      local _, at = t:max(2)
      return t:argmax(2), at, (select(2, t:topk(2, 2)))
    end, x)
    local first, second, third = program(x)
    assert.same({{2, 1}, {2, 1}, {{2, 3}, {1, 3}}}, {first:tolist(), second:tolist(), third:tolist()})
    assert.matches("ArgMax", text)
    assert.matches("add%(", text)
  end)

  it("takes positions from 1, for the file subtracts 1 where they enter", function()
    local table_of, at = nl.randn(5, 2), nl.tensor {5, 1, 2}
    local program, text = again(function(i) return F.embedding(i, table_of) end, at)
    assert.is_true(nl.equal(F.embedding(at, table_of), program(at)))
    assert.matches("sub%(", text)
    assert.matches("Gather", text)
    local labels, scores = nl.tensor {1, 3}, nl.randn(2, 3)
    local loss = again(function(s, l) return F.cross_entropy(s, l) end, scores, labels)
    assert.is_true(nl.allclose(F.cross_entropy(scores, labels), loss(scores, labels)))
  end)

  it("has rows that ONNX hasn't as nodes of the domain nnlua, with all their arguments", function()
    local x = nl.randn(2, 6)
    local function f(t) return t:histc(4, -1, 1.5), nl.special.zeta(t + 9, 1.5), nl.igamma(t:abs(), t + 9) end
    local program, text = again(f, x)
    local want, got = {f(x)}, {program(x)}
    for i = 1, 3 do assert.is_true(nl.allclose(want[i], got[i])) end
    assert.matches("histc%(t, bins = 4, min = %-1, max = 1%.5%)", text)
  end)

  it("has composed rows as what they are composed of, and says so with strict = true only of what is left", function()
    local x, y = nl.randn(4, 6), nl.randn(4, 6)
    local file = nl.io.BytesIO()
    local function f(a, b) return F.cosine_embedding_loss(a, b, nl.tensor {1, -1, 1, -1}), nl.kron(a, b), a:rot90() end
    nl.onnx.export(nl.program.trace(f, x, y), file, {strict = true})
    file:seek "set"
    local want, got = {f(x, y)}, {nl.onnx.load(file)(x, y)}
    for i = 1, 3 do assert.is_true(nl.allclose(want[i], got[i], {atol = 1e-6})) end
  end)

  it("has positions of uneven pools, of scattered elements and of cumulative extremes from 1", function()
    local x = nl.randn(1, 2, 7, 5)
    local function f(t)
      local y, at = F.adaptive_max_pool2d(t, {3, 2}, true)
      local _, last = t:cummax(4)
      local sum = t:index_add(3, nl.tensor {1, 3}, t[{{}, {}, {1, 2}}])
      return y, at, last, sum, nl.searchsorted(nl.tensor {-1.0, 0.0, 1.0}, t)
    end
    local program = again(f, x)
    local want, got = {f(x)}, {program(x)}
    for i = 1, 5 do assert.is_true(nl.allclose(want[i], got[i])) end
  end)

  it("has complex numbers as pairs, if no input or output is complex", function()
    local x, window = nl.randn(2, 50), nl.hann_window(16)
    local function f(t)
      local z = nl.stft(t, 16, {hop_length = 4, window = window, return_complex = true})
      local half = nl.fft.rfft(t)
      return z:abs(), nl.view_as_real(z:conj()), nl.fft.irfft(half * half * 0.5, 50), nl.fft.irfft2(nl.fft.rfft2(t)),
        nl.fft.ifft(nl.fft.fft(t[{{}, {1, 49}}])).real, (nl.polar(t:abs(), t) + 1).imag
    end
    local file = nl.io.BytesIO()
    nl.onnx.export(nl.program.trace(f, x), file, {strict = true})
    file:seek "set"
    local want, got = {f(x)}, {nl.onnx.load(file)(x)}
    for i = 1, 6 do assert.is_true(nl.allclose(want[i], got[i], {atol = 1e-5}), "output " .. i) end
    local complex = nl.program.trace(function(t) return nl.fft.rfft(t) end, x)
    assert.error_matches(function() nl.onnx.export(complex, nl.io.BytesIO(), {strict = true}) end,
      "onnx.export: ONNX has no complex numbers: give them by view_as_real")
    assert.is_true(nl.allclose(complex(x), cases.again(complex)(x), {atol = 1e-5}))
  end)

  it("of a row that ONNX hasn't is refused by name with strict = true", function()
    local program = nl.program.trace(function(t) return nl.lgamma(t) end, nl.randn(3))
    assert.error_matches(function()
      nl.onnx.export(program, nl.io.BytesIO(), {strict = true})
    end, "onnx.export: ONNX has nothing for the row 'lgamma'")
  end)

  it("takes inputs of other sizes where the trace had names for them", function()
    local layer = nn.TransformerEncoderLayer(8, 2, {batch_first = true}):eval()
    local function f(x) return layer(x):reshape(x:size(1) * x:size(2), 8), x:narrow(2, 2, x:size(2) - 1) end
    local _ <close> = nl.no_grad()
    local program = cases.again(nl.program.trace(f, nl.randn(2, 5, 8), {dynamic = {x = {"N", "L"}}}))
    local x = nl.randn(3, 7, 8)
    local want, got = {f(x)}, {program(x)}
    assert.is_true(nl.allclose(want[1], got[1], {atol = 1e-6}))
    assert.is_true(nl.equal(want[2], got[2]))
    assert.same({"N", "L", 8}, program.inputs[1].shape)
  end)

  it("writes numbers that follow from sizes", function()
    local function f(v)
      local t, n = v:size(1), v:size(2)
      local bounded, filled = (v * 10):clamp(-t, n) + F.hardtanh(v * 10, -n, t), nl.full_like(v, t * n)
      return bounded, filled, nl.full({t, 2}, n), v:new_full({n}, t), v:mm(v:t()):tril(t - 5), v:triu(n - 6),
        nl.arange(n), nl.arange(1, t + 1), nl.arange(0, n, {dtype = nl.float32})
    end
    local again = cases.again(nl.program.trace(f, nl.randn(4, 6), {dynamic = {v = {"T", "N"}}}))
    for _, sizes in ipairs {{4, 6}, {7, 5}} do
      local v = nl.randn(sizes)
      assert.is_nil(exported.difference(table.pack(again(v)), table.pack(f(v))))
    end
  end)

  it("says of a number that follows from sizes that ONNX can't express it, where it can't", function()
    local x, options = nl.randn(4, 6), {dynamic = {v = {"T", "N"}}}
    local line = nl.program.trace(function(v) return v * nl.linspace(0, 1, v:size(2)) end, x, options)
    assert.error_matches(function() nl.onnx.export(line, nl.io.BytesIO()) end,
      "onnx.export: the row 'linspace' has sizes that follow from the inputs'")
    local function f(v) return v:masked_fill(v:lt(0), -v:size(2)) end
    local again = cases.again(nl.program.trace(f, x, options))
    local other = nl.randn(8, 5)
    assert.is_true(nl.equal(f(other), again(other)))
  end)

  it("changes what a write in place changes, where its result alone is read", function()
    local x = nl.tensor {-1.0, 2.0}
    local program = again(function(t) return (t * 2):relu_() + 1 end, x)
    assert.same({1, 5}, program(x):tolist())
    local seen = nl.program.trace(function(t)
      local y = t * 2
      y[1]:zero_()
      return y
    end, x)
    assert.error_matches(function() nl.onnx.export(seen, nl.io.BytesIO()) end, "in place that is read afterwards")
    local net = nn.BatchNorm1d(2)
    local training = nl.program.trace(net, nl.randn(4, 2))
    assert.error_matches(function() nl.onnx.export(training, nl.io.BytesIO()) end, "network in evaluation mode")
  end)

  it("has branches, loops and sequences", function()
    local b = nl.program.builder()
    local x = b:input("x", {dtype = nl.float32, shape = {2}})
    local y = b:branch(b:call("gt", {b:call("sum", {x}), 0}), function(body) return body:call("mul", {x, 2}) end,
      function() return x end)
    local sum, all = b:loop(nl.tensor(3), nil, {y}, function(body, _, _, s)
      local new = body:call("add", {s, x})
      return nil, {new}, {new}
    end)
    b:output("sum", sum)
    b:output("all", all)
    b:output("length", b:length(b:sequence {x, y}))
    local program = cases.again(b:build())
    local s, a, n = program(nl.tensor {1.0, 2.0})
    assert.same({{5, 10}, {{3, 6}, {4, 8}, {5, 10}}, 2}, {s:tolist(), a:tolist(), n:item()})
    assert.same({-4, 0}, program(nl.tensor {-1.0, 0.0}):tolist())
  end)

  it("is refused if it is no program, or can't be written", function()
    assert.error_matches(function() nl.onnx.export(nn.Linear(2, 2), "x") end, "a program is expected first")
    local program = nl.program.trace(function(t) return t end, nl.ones(1))
    assert.error_matches(function() nl.onnx.export(program, 3) end, "a path, or an open file or buffer, is expected")
    assert.error_matches(function() nl.onnx.export(program, "/nowhere/x.onnx") end, "can't be written")
  end)
end)

describe("a program exported from", function()
  for _, file in ipairs(runner.files(here .. "/../../oracle/cases", "modules")) do
    it(file.name .. " gives what it gave when it is read back", function()
      exported.each(file, function(number, program, inputs)
        local want = exported.results(program, inputs)
        assert.is_nil(exported.difference(exported.results(cases.again(program), inputs), want), "case " .. number)
      end)
    end)
  end
end)
