-- Lua's / gives floats: a whole one is a size, a dimension, an index or an option as good as an integer, in every form.
local nl = require "nnlua"
local nn, F, optim, data = nl.nn, nl.nn.functional, nl.optim, nl.utils.data

local x = nl.arange(1, 13):float():view(3, 4)
local image = nl.ones(1, 2, 4, 4)

-- Functions of a number that give tensors, or other values to compare; each is tried with 2 and with 4/2.
local uses = {
  sizes = {
    function(n) return nl.zeros(n, 3) end, function(n) return nl.zeros(3, n) end, function(n) return nl.ones {n, 3} end,
    function(n) return nl.zeros {size = {n, 3}} end, function(n) return nl.full(n, 3, 1.0) end,
    function(n) return nl.full({3, n}, 7) end, function(n) return nl.rand(n, n) end,
    function(n) return nl.randint(n * 5, {n}) end, function(n) return nl.randperm(n) end,
    function(n) return nl.eye(n, n) end, function(n) return nl.linspace(0, 1, n) end,
    function(n) return x:view(n, -1) end, function(n) return x:view(x:size(1) * n / n, -1) end,
    function(n) return x:view {-1, n} end, function(n) return x:reshape(n, 6) end,
    function(n) return nl.ones(1, 3):expand(n, 3) end, function(n) return nl.ones(3):broadcast_to(n, 3) end,
    function(n) return x:rep(n, 1) end, function(n) return x:tile(n) end, function(n) return x:tile {n, n} end,
    function(n) return x:unflatten(2, {n, 2}) end, function(n) return x:new_zeros(n, n) end,
    function(n) return x:as_strided({n, n}, {1, n}, n) end, function(n) return nl.Size(n, 3) end,
    function(n) return nl.Size {n, 3} end, function(n) return nl.broadcast_shapes({n, 1}, n) end,
  },
  ["dimensions and quantities"] = {
    function(n) return x:narrow(n, n, n) end, function(n) return x:split(n) end,
    function(n) return x:split({1, n}) end, function(n) return x:chunk(n) end, function(n) return x:select(n, n) end,
    function(n) return x:permute(n, 1) end, function(n) return x:transpose(1, n) end,
    function(n) return x:sum(n) end, function(n) return x:sum(1, n) end, function(n) return x:sum {dim = {n}} end,
    function(n) return x:max(n) end, function(n) return x:var(n) end, function(n) return x:norm(2, n) end,
    function(n) return nl.cat({x, x}, n) end, function(n) return x:topk(n) end,
    function(n) return x:unfold(n, n, 1) end,
    function(n) return x:flip(n) end, function(n) return x:roll(n, n) end,
    function(n) return nl.tensordot(x, x, {{n}, {n}}) end, function(n) return x:size(n) end,
    function(n) return F.one_hot(nl.tensor {1, 2}, n) end, function(n) return F.pad(x, {n, 1}) end,
    function(n) return F.conv2d(image, nl.ones(1, 2, n, n), nil, n, {n, 1}) end,
    function(n) return F.max_pool2d(image, n) end, function(n) return F.interpolate(image, {size = {n, n}}) end,
    function(n) return F.layer_norm(nl.ones(2, 2), {n, n}) end, function(n) return nl.tril_indices(n, n) end,
  },
  indices = {
    function(n) return x[n] end, function(n) return x[{n, n}] end, function(n) return x[{{1, n}, {1, 4, n}}] end,
    function(n) return x.shape[n] end, function(n) return data.TensorDataset(nl.arange(1, 4))[n] end,
    function(n) return data.Subset({5, 6, 7}, {n})[1] end,
    function(n) return nn.Sequential(nn.ReLU(), nn.Tanh())[n](x) end,
    function(n)
      local y = nl.zeros(3, 3)
      y[n], y[{1, n}] = 1, 2
      return y
    end,
  },
  ["options of modules and others"] = {
    function(n) return nn.Linear(n, n)(nl.ones(1, 2)) end, function(n) return nn.Conv2d(n, n, {n, 1}, n)(image) end,
    function(n) return nn.MaxPool2d {n, n} (image) end, function(n) return nn.AdaptiveAvgPool2d(n)(image) end,
    function(n) return nn.GroupNorm(n, n)(image) end, function(n) return nn.LayerNorm(n)(nl.ones(1, 2)) end,
    function(n) return nn.LayerNorm {n, n} (nl.ones(1, 2, 2)) end, function(n) return nn.Flatten(n)(image) end,
    function(n) return (nn.LSTM(n, n, n)(nl.ones(3, 1, 2))) end,
    function(n) return nn.Unflatten(n, {n, 1})(nl.ones(1, 2)) end,
    function(n) return nn.MultiheadAttention(n * 2, n)(nl.ones(1, 1, 4), nl.ones(1, 1, 4), nl.ones(1, 1, 4)) end,
    function(n) return nn.Embedding(n * 5, n)(nl.tensor {1}) end,
    function(n) return #(nn.Sequential(nn.Tanh()) * n) end,
    function(n) return nn.ZeroPad2d(n)(image) end, function(n) return #data.DataLoader({1, 2, 3}, {batch_size = n}) end,
    function(n) return #data.random_split({1, 2, 3, 4}, {n, n}) end,
    function(n) return nn.utils.rnn.pack_padded_sequence(nl.ones(2, 1, 1), {n}).data end,
    function(n) return optim.lr_scheduler.StepLR(optim.SGD({nl.ones(1)}, {lr = 1}), n).step_size end,
  },
}

local function text(f, n)
  nl.manual_seed(1)
  local results = table.pack(f(n))
  for i = 1, results.n do
    local r = results[i]
    results[i] = nl.is_tensor(r) and tostring(r.dtype) .. tostring(r.shape) .. tostring(r:sum()) or tostring(r)
  end
  return table.concat(results, " ")
end

for kind, functions in pairs(uses) do
  describe("a whole float among " .. kind, function()
    it("is what the integer is", function()
      for i, f in ipairs(functions) do
        assert.equal(text(f, 2), text(f, 4 / 2), kind .. " " .. i)
      end
    end)
  end)
end

describe("a float that is not whole", function()
  local function refused(message, f)
    assert.error_matches(f, message)
  end

  it("is no size, dimension or index, and is told", function()
    refused("zeros: argument 'size': a list of integers expected, got 2.5", function() nl.zeros(3, 2.5) end)
    refused("zeros: argument 'size': a list of integers expected, got 2.5", function() nl.zeros {2.5, 3} end)
    refused("view: .* a list of integers expected, got 1.5", function() x:view(3 / 2, -1) end)
    refused("sum: argument 'dim': a list of integers expected, got 1.5", function() x:sum(1.5) end)
    refused("chunk: argument 'chunks': an integer expected, got 1.5", function() x:chunk(1.5) end)
    refused("size: argument 'dim': an integer expected, got 1.5", function() x:size(1.5) end)
    refused("index is 1.5, which is no integer", function() return x[1.5] end)
    refused("a range is {first, last, step}, all integers, but last is 1.5", function() return x[{{1, 1.5}}] end)
    refused("Size: size 2 is 2.5, no integer", function() return nl.Size(1, 2.5) end)
    refused("manual_seed: an integer is expected, got 1.5", function() return nl.manual_seed(1.5) end)
  end)

  it("is no option of a module", function()
    refused("nn.Linear: in_features must be an integer, not 2.5", function() nn.Linear(2.5, 1) end)
    refused("nn.LayerNorm: normalized_shape%[2%] must be an integer, not 2.5", function() nn.LayerNorm {1, 2.5} end)
    refused("nn.Conv2d: kernel_size must be an integer or a list of 2 integers, not 1.5", function()
      nn.Conv2d(1, 1, 1.5)
    end)
    refused("it can be multiplied by an integer only, not by 1.5", function() return nn.Sequential(nn.Tanh()) * 1.5 end)
  end)
end)
