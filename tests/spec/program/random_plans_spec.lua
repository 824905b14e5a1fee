-- Random programs of a seed give the same with plans as without, to the bit, whichever passes are left out.
local nl = require "nnlua"

local PASSES <const> = {"constants", "dead", "common", "kept", "batch_norm", "activations", "packed", "chains", "tails"}

-- A step takes the values so far (tensors of 2 x 3, 3 x 3 or 3) and adds one, or changes one.
local shapes = {"wide", "square", "row"}
local sizes = {wide = {2, 3}, square = {3, 3}, row = {3}}

local function pick(rng, list) return list[rng(#list)] end

local unary = {"tanh", "sigmoid", "exp", "relu", "neg", "abs", "square", "cos", "erf"}
local binary = {
  function(a, b) return a + b end, function(a, b) return a * b end, function(a, b) return a - b end,
  function(a, b) return nl.maximum(a, b) end, function(a, b) return a / (b:abs() + 1) end,
  function(a, b) return nl.where(a:gt(b), a, b) end, function(a, b) return a:gt(b) * b end,
  function(a, b) return nl.lerp(a, b, 0.25) end,
}

-- Each maker returns the kind of its result and a function of the list of values.
local makers = {
  function(rng, has)
    local kind, name = pick(rng, shapes), pick(rng, unary)
    local i = has(kind)
    return kind, function(v) return nl[name](v[kind][i]) end
  end,
  function(rng, has)
    local kind, f = pick(rng, shapes), pick(rng, binary)
    local i, j = has(kind), has(kind)
    return kind, function(v) return f(v[kind][i], v[kind][j]) end
  end,
  function(rng, has) -- broadcast
    local kind, f = pick(rng, {"wide", "square"}), pick(rng, binary)
    local i, j = has(kind), has "row"
    return kind, function(v) return f(v[kind][i], v.row[j]) end
  end,
  function(rng, has) -- numbers
    local kind, n = pick(rng, shapes), rng(5) / 2
    local i = has(kind)
    if rng(2) == 1 then return kind, function(v) return v[kind][i] * n + 1 end end
    return kind, function(v) return (v[kind][i] / n) ^ 2 end
  end,
  function(rng, has) -- columns
    local kind, f = pick(rng, {"wide", "square"}), pick(rng, binary)
    local i = has(kind)
    return kind, function(v) return f(v[kind][i], v[kind][i]:mean(2, true)) end
  end,
  function(rng, has) -- products
    local i, j = has(pick(rng, {"wide"})), has "square"
    return "wide", function(v) return v.wide[i]:matmul(v.square[j]) end
  end,
  function(rng, has) -- reductions
    local kind = pick(rng, {"wide", "square"})
    local i = has(kind)
    return "row", function(v) return v[kind][i]:sum(1) end
  end,
  function(_, has) -- views
    local i, j = has "square", has "square"
    return "square", function(v) return v.square[i]:t() + v.square[j] end
  end,
  function(_, has)
    local i = has "square"
    return "wide", function(v) return v.square[i][{{2, 3}}] end
  end,
  function(_, has)
    local i = has "wide"
    return "row", function(v) return v.wide[i][2] end
  end,
  function(_, has)
    local i = has "wide"
    return "wide", function(v) return v.wide[i]:reshape(3, 2):t():contiguous() end
  end,
  function(rng, has) -- in place
    local kind = pick(rng, shapes)
    local i, j = has(kind), has(kind)
    local name = pick(rng, {"add_", "mul_", "copy_"})
    return kind, function(v) return v[kind][i]:clone()[name](v[kind][i]:clone(), v[kind][j]) end
  end,
  function(_, has)
    local i, j = has "square", has "row"
    return "square", function(v)
      local y = v.square[i] * 1
      y[2]:add_(v.row[j])
      y:relu_()
      return y
    end
  end,
  function() return "row", function() return nl.arange(3):float() + nl.ones(3) end end,
  function() return "wide", function() return nl.randn(2, 3) end end,
  function(_, has) -- halves and doubles
    local i = has "wide"
    return "wide", function(v) return (v.wide[i]:half() * 3 + v.wide[i]:half()):tanh():float() end
  end,
  function(rng, has) -- positions that are worked out within, and writes by masks
    local i, mode = has "wide", pick(rng, {"circular", "reflect", "replicate"})
    return "wide", function(v) return nl.F.pad(v.wide[i], {1, 1}, mode)[{{}, {2, 4}}] * 2 end
  end,
  function(_, has)
    local i = has "row"
    return "row", function(v) return nl.F.interpolate(v.row[i]:view(1, 1, 3), {size = 6}):view(6)[{{2, 4}}] end
  end,
  function(_, has)
    local i, j = has "square", has "square"
    return "square", function(v) return v.square[i]:index_put({v.square[j]:gt(0)}, nl.tensor(0.5)) end
  end,
  function(_, has) -- checks of elements
    local i, j = has "wide", has "wide"
    return "wide", function(v)
      return nl.F.binary_cross_entropy(v.wide[i]:sigmoid(), v.wide[j]:sigmoid(), {reduction = "none"})
    end
  end,
  function(_, has)
    local i, j = has "square", has "row"
    return "row", function(v) return v.square[i]:quantile(v.row[j]:sigmoid(), 1):sum(1) end
  end,
  function(_, has)
    local i, j = has "square", has "row"
    return "square", function(v) return (v.square[i]:double() * v.row[j] - 1):sigmoid():float() end
  end,
}

local function generator(seed)
  local state = seed * 2654435761 % 4294967296
  return function(n)
    state = (state * 1664525 + 1013904223) % 4294967296
    return state // 65536 % n + 1
  end
end

--- A function of an input and a parameter of each shape, of a seed.
local function make(seed)
  local rng, count, steps = generator(seed), {wide = 2, square = 2, row = 2}, {}
  local function has(kind) return rng(count[kind]) end
  for i = 1, 4 + rng(20) do
    local kind, f = pick(rng, makers)(rng, has)
    count[kind] = count[kind] + 1
    steps[i] = {kind, f}
  end
  local outputs = {}
  for i = 1, rng(3) do
    local kind = pick(rng, shapes)
    outputs[i] = {kind, count[kind] - rng(math.min(3, count[kind])) + 1}
  end
  return function(inputs, parameters)
    local v = {}
    for _, kind in ipairs(shapes) do v[kind] = {inputs[kind], parameters[kind]} end
    for _, step in ipairs(steps) do table.insert(v[step[1]], step[2](v)) end
    local results = {}
    for i, o in ipairs(outputs) do results[i] = v[o[1]][o[2]] end
    return table.unpack(results)
  end
end

local function tensors()
  local t = {}
  for _, kind in ipairs(shapes) do t[kind] = nl.randn(sizes[kind]) end
  return t
end

local function same(a, b)
  assert.equal(#a, #b)
  for i = 1, #a do
    local same_nans = nl.equal(a[i]:isnan(), b[i]:isnan()) and nl.equal(a[i]:nan_to_num(), b[i]:nan_to_num())
    assert.is_true(nl.equal(a[i], b[i]) or same_nans)
    assert.same(a[i]:stride(), b[i]:stride())
  end
end

local function try(seed, without)
  nl.manual_seed(seed)
  local f, parameters = make(seed), tensors()
  local _ <close> = seed % 2 == 0 and nl.no_grad() or nil
  local fast = nl.compile(function(inputs) return f(inputs, parameters) end, {without = without})
  for round = 1, 4 do
    local inputs = tensors()
    local copies = {}
    for kind, t in pairs(inputs) do copies[kind] = t:clone() end
    if round == 3 then parameters.square:add_(0.5) end
    if round == 4 then parameters.row.data = nl.randn(3) end
    nl.manual_seed(seed + round)
    local plain = {f(inputs, parameters)}
    nl.manual_seed(seed + round)
    same(plain, {fast(copies)})
  end
  local report = nl.compile_report(fast)
  assert.equal(1, #report.programs)
  assert.is_nil(report.programs[1].reason)
end

describe("random programs", function()
  it("give the same to the bit with all passes", function()
    for seed = 1, 300 do try(seed, {}) end
  end)

  it("give the same with none", function()
    for seed = 1, 60 do try(seed, PASSES) end
  end)

  for _, name in ipairs(PASSES) do
    it("give the same without " .. name, function()
      for seed = 301, 360 do try(seed, {name}) end
    end)
  end

  it("says what is no pass", function()
    assert.error_matches(function() nl.compile(print, {without = {"magic"}}) end, "compile: there is no pass magic")
    assert.error_matches(function() nl.compile(print, {wihtout = {}}) end, "compile: .*wihtout")
    assert.error_matches(function() nl.compile(print, 3) end, "compile: a table of settings is wanted, got a number")
  end)
end)
