-- What eases porting from PyTorch: lists of iterators, numbered batches, slices, counts, names, files' devices.
-- parts: 1
local nl = require "nnlua"
local optimizers = require "support.optimizers"
local catalogue = require "nnlua.help.catalogue"
local process = require "support.process"
local stubs = require "nnlua.help.stubs"
local nn, optim, data = nl.nn, nl.optim, nl.utils.data

local function failure(f, ...)
  local ok, message = pcall(f, ...)
  assert.is_false(ok)
  return message
end

describe("a list of iterators of parameters", function()
  local a, b = nn.Linear(2, 3), nn.Linear(3, 1)
  local single = nl.ones(1, {requires_grad = true})
  local expected = {a.weight, a.bias, b.weight, b.bias, single}

  for name, class in pairs(optim) do
    if type(class) == "table" and rawget(class, "super") and name ~= "Optimizer" then
      it("is one group of optim." .. name, function()
        if optimizers.has(name, "matrices") then
          assert.matches("only matrices are taken", failure(class, {a:parameters(), b:parameters(), single}))
          return
        end
        local optimizer = class {a:parameters(), b:parameters(), single}
        assert.equal(1, #optimizer.param_groups)
        assert.equal(#expected, #optimizer.param_groups[1].params)
        for i, p in ipairs(optimizer.param_groups[1].params) do assert.equal(expected[i], p) end
      end)
    end
  end

  it("may be a group's params, and what gradients are clipped of", function()
    local optimizer = optim.SGD({{params = {a:parameters(), single}, lr = 1}, {params = b:parameters()}}, {lr = 0.1})
    assert.same({3, 2}, {#optimizer.param_groups[1].params, #optimizer.param_groups[2].params})
    for _, p in ipairs(expected) do p.grad = nl.ones_like(p) end
    finally(function() for _, p in ipairs(expected) do p.grad = nil end end)
    assert.near(math.sqrt(14), nn.utils.clip_grad_norm_({a:parameters(), b:parameters(), single}, 1):item(), 1e-6)
  end)

  it("is told from groups and modules", function()
    assert.matches("optim.Adam: the parameters are tensors, not the module Linear", failure(optim.Adam, {a, b}))
    assert.matches("or a list, not the module Linear", failure(optim.Adam, a))
    assert.matches("the parameters are tensors, not a table",
      failure(optim.Adam, {a:parameters(), {params = {single}}}))
  end)
end)

describe("net:num_parameters", function()
  it("counts each number once, all or those that are trained", function()
    local shared = nn.Linear(4, 2)
    local net = nn.Sequential(shared, nn.Linear(2, 4):requires_grad_(false), shared)
    assert.equal(4 * 2 + 2 + 2 * 4 + 4, net:num_parameters())
    assert.equal(4 * 2 + 2, net:num_parameters {only_trainable = true})
    assert.equal(0, nn.ReLU():num_parameters())
    assert.matches("num_parameters: '0.weight' has no shape yet", failure(function()
      nn.Sequential(nn.LazyLinear(2)):num_parameters()
    end))
  end)
end)

describe("net:class_name", function()
  it("is the name of its class", function()
    assert.equal("Linear", nn.Linear(1, 1):class_name())
    assert.equal("Net", nn.class("Net")():class_name())
  end)
end)

describe("slice", function()
  it("gives a part of a container, both ends included", function()
    local net = nn.Sequential(nn.ReLU(), nn.Tanh(), nn.GELU(), nn.Identity())
    local function classes(container)
      local names = {}
      for i, m in ipairs(container) do names[i] = m:class_name() end
      return table.concat(names, " ")
    end
    assert.equal("ReLU Tanh GELU", classes(net:slice(1, -2)))
    assert.equal("GELU Identity", classes(net:slice(3)))
    assert.equal("ReLU GELU", classes(net:slice(1, -1, 2)))
    assert.equal("ReLU Tanh GELU Identity", classes(net:slice()))
    assert.equal("Tanh", classes(net:slice {first = 2, last = 2}))
    assert.equal("", classes(net:slice(3, 2)))
    assert.is_true(net:slice(1, 2):is_a(nn.Sequential))
    assert.equal("ReLU", classes(nn.ModuleList {nn.ReLU(), nn.Tanh()}:slice(1, -2)))
    assert.equal(2, #nn.ParameterList({nl.ones(1), nl.ones(2), nl.ones(3)}):slice(2))
  end)
end)

describe("loader:enumerate", function()
  local loader = data.DataLoader(data.TensorDataset(nl.arange(0, 5), nl.arange(5, 10)), {batch_size = 2})

  it("numbers the batches", function()
    local seen = {}
    for i, x, y in loader:enumerate() do seen[#seen + 1] = {i, x:tolist(), y:tolist()} end
    assert.same({{1, {0, 1}, {5, 6}}, {2, {2, 3}, {7, 8}}, {3, {4}, {9}}}, seen)
  end)

  it("begins where it is told to, and anew each time", function()
    for _ = 1, 2 do
      local numbers = {}
      for i in loader:enumerate(0) do numbers[#numbers + 1] = i end
      assert.same({0, 1, 2}, numbers)
    end
  end)
end)

describe("a table of names without an order", function()
  it("is told once, with the list of pairs that has one", function()
    local result = process.run {process.nnlua, "-e", [[
local nn = require "nnlua".nn
nn.ModuleDict {only = nn.ReLU()}
for _ = 1, 2 do nn.ModuleDict {b = nn.ReLU(), a = nn.Tanh()} end
nn.ParameterDict {{"b", 1}, {"a", 2}}
nn.ParameterDict {b = 1, a = 2, c = 3}
]]}
    local what = "(command line):%d: warning: nn.%s: a table of names has no order, so its entries come in "
      .. "alphabetical order; a list of pairs keeps its own: nn.%s {{\"a\", …}, {\"b\", …}}\n"
    assert.equal(what:format(3, "ModuleDict", "ModuleDict") .. what:format(5, "ParameterDict", "ParameterDict"),
      result.stderr)
  end)
end)

describe("nl.load's map_location", function()
  local path

  before_each(function()
    path = os.tmpname()
    nl.save(path, {w = nl.ones(2), device = nl.device "cpu", deep = {nl.zeros(3)}})
  end)
  after_each(function() os.remove(path) end)

  it("is a device or what PyTorch takes besides", function()
    local function first_storage(storage) return storage end
    for _, location in ipairs {"cpu", nl.device "cpu", first_storage, {["cuda:0"] = "cpu"}} do
      local loaded = nl.load(path, {map_location = location, weights_only = true})
      assert.is_true(nl.equal(nl.ones(2), loaded.w))
      assert.equal(nl.device "cpu", loaded.device)
    end
    assert.is_true(nl.load(path, "meta").w.is_meta)
    assert.is_true(nl.load(path, {map_location = nl.device "meta"}).deep[1].is_meta)
    assert.matches("load: there is no device 'cuda'", failure(nl.load, path, {map_location = "cuda"}))
  end)
end)

describe("as_table", function()
  it("stands in the reference and the definitions of every function that has it", function()
    local text = stubs.text()
    for _, row in ipairs(nl.ops()) do
      local entry = row.results ~= 1 and (row.in_nl or row.method or row.functional or row.space)
        and catalogue.find(row.name)
      for _, overload in ipairs(entry and entry.overloads or {}) do
        for _, signature in ipairs(overload.signatures) do
          if entry.rows[1].results ~= 1 then assert.matches("as_table = false%)$", signature) end
        end
      end
      if row.results == -1 and row.method then
        assert.matches("\nfunction Tensor:" .. row.name .. "%([^\n]*as_table%) end", text)
      end
    end
  end)

  it("gives a list that ipairs walks over", function()
    local sizes = {}
    for i, piece in ipairs(nl.ones(5, 2):split(2, {as_table = true})) do sizes[i] = #piece end
    assert.same({2, 2, 1}, sizes)
  end)
end)

describe("the list of nl's parts", function()
  it("has every part that is loaded when it is asked for", function()
    local known = {}
    local internal = {
      args = true, build = true, class = true, elementwise = true, gradcheck = true, guard = true, on_demand = true,
      parts = true, prompt = true, trainer = true,
    }
    for _, name in ipairs(require "nnlua.parts") do
      assert.truthy(nl[name], name)
      known[name] = true
    end
    for _, source in ipairs(require "nnlua.system".source()) do
      local name = source:match "^nnlua/([%w_]+)%.lua$"
      assert.is_true(not name or known[name] or internal[name] or false, name)
    end
  end)
end)
