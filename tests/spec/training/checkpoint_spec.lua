-- nl.checkpoint, and how a loop over a DataLoader goes on in another process.
local nl = require "nnlua"
local nn, optim, data = nl.nn, nl.optim, nl.utils.data

local path

before_each(function() path = os.tmpname() end)
after_each(function() os.remove(path) end)

local Stream = data.class("Stream", data.IterableDataset)
function Stream:init(n) self.n = n end
function Stream:iter()
  local i = 0
  return function()
    i = i + 1
    if i <= self.n then return nl.tensor(i) end
  end
end

-- Draws as it fetches, in whatever process that is.
local Noisy = data.class "Noisy"
function Noisy:init(n) self.n = n end
function Noisy:len() return self.n end
function Noisy:get(i) return nl.tensor(i) + nl.rand(1):item() end

describe("a loop over a loader", function()
  local function loader_of(options)
    local given = {batch_size = 4}
    for key, value in pairs(options) do
      if key ~= "dataset" then given[key] = value end
    end
    if options.generator then given.generator = nl.Generator():manual_seed(9) end
    if options.drawn then
      given.drawn = nil
      given.sampler = data.RandomSampler(nl.arange(0, 23), {replacement = true, num_samples = 50})
    end
    return data.DataLoader(options.dataset or data.TensorDataset(nl.arange(0, 23)), given)
  end

  -- What three loops give, with a number drawn beside each batch, as a training would; calls `at(step, epoch, loader)`.
  local function batches(loader, first, at)
    local list = {}
    for epoch = first, 3 do
      for x in loader do
        list[#list + 1] = table.concat(x:tolist(), " ") .. (" %.9f"):format(nl.rand(1):item())
        at(#list, epoch, loader)
      end
    end
    return list
  end

  for how, options in pairs {
    ["in order"] = {}, ["shuffled"] = {shuffle = true}, ["without the last batch"] = {shuffle = true, drop_last = true},
    ["with a generator"] = {shuffle = true, generator = true}, ["with replacement"] = {drawn = true},
    ["over what draws"] = {dataset = Noisy(11), shuffle = true}, ["over a stream"] = {dataset = Stream(23)},
    ["by workers"] = {shuffle = true, num_workers = 2, dataset = Noisy(11), generator = true},
    ["by workers, over a stream"] = {dataset = Stream(7), num_workers = 2},
  } do
    it("goes on after each of its batches, to the bit, " .. how, function()
      local states = {}
      nl.manual_seed(3)
      local all = batches(loader_of(options), 1, function(step, epoch, loader)
        states[step] = {epoch = epoch, loader = loader:state_dict(), random = nl.get_rng_state()}
      end)
      for step = 1, #all, options.num_workers and 3 or 1 do
        local state = states[step]
        nl.save(path, state)
        state = nl.load(path)
        nl.manual_seed(step)
        local loader = loader_of(options)
        if options.generator then nl.rand(3, {generator = loader.generator}) end
        loader:load_state_dict(state.loader)
        nl.set_rng_state(state.random)
        local rest = batches(loader, state.epoch, function() end)
        assert.same(table.move(all, step + 1, #all, 1, {}), rest)
      end
    end)
  end

  it("begins anew where none was begun, or one was over", function()
    local loader = loader_of {}
    loader:load_state_dict(loader:state_dict())
    local function count() local n = 0 for _ in loader do n = n + 1 end return n end
    assert.equal(6, count())
    loader:load_state_dict(loader:state_dict())
    assert.equal(6, count())
    for _ in loader do break end
    loader:load_state_dict(loader:state_dict())
    assert.equal(5, count())
    assert.equal(6, count())
  end)

  it("says what it can't go on from", function()
    local function message(f, ...) return (select(2, pcall(f, ...)):gsub("^[^\n:]*:%d+: ", "")) end
    local loader = loader_of {generator = true, shuffle = true}
    assert.equal("load_state_dict: the state is a number: it must be what state_dict() of a utils.data.DataLoader gave",
      message(loader.load_state_dict, loader, 3))
    assert.matches("^load_state_dict: it has no state of the loader's generator: ",
      message(loader.load_state_dict, loader, loader_of {}:state_dict()))
    local longer = data.DataLoader(data.TensorDataset(nl.arange(0, 99)))
    for _ = 1, 1 do
      local next_batch = longer:iter()
      for _ = 1, 50 do next_batch() end
    end
    local short = loader_of {}
    short:load_state_dict(longer:state_dict())
    assert.equal("utils.data.DataLoader: the position that was loaded is after 50 batches, but there are only 6",
      message(function() for _ in short do error "a batch" end end))
  end)
end)

describe("a checkpoint", function()
  local function run()
    local net = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Linear(4, 1))
    local optimizer = optim.Adam(net:parameters(), {lr = 0.1})
    return {
      model = net, optimizer = optimizer, schedules = {optim.lr_scheduler.StepLR(optimizer, 2), {
        other = optim.lr_scheduler.ExponentialLR(optimizer, 0.9)}},
      loader = data.DataLoader(data.TensorDataset(nl.arange(0, 24):view(8, 3):float() / 24), {batch_size = 2,
        shuffle = true}),
      generator = nl.Generator(), scaler = nl.amp.GradScaler(), loss = nl.metrics.Mean(),
    }
  end

  local function train(r, steps)
    local losses = {}
    while #losses < steps do
      for x in r.loader do
        local loss = (r.model(x) - nl.rand(1, {generator = r.generator})):pow(2):mean()
        r.optimizer:zero_grad()
        loss:backward()
        r.optimizer:step()
        r.schedules[1]:step()
        r.schedules[2].other:step()
        r.loss:update(loss)
        losses[#losses + 1] = ("%a"):format(r.loss:compute())
        if #losses == steps then break end
      end
    end
    return losses
  end

  it("has all that a run goes on with, to the bit", function()
    nl.manual_seed(1)
    local one = run()
    train(one, 6)
    one.epoch, one.names, one.best = 7, {"a", "b"}, {w = nl.ones(2)}
    nl.checkpoint.save(path, one)
    one.loader:load_state_dict(one.loader:state_dict()) -- goes on with the loop that was left
    local expected = train(one, 9)
    nl.manual_seed(2)
    local other = run()
    local rest, missing = nl.checkpoint.load(path, other)
    assert.same({}, missing)
    assert.equal(7, rest.epoch)
    assert.same({"a", "b"}, rest.names)
    assert.same({1, 1}, rest.best.w:tolist())
    assert.is_nil(rest.model or rest.schedules or rest["nnlua.checkpoint"])
    assert.same(expected, train(other, 9))
  end)

  it("is a plain table to nl.load, and gives what nobody asks for", function()
    local net = nn.Linear(2, 1)
    nl.checkpoint.save(path, {model = net, epoch = 1})
    assert.is_true(nl.equal(net.weight, nl.load(path).model.weight))
    assert.is_true(nl.equal(net.weight, nl.checkpoint.load(path).model.weight))
    nl.save(path, {model = net:state_dict()})
    local other = nn.Linear(2, 1)
    nl.checkpoint.load(path, {model = other})
    assert.is_true(nl.equal(net.weight, other.weight))
  end)

  it("leaves the random numbers alone where that is wanted", function()
    nl.manual_seed(1)
    nl.checkpoint.save(path, {epoch = 1})
    local first = nl.rand(1):item()
    nl.checkpoint.load(path, {}, {random = false})
    assert.is_true(first ~= nl.rand(1):item())
    nl.checkpoint.load(path)
    assert.equal(first, nl.rand(1):item())
    nl.checkpoint.save(path, {epoch = 1}, {random = false})
    local state = nl.get_rng_state()
    nl.checkpoint.load(path)
    assert.equal(state, nl.get_rng_state())
  end)

  it("says all that is missing, or loads what there is", function()
    local saved, r = run(), run()
    nl.checkpoint.save(path, {model = saved.model, schedules = {saved.schedules[1]}, epoch = 1})
    local before = r.model:state_dict()["0.weight"]:clone()
    local _, message = pcall(nl.checkpoint.load, path, r)
    assert.equal(("nl.checkpoint.load: %s has nothing for 'generator', 'loader', 'loss', 'optimizer', 'scaler', "
      .. "'schedules[2]'; it has 'epoch', 'model', 'schedules' ({strict = false} loads what there is)"):format(path),
      (message:gsub("^[^\n:]*:%d+: ", "")))
    assert.is_true(nl.equal(before, r.model[1].weight))
    local rest, missing = nl.checkpoint.load(path, r, {strict = false})
    assert.same({"generator", "loader", "loss", "optimizer", "scaler", "schedules[2]"}, missing)
    assert.same({epoch = 1}, rest)
    assert.is_true(nl.equal(saved.model[1].weight, r.model[1].weight))
  end)

  it("changes nothing if an object doesn't take its state", function()
    local net = nn.Linear(2, 1)
    local optimizer = optim.Adam(net:parameters())
    net(nl.ones(1, 2)):sum():backward()
    optimizer:step()
    nl.checkpoint.save(path, {a_model = nn.Linear(2, 1), b_optimizer = optimizer, c_model = nn.Linear(2, 3)})
    local weight, random = net.weight:clone(), nl.get_rng_state()
    local exp_avg = optimizer.state[net.weight].exp_avg:clone()
    optimizer:step()
    local stepped = net.weight:clone()
    local _, message = pcall(nl.checkpoint.load, path, {a_model = net, b_optimizer = optimizer, c_model = net})
    assert.matches("^[^\n:]*:%d+: nl.checkpoint.load: [^\n:]+: c_model: load_state_dict: .*shape", message)
    assert.is_true(nl.equal(stepped, net.weight) and not nl.equal(weight, stepped))
    assert.is_false(nl.equal(exp_avg, optimizer.state[net.weight].exp_avg))
    assert.equal(random, nl.get_rng_state())
  end)

  it("says what can't be saved, and leaves the file that was there", function()
    nl.checkpoint.save(path, {epoch = 1})
    local function message(things) return select(2, pcall(nl.checkpoint.save, path, things)) end
    assert.matches("value.f is a function, which can't be saved", message {f = print}, 1, true)
    assert.matches("nl.checkpoint.save: things must be a table, not the module Linear", message(nn.Linear(1, 1)))
    assert.equal(1, nl.checkpoint.load(path).epoch)
  end)
end)

describe("a checkpoint of tables", function()
  it("has the state of a plain table with both methods", function()
    local function thing(n)
      return {n = n, state_dict = function(self) return {n = self.n} end, load_state_dict = function(self, state)
        self.n = state.n
      end}
    end
    local found = thing(1)
    nl.checkpoint.save(path, {a = {thing(3)}})
    nl.checkpoint.load(path, {a = {found}})
    assert.equal(3, found.n)
  end)

  it("can't hold a table that it is in itself, which has a name; one that is there twice it can", function()
    local a, twice = {b = {{}}}, {1}
    a.b[1].c = a
    assert.error_matches(function() nl.checkpoint.save(path, {x = a}) end,
      "^nl.checkpoint.save: x.b%[1%].c is a table that it is in itself")
    nl.checkpoint.save(path, {x = twice, y = twice})
    assert.same({1}, nl.checkpoint.load(path).y)
  end)
end)
