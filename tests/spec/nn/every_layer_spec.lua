-- What every layer promises, tried on each class that nnlua.nn has. Here a layer is compared with itself, and with what
-- PyTorch prints for it; its values are compared with PyTorch's in oracle_spec.lua. Arguments come from
-- tests/support/layers.lua.
local layers = require "support.layers"
local nl = require "nnlua"
local testing = require "nnlua.testing"

local nn = nl.nn
local names = layers.names()

-- ------------------------------------------------------------------- helpers

--- One spec for each layer that the property is about, which gets the layer's name and each of its samples.
local function each_layer(title, applies, property)
  describe(title, function()
    for _, name in ipairs(names) do
      if applies(name) then
        it(name, function()
          for _, sample in ipairs(layers.samples(name)) do property(name, sample) end
        end)
      end
    end
  end)
end

local function always() return true end

local function takes(argument)
  return function(name) return layers.takes(name, argument) end
end

local function in_dtype(value, dtype)
  return layers.map(value, function(t) return t:is_floating_point() and t:to(dtype) or t end)
end

local function state_of(net)
  local keys, values = {}, {}
  for name, value in pairs(net:state_dict()) do
    table.insert(keys, name)
    table.insert(values, value:clone())
  end
  return keys, values
end

--- The results of a call in evaluation mode, without a graph.
local function results(net, sample)
  return nl.no_grad(layers.call, net:eval(), sample.inputs)
end

local function add_one(net)
  nl.no_grad(function()
    for parameter in net:parameters() do parameter:add_(1) end
    for buffer in net:buffers() do
      if buffer:is_floating_point() then buffer:add_(1) end
    end
  end)
end

-- ------------------------------------------------------------------- samples

describe("the samples of layers", function()
  it("are all of classes that there are", function()
    assert.same({}, layers.left_over())
  end)
end)

-- ------------------------------------------------------------------ the whole

each_layer("check_module finds nothing wrong with", always, function(name, sample)
  local net = layers.make(name, sample):to(nl.float32)
  assert.is_true(testing.check_module(net, in_dtype(sample.inputs, nl.float32)))
end)

each_layer("PyTorch prints the same for", always, function(name, sample)
  assert.equal(sample.text, tostring(layers.construct(name, sample)))
end)

-- PyTorch prints nothing of these.
local bare = {Identity = true, CosineSimilarity = true, PairwiseDistance = true, FractionalMaxPool2d = true,
  FractionalMaxPool3d = true}

each_layer("arguments are printed by", function(name)
  return not bare[name] and not name:find "Loss$"
end, function(name, sample)
  if #sample > 0 then assert.not_equal(name .. "()", tostring(layers.construct(name, sample))) end
end)

local is_of_kind = {
  integer = math.type, number = math.type, tensor = nl.is_tensor, module = nn.is_module,
  boolean = function(value) return type(value) == "boolean" end,
  string = function(value) return type(value) == "string" end,
}

each_layer("the help shows the constructor's arguments of", function(name)
  return #layers.constructor(name) > 0
end, function(name, sample)
  local named = layers.named(sample)
  for argument in pairs(named or {}) do assert.is_true(layers.takes(name, argument), argument) end
  for i = 1, named and #sample - 1 or #sample do
    local argument, kind = table.unpack(layers.constructor(name)[i])
    local fits = is_of_kind[kind:match "^%a+"]
    assert.is_truthy(not fits or fits(sample[i]), argument)
  end
end)

-- -------------------------------------------------------------------- states

each_layer("a new one that loads the state gives equal results:", always, function(name, sample)
  local net, other = layers.make(name, sample), layers.make(name, sample)
  add_one(net)
  local path = os.tmpname()
  local remover <close> = setmetatable({}, {__close = function() os.remove(path) end})
  nl.save(path, net:state_dict())
  other:load_state_dict(nl.load(path))
  testing.assert_equal(results(other, sample), results(net, sample))
  assert.same((state_of(net)), (state_of(other)))
end)

each_layer("evaluation changes no state:", always, function(name, sample)
  local net = layers.make(name, sample)
  local _, before = state_of(net)
  results(net, sample)
  local _, after = state_of(net)
  testing.assert_equal(after, before)
end)

each_layer("a deep copy goes its own way:", always, function(name, sample)
  local net = layers.make(name, sample)
  local copy, expected = nn.deepcopy(net), results(net, sample)
  testing.assert_equal(results(copy, sample), expected)
  assert.equal(tostring(net), tostring(copy))
  assert.same((state_of(net)), (state_of(copy)))
  add_one(copy)
  copy:train()
  testing.assert_equal(nl.no_grad(layers.call, net, sample.inputs), expected)
  assert.is_false(net.training)
end)

-- ------------------------------------------------------------------- devices

local function forms(value)
  local list = {}
  for i, t in ipairs(layers.tensors(value)) do list[i] = ("%s of shape %s"):format(t.dtype, t.shape) end
  return list
end

local function to_meta(t) return t:to "meta" end

local function check_on_meta(net, expected, sample)
  local values = layers.map(sample.inputs, to_meta)
  local got = layers.call(net, values)
  assert.same(forms(expected), forms(got))
  for _, t in ipairs(layers.tensors(got)) do assert.equal("meta", t.device.type) end
end

each_layer("on the meta device the results have the same form:", always, function(name, sample)
  for _, training in ipairs {true, false} do
    local net = layers.make(name, sample):train(training)
    local expected = layers.call(net, sample.inputs)
    check_on_meta(net:to "meta", expected, sample)
  end
end)

each_layer("built on the meta device, it has all tensors there:", takes "device", function(name, sample)
  local net = layers.construct(name, sample, {device = "meta", dtype = nl.float64})
  check_on_meta(net, layers.call(layers.make(name, sample), sample.inputs), sample)
  for t in net:parameters() do assert.equal("meta", t.device.type) end
  for t in net:buffers() do assert.equal("meta", t.device.type) end
end)

-- -------------------------------------------------------------------- dtypes

local allowed = {[nl.float32] = 1e-4, [nl.float16] = 2e-2, [nl.bfloat16] = 1e-1}

--- Results of a narrow dtype are near those of float64 for the same numbers.
local function check_dtype(name, sample, dtype)
  local narrow = layers.make(name, sample):to(dtype)
  local wide = nn.deepcopy(narrow):to(nl.float64)
  local values = in_dtype(sample.inputs, dtype)
  for _, training in ipairs {true, false} do
    local got = layers.call(narrow:train(training), values)
    local expected = layers.call(wide:train(training), in_dtype(values, nl.float64))
    assert.equal(#layers.tensors(expected), #layers.tensors(got))
    for _, t in ipairs(layers.floating(got)) do assert.equal(dtype, t.dtype) end
    testing.assert_close(in_dtype(got, nl.float64), expected, {rtol = allowed[dtype], atol = allowed[dtype]})
  end
end

for _, dtype in ipairs {nl.float32, nl.float16, nl.bfloat16} do
  each_layer(("in %s it computes what it does in float64:"):format(dtype), always, function(name, sample)
    check_dtype(name, sample, dtype)
  end)
end

each_layer("built in a dtype, it has all floating tensors in it:", takes "dtype", function(name, sample)
  local net = layers.construct(name, sample, {dtype = nl.float16})
  for t in net:parameters() do assert.equal(nl.float16, t.dtype) end
  for t in net:buffers() do
    if t:is_floating_point() then assert.equal(nl.float16, t.dtype) end
  end
end)

-- ----------------------------------------------------------------- gradients

--- The parameters and floating inputs of a call, as leaves, and the call as a function of nothing.
local function leaves_of(net, sample)
  local leaves = {}
  for parameter in net:parameters() do table.insert(leaves, parameter) end
  local values = layers.map(sample.inputs, function(t)
    if not t:is_floating_point() then return t end
    local leaf = t:detach():clone():requires_grad_()
    table.insert(leaves, leaf)
    return leaf
  end)
  return leaves, function() return layers.call(net, values) end
end

each_layer("gradients of parameters and inputs are the derivatives:", always, function(name, sample)
  if sample.differences == false then return end
  for _, training in ipairs {true, false} do
    local net = layers.make(name, sample):train(training)
    local leaves, call = leaves_of(net, sample)
    if #leaves > 0 then
      nl.autograd.gradcheck(function() return table.unpack(layers.floating(call())) end, leaves)
    end
  end
end)

-- ------------------------------------------------------------------- layouts

local function transposed(t)
  if t.ndim < 2 then return t end
  return t:transpose(1, -1):contiguous():transpose(1, -1)
end

each_layer("the layout of inputs makes no difference:", always, function(name, sample)
  local net = layers.make(name, sample)
  local other = {inputs = layers.map(sample.inputs, transposed)}
  testing.assert_close(results(net, other), results(net, sample))
end)

each_layer("in place it gives its input, with the same numbers:", takes "inplace", function(name, sample)
  local expected = layers.call(layers.make(name, sample), sample.inputs)[1]
  local x = sample.inputs[1]:clone()
  local y = layers.call(layers.make(name, sample, {inplace = true}), {x})[1]
  assert.equal(x, y)
  testing.assert_equal(x, expected)
end)
