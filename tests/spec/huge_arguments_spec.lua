-- Arguments that ask for more than there can be: an error, before any memory is taken or any work done.
local nl = require "nnlua"
local nn, F = nl.nn, nl.F

local huge = math.maxinteger

--- A tensor of many elements in the memory of one.
local function wide(...)
  local ones = {}
  for i = 1, select("#", ...) do ones[i] = 1 end
  return nl.zeros(ones):expand(...)
end

local function check(text, f)
  assert.error_matches(f, text)
end

describe("arguments that are too large", function()
  it("are told as such", function()
    check("kernel_size is 1250999896764; it must be from 1 to 2147483647",
      function() F.max_pool2d(nl.ones(1, 1, 4, 4), 1250999896764) end)
    check("kernel_size is 0; it must be from 1", function() F.max_pool2d(nl.ones(1, 1, 4, 4), 0) end)
    check("stride is " .. huge, function() F.avg_pool1d(nl.ones(1, 1, 4), 2, huge) end)
    check("dilation is " .. huge, function() F.max_pool1d(nl.ones(1, 1, 4), 2, 1, 0, huge) end)
    check("padding is " .. huge, function() F.conv1d(nl.ones(1, 1, 4), nl.ones(1, 1, 2), {padding = huge}) end)
    check("groups is " .. huge, function() F.conv1d(nl.ones(1, 1, 4), nl.ones(1, 1, 2), {groups = huge}) end)
    check("scale_factor is 1e%+18; a size of 4e%+18 is too large",
      function() F.interpolate(nl.ones(1, 1, 4), {scale_factor = 1e18}) end)
    check("scale_factor is 0; a positive number is wanted",
      function() F.interpolate(nl.ones(1, 1, 4), {scale_factor = 0}) end)
    check("lambd must not be negative", function() F.softshrink(nl.ones(1), -1) end)
  end)

  it("are told before work begins that nothing bounds but they", function()
    check("p is 1099511627776; it must be from 1 to 65536", function() nl.ones(3):mvlgamma(1 << 40) end)
    for _, class in ipairs {"LSTM", "GRU", "RNN"} do
      check("num_layers must be from 1 to 65536", function() nn[class](2, 2, 1 << 40) end)
    end
    local layer = nn.TransformerEncoderLayer(2, 1, 2)
    check("num_layers must be from 0 to 65536", function() nn.TransformerEncoder(layer, 1 << 40) end)
    check("the factor must be from 1 to 65536", function() return nn.Sequential(nn.ReLU()) * (1 << 40) end)
    local states = {nl.zeros(1, 1, 2), nl.zeros(1, 1, 2)}
    local weights = {nl.ones(8, 2), nl.ones(8, 2), nl.ones(8), nl.ones(8)}
    check("4 parameters are too few for 9223372036854775807 layers",
      function() nl.lstm(nl.ones(1, 1, 2), states, weights, true, huge, 0.0, false, false, false) end)
  end)

  it("are told before expanded tensors take memory", function()
    local a, b = wide(1 << 31, 3), wide(1 << 33, 3)
    check("is too large", function() nl.cdist(a, b) end)
    check("is too large", function() nl.cdist(a, b, 1.0) end)
    check("is too large", function() nl.mm(a, b:t()) end)
    check("is too large", function() F.linear(a, b) end)
    check("is too large", function() nl.outer(wide(1 << 31), wide(1 << 33)) end)
    check("is too large", function() nl.kron(wide(1 << 31), wide(1 << 33)) end)
    check("is too large", function() nl.vander(wide(1 << 31), 1 << 33) end)
    check("is too large", function() F.one_hot(nl.ones(1):long():expand(1 << 31), 1 << 33) end)
    check("are too large", function() nl.repeat_interleave(wide(1 << 33), 1 << 33) end)
    check("is too large", function() nl.combinations(nl.zeros(200), 100) end)
  end)
end)

describe("the positions of a triangle", function()
  --- What they are by definition.
  local function expected(rows, columns, offset, lower)
    local list = {{}, {}}
    for r = 1, rows do
      for c = 1, columns do
        if lower and c <= r + offset or not lower and c >= r + offset then
          table.insert(list[1], r)
          table.insert(list[2], c)
        end
      end
    end
    return list
  end

  it("are those that there are, for any offset", function()
    for rows = 0, 4 do
      for columns = 0, 4 do
        for offset = -6, 6 do
          assert.same(expected(rows, columns, offset, true), nl.tril_indices(rows, columns, offset):tolist())
          assert.same(expected(rows, columns, offset, false), nl.triu_indices(rows, columns, offset):tolist())
        end
      end
    end
  end)

  it("take work for themselves only, not for rows without any", function()
    assert.same({{1, 1, 2}, {2, 3, 3}}, nl.triu_indices(1 << 40, 3, 1):tolist())
    assert.same({{1 << 40}, {1}}, nl.tril_indices(1 << 40, 2, 1 - (1 << 40)):tolist())
    assert.same({2, 0}, nl.tril_indices(huge, 0).shape:totable())
    assert.has_error(function() nl.tril_indices(1 << 40, 2) end)
  end)
end)
