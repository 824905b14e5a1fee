-- What a beginner does wrong on the first afternoon, and what nnlua answers: each message names the line, what was
-- wrong with which shapes or types, and what to do.
local nl = require "nnlua"

local mistakes = {
  {about = "counting",
    {"y = x[0]",
      "index is 0: positions count from 1"},
    {"y = x[{1, 0}]",
      "entry 2 of the index is 0: positions count from 1"},
    {"y = x[5]",
      "index 5 is out of range for dimension 1 of size 2"},
    {"y = x:sum(0)",
      "sum: argument 'dim' is 0: it counts from 1"},
    {"y = x:sum(3)",
      "sum: dimension 3 is out of range for a tensor of 2 dimensions (1 to 2, or -2 to -1)"},
    {"y = x:transpose(0, 1)",
      "transpose: argument 'dim0' is 0: it counts from 1"},
    {"y = F.cross_entropy(nl.randn(2, 3), nl.tensor {0, 2})",
      "cross_entropy: target 0 is no class: there are 3, and labels count from 1 (add 1 to labels that count from 0)"},
    {"y = nn.Embedding(10, 3)(nl.tensor {0, 1})",
      "embedding: index 0 is out of range: positions count from 1 (in Embedding, nn.Embedding)"},
    {"y = x:gather(2, nl.zeros(2, 1):long())",
      "gather: index 0 is out of range: positions count from 1"},
    {"y = x['1:2']",
      "a tensor has no field or method '1:2': a range is a table, as in x[{{1, 2}}] or x[{{}, 3}]"},
  },
  {about = "calling",
    {"y = x.sum()",
      "sum: argument 'input' is missing (a method is called with a colon: x:f())"},
    {"y = x:shape()",
      "a shape is a value, no function: write x.shape, or x:size(2) for the size of a dimension"},
    {"y = nn.Linear(3, 2).forward(x)",
      "a module was expected, got a tensor (is the method called with a dot?)"},
    {"y = x()",
      "a tensor is no function: elements are x[i] or x[{i, j}]"},
    {"y = x:sum {2, keepdim = true}",
      "sum: a list and named arguments are two tables: f(x, {1, 2}, {name = value})"},
    {"y = x:sum(2, {keepdims = true})",
      "sum: unknown argument 'keepdims'; did you mean 'keepdim'? (known: input, dim, keepdim, dtype)"},
    {"y = x:summ()",
      "a tensor has no field or method 'summ'; did you mean 'sum'?"},
    {"y = x:cuda()",
      "a tensor has no field or method 'cuda': all computing is done on the CPU: leave it out, "
        .. "or write x:to(device) with nl.device \"cpu\""},
    {"y = nl.ones(2, {device = 'cuda'})",
      "ones: argument 'device': there is no device 'cuda', only cpu and meta: all computing is done on the CPU"},
    {"y = nl.zeros(2, {dtype = 'float64'})",
      "zeros: argument 'dtype': a dtype such as nl.float32 expected, got \"float64\""},
    {"y = nl.cat(x, x)",
      "cat: argument 'tensors': a table of tensors expected, got tensor"},
    {"y = nl.relu(3)",
      "relu: argument 'input': a tensor expected, got number"},
  },
  {about = "values",
    {"if x > 1 then y = 1 end",
      "'<' gives one truth value, but here are 6: write a:lt(b), or a:gt(b) for a > b"},
    {"y = x:item()",
      "item: the tensor has 6 elements; only one becomes a number (see tolist)"},
    {"y = 'loss: ' .. x:sum()",
      "a tensor can't be joined to a text by '..': write tostring(x), or x:item() for the number in it"},
    {"y = #nl.tensor(5)",
      "a 0-dim tensor has no length: its number is x:item()"},
    {"y = nl.tensor {{1, 2}, {3}}",
      "tensor: the table is ragged: [2] has 1 entries, but [1] has 2"},
    {"y = nl.tensor {1, nil, 3}",
      "tensor: [2] is nil; tensors are made of numbers, booleans and tensors of one element"},
    {"x[1] = 'a'",
      "a string can't be assigned to elements of a tensor, only numbers, booleans and tensors"},
    {"y = nl.zeros(2.5)",
      "zeros: argument 'size': a list of integers expected, got 2.5"},
  },
  {about = "shapes and dtypes",
    {"y = x + nl.ones(4)",
      "add: shapes (2, 3) and (4) don't broadcast"},
    {"y = x:mm(x)",
      "mm: shapes (2, 3) and (2, 3) don't fit: 3 against 2"},
    {"y = x:reshape(4, 2)",
      "reshape: shape (4, 2) doesn't fit a tensor of 6 elements"},
    {"y = x:t():view(6)",
      "view: a tensor of shape (3, 2) and strides (1, 3) can't be viewed as (6) without a copy: use reshape"},
    {"y = nl.cat({x, nl.ones(3, 4)}, 1)",
      "cat: shapes (2, 3) and (3, 4) don't join along dimension 1"},
    {"y = nn.Linear(3, 2)(nl.tensor {1, 2, 3})",
      "linear: dtypes int64 and float32 don't match: convert one, as x:to(nl.float32) (in Linear, nn.Linear)"},
    {"y = x:mm(nl.ones(3, 2):double())",
      "mm: dtypes float32 and float64 don't match: convert one, as x:to(nl.float64)"},
    {"y = F.cross_entropy(nl.randn(2, 3), nl.tensor {1.0, 2.0})",
      "cross_entropy: a float32 target of shape (2): probabilities have the shape of input, (2, 3); labels are " ..
      "int64 (target:long())"},
    {"y = nn.Embedding(10, 3)(nl.tensor {1.0})",
      "embedding: positions must be int64, not float32: convert them, as index:long() (in Embedding, nn.Embedding)"},
  },
  {about = "models",
    {"y = nn.Linear(4, 2)(x)",
      "linear: shapes (2, 3) and (2, 4) don't fit: 3 inputs against 4 (in Linear, nn.Linear)"},
    {"y = nn.Conv2d(3, 4, 3)(nl.ones(2, 1, 8, 8))",
      "conv2d: input of shape (2, 1, 8, 8) has 1 channels; a weight of shape (4, 3, 3, 3) and 1 groups take 3 (in " ..
      "Conv2d, nn.Conv2d)"},
    {"y = nn.LSTM(3, 4)(nl.ones(2, 5, 9))",
      "LSTM: the input has 9 features, and 3 are wanted (in LSTM, nn.LSTM)"},
    {"y = nn.Sequential {nn.Linear(3, 2)}",
      "Sequential: modules are given one by one, as in nn.Sequential(a, b), or with names as a list of pairs: " ..
      "{{\"fc\", a}, …}"},
    {"y = nn.Sequential(nn.Linear, nn.ReLU)",
      "Sequential: a module was expected, got the class nn.Linear (call it to make a module)"},
    {"y = nn.ModuleList {nn.Linear(3, 2)}(x)",
      "ModuleList has no forward: call its modules one by one, or use a Sequential (in ModuleList, nn.ModuleList)"},
    {"y = nn.class('Net')()(x)",
      "Net has no forward: write function Net:forward(x) (in Net, Net)"},
    {"y = nn.class()",
      "class: the name is a string, as in nn.class(\"Net\"), not nil"},
    {"y = nn.Linear(3, 2) y.weight = nl.ones(2, 3)",
      "a tensor can't be assigned to the parameter 'weight' of Linear: a Parameter or nil was expected " ..
      "(nn.Parameter(x) makes one; copy_ under no_grad sets its values)"},
    {"y = nn.Dropout(50)",
      "nn.Dropout: p is a probability from 0 to 1, not 50"},
    {"nn.Linear(3, 2):load_state_dict {weight = nl.ones(2, 3)}",
      "load_state_dict: the state does not fit Linear, and nothing was loaded:~  missing: 'bias'~  {strict = false} " ..
      "loads what there is"},
    {"y = nn.Linear('3', 2)",
      "nn.Linear: in_features must be an integer, not a string"},
  },
  {about = "training",
    {"y = (x * x):sum() y:backward()",
      "backward: the tensor doesn't require a gradient and has no graph: it was computed from none that has " ..
      "requires_grad, or under no_grad"},
    {"y = w * w; y:backward()",
      "backward: a gradient is made up only for a tensor of one element, not for shape (2): sum it first, or give " ..
      "the gradient"},
    {"y = (w * w):sum() y:backward() y:backward()",
      "backward of mul: what it saved has been freed by an earlier backward; give that one retain_graph = true to " ..
      "go through the graph twice"},
    {"w:add_(1)",
      "add: a leaf that requires a gradient can't be changed in place; use no_grad for updates"},
    {"y = w:exp() y:add_(1) y:sum():backward()",
      "backward of exp: a float32 tensor of shape (2) that it needs was changed in place after the forward (it is " ..
      "at version 1, saved at version 0); clone it before the change"},
    {"y = optim.SGD(nn.Linear(3, 2), {lr = 0.1})",
      "optim.SGD: parameters are an iterator such as net:parameters(), or a list, not the module Linear"},
    {"y = optim.SGD(w, {lr = 0.1})",
      "optim.SGD: a list of parameters was expected, not a single tensor"},
    {"y = optim.Adam({w}, {learning_rate = 0.1})",
      "optim.Adam: no argument is called 'learning_rate'; there are: params, lr, betas, eps, weight_decay, amsgrad, " ..
      "foreach, maximize, capturable, differentiable, fused, decoupled_weight_decay"},
    {"y = optim.lr_scheduler.StepLR(0.1, 3)",
      "optim.lr_scheduler.StepLR: an optimizer was expected, not 0.1"},
    {"y = data.DataLoader()",
      "utils.data.DataLoader: dataset is missing"},
  },
  {about = "files",
    {"nl.save('/tmp/never', nn.Linear(3, 2))",
      "save: value is a module: save its state, net:state_dict()"},
    {"y = nl.load('/no/such/file')",
      "load: /no/such/file: it can't be opened: No such file or directory"},
  },
}

--- The message of a mistake, made in line 1 of a chunk of its own; line breaks as ~.
local function message_of(code)
  local text = "local nl, nn, F, optim, data, x, w = ... local y " .. code
  local mistake = assert(load(text, "=mistake"))
  local ok, message = pcall(mistake, nl, nl.nn, nl.F, nl.optim, nl.utils.data, nl.ones(2, 3),
    nl.ones(2, {requires_grad = true}))
  assert.is_false(ok)
  return (message:gsub("\n", "~"))
end

for _, group in ipairs(mistakes) do
  describe("a mistake about " .. group.about, function()
    for _, mistake in ipairs(group) do
      it("is explained: " .. mistake[1], function()
        assert.equal("mistake:1: " .. mistake[2], message_of(mistake[1]))
      end)
    end
  end)
end

describe("a wrong shape five modules deep", function()
  local program = [[
local nn = nl.nn
local Block = nn.class "Block"
function Block:init()
  self.mlp = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(9, 4))
end
function Block:forward(x)
  return x + self.mlp(x)
end
local Encoder = nn.class "Encoder"
function Encoder:init()
  self.blocks = nn.ModuleList {nn.Identity(), Block()}
end
function Encoder:forward(x)
  for _, block in ipairs(self.blocks) do x = block(x) end
  return x
end
local Net = nn.class "Net"
function Net:init()
  self.encoder = Encoder()
  self.heads = nn.ModuleDict {policy = nn.Linear(4, 2)}
end
function Net:forward(x)
  return self.heads.policy(self.encoder(x))
end
local net = Net()
local trainer = {model = net}
local x = nl.ones(2, 4)
]]

  local function message_after(call)
    local run = assert(load("local nl = ... " .. program .. call, "=train.lua"))
    local ok, message = pcall(run, nl)
    assert.is_false(ok)
    return message
  end

  it("names the user's line, the op, the shapes and the module's path", function()
    assert.equal("train.lua:7: linear: shapes (2, 8) and (4, 9) don't fit: 8 inputs against 9 " ..
      "(in net.encoder.blocks[2].mlp[3], nn.Linear)", message_after "net(x)")
  end)

  it("does so however the model is called", function()
    local path = "%(in [%w_]+%.encoder%.blocks%[2%]%.mlp%[3%], nn%.Linear%)$"
    assert.matches(path, message_after "trainer.model(x)")
    assert.matches(path, message_after "local other = net; local y = other(x)")
    assert.matches(path, message_after "for i = 1, 2 do net(x) end")
    assert.matches(path, message_after "local ok, message = pcall(net, x) error(message, 0)")
    assert.matches(path, message_after "coroutine.wrap(function() net(x) end)()")
    assert.matches(path, message_after "nl.no_grad(function() return net(x) end)")
  end)

  it("does so for what is no shape", function()
    assert.equal("train.lua:7: Linear: the input must be a tensor, not nil (in net.encoder.blocks[2].mlp[1], " ..
      "nn.Linear)",
      message_after "net(nil)")
  end)
end)

describe("an error value that is no string", function()
  local nn = nl.nn
  local values = {
    ["a table"] = {}, ["a table with words of its own"] = setmetatable({}, {__tostring = function() return "own" end}),
    ["a userdata"] = io.stdout, ["a boolean"] = false, ["a number"] = 42,
  }
  local function w() return nl.ones(2, {requires_grad = true}) end

  --- Ways for an error to come up, each a function that is to fail with the value.
  local ways = {
    ["a forward"] = function(value)
      local Net = nn.class "Net"
      function Net.forward() error(value) end
      nn.Sequential(Net())(w())
    end,
    ["a forward hook"] = function(value)
      local net = nn.Linear(2, 2)
      net:register_forward_hook(function() error(value) end)
      net(w())
    end,
    ["a backward hook"] = function(value)
      local net = nn.Linear(2, 2)
      net:register_full_backward_hook(function() error(value) end)
      net(w()):sum():backward()
    end,
    ["a tensor's hook"] = function(value)
      local x = w()
      x:register_hook(function() error(value) end)
      x:sum():backward()
    end,
    ["a custom function"] = function(value)
      local Failing = nl.autograd.Function("Failing", {
        forward = function(_, x) return x:clone() end, backward = function() error(value) end})
      Failing.apply(w()):sum():backward()
    end,
    ["no_grad"] = function(value) nl.no_grad(function() error(value) end) end,
    ["a loader"] = function(value)
      local data = nl.utils.data
      for _ in data.DataLoader({1, 2}, {collate_fn = function() error(value) end}) do end
    end,
    ["an optimizer's closure"] = function(value)
      nl.optim.SGD({w()}, {lr = 0.1}):step(function() error(value) end)
    end,
    ["a schedule"] = function(value)
      nl.optim.lr_scheduler.LambdaLR(nl.optim.SGD({w()}, {lr = 0.1}), function() error(value) end)
    end,
    ["gradcheck"] = function(value)
      nl.autograd.gradcheck(function() error(value) end, nl.ones(1, {dtype = nl.float64, requires_grad = true}))
    end,
    ["a progress"] = function(value)
      for _ in nl.progress(function() error(value) end) do end
    end,
    ["net:apply"] = function(value) nn.Linear(2, 2):apply(function() error(value) end) end,
  }

  for place, way in pairs(ways) do
    it("comes through " .. place .. " as it is", function()
      for _, value in pairs(values) do
        local ok, raised = pcall(way, value)
        assert.is_false(ok)
        assert.is_true(rawequal(raised, value), tostring(raised))
      end
    end)
  end
end)

describe("an empty table in the last place", function()
  local x = nl.ones(2)

  it("is no argument where no list is taken", function()
    assert.same({3}, {nl.randint(2, {3}, {}):numel()})
    assert.same({0, 0}, nl.zeros(2, {}):tolist())
    assert.same({1, 1}, nl.relu(x, {}):tolist())
    assert.same({0.5, 0.5}, x:softmax(1, {}):tolist())
  end)

  it("is a list where one is taken", function()
    assert.equal(0, nl.zeros({}):dim())
    assert.equal(2, nl.sum(x, {}):item())
  end)

  it("is no value of an argument that is required", function()
    local ok, message = pcall(nl.relu, {})
    assert.is_false(ok)
    assert.truthy(message:find("argument 'input': a tensor expected, got table", 1, true))
  end)
end)
