-- What all distributions share: shapes, arguments, checks, expanding, fields, classes of one's own. Values are those of
-- tests/oracle.
local nl = require "nnlua"
local process = require "support.process"
local D = nl.distributions

local function shape(x) return x.shape:totable() end

describe("a distribution", function()
  it("draws sample_shape, then its batch, then its event", function()
    local d = D.Normal(nl.zeros(3), nl.ones(2, 1))
    assert.same({2, 3}, d.batch_shape:totable())
    assert.same({}, d.event_shape:totable())
    assert.same({2, 3}, shape(d:sample()))
    for _, drawn in ipairs {
      d:sample(4, 5), d:sample {4, 5}, d:sample(nl.Size {4, 5}), d:sample {sample_shape = {4, 5}},
    } do
      assert.same({4, 5, 2, 3}, shape(drawn))
    end
    assert.same({7, 2, 3}, shape(d:rsample(7)))
    assert.same({0, 2, 3}, shape(d:sample(0)))
    local categories = D.OneHotCategorical(nl.ones(2, 4))
    assert.same({{2}, {4}, {3, 2, 4}}, {categories.batch_shape:totable(), categories.event_shape:totable(),
      shape(categories:sample(3))})
  end)

  it("draws from the generator that is given, in every class", function()
    for _, d in ipairs {D.Normal(0, nl.ones(3)), D.Uniform(0, nl.ones(3)), D.Bernoulli(nl.full({3}, 0.5)),
      D.Categorical(nl.ones(5)), D.OneHotCategorical(nl.ones(5)), D.OneHotCategoricalStraightThrough(nl.ones(5))} do
      local function draw(method) return d[method](d, {8}, {generator = nl.Generator():manual_seed(3)}) end
      nl.manual_seed(1)
      local first = draw "sample"
      assert.is_true(nl.equal(first, draw "sample"), d.__name)
      assert.is_true(not d.has_rsample or nl.equal(draw "rsample", draw "rsample"), d.__name)
      nl.manual_seed(3)
      assert.is_true(nl.equal(first, d:sample {8}), d.__name)
    end
  end)

  it("takes its parameters by position or by name, and says what is wrong with them", function()
    assert.equal("Normal(loc: 1.0, scale: 2.0)", tostring(D.Normal {loc = 1, scale = 2}))
    assert.equal(nl.float64, D.Normal(nl.zeros(2, {dtype = nl.float64}), 1).scale.dtype)
    local function message(f, ...) return select(2, pcall(f, ...)):gsub("^[^:]*:%d+: ", "") end
    assert.equal("distributions.Normal: scale is missing", message(D.Normal, 0))
    assert.equal("distributions.Normal: loc must be a number or a tensor, not a string", message(D.Normal, "0", 1))
    assert.equal("distributions.Normal: scale must be greater than 0, but it holds tensor(-1.)",
      message(D.Normal, 0, -1))
    assert.equal("distributions.Uniform: low must be less than 1, but it holds tensor(1.)", message(D.Uniform, 1, 1))
    assert.equal("distributions.Bernoulli: give either probs or logits", message(D.Bernoulli))
    assert.equal("distributions.Bernoulli: give either probs or logits, not both", message(D.Bernoulli, 0.5, 0))
    assert.equal("distributions.Categorical: probs must have a dimension of categories",
      message(D.Categorical, nl.tensor(1.0)))
    assert.equal("distributions.Normal:sample: sample_shape must be a list of sizes, not of a string",
      message(D.Normal(0, 1).sample, D.Normal(0, 1), "a", 1))
    assert.matches("^distributions.Normal:sample: no argument is called 'generatr'",
      message(D.Normal(0, 1).sample, D.Normal(0, 1), {generatr = 1}))
    assert.matches("^broadcast_tensors: ", message(D.Normal, nl.zeros(2), nl.ones(3)))
  end)

  it("checks its values against its shapes and its support", function()
    local function message(d, value) return select(2, pcall(d.log_prob, d, value)):gsub("^[^:]*:%d+: ", "") end
    local d = D.Normal(nl.zeros(2), 1)
    assert.equal("distributions.Normal: the value must be a tensor, not a number", message(d, 1))
    assert.equal("distributions.Normal: a value of shape [3] doesn't fit the batch_shape [2] and the event_shape []",
      message(d, nl.zeros(3)))
    assert.matches("values must be real numbers, but there is tensor%(nan%)", message(d, nl.tensor(0 / 0)))
    assert.matches("values must be from 0 to 2, but there is tensor%(3.%)", message(D.Uniform(0, 2), nl.tensor(3.0)))
    assert.matches("values must be whole numbers from 1 to 3, but there is tensor%(0%)",
      message(D.Categorical(nl.ones(3)), nl.tensor(0)))
    assert.matches("has no event of shape %[3%]", message(D.OneHotCategorical(nl.ones(3)), nl.tensor(0.0)))
    assert.same({1, 2}, shape(d:log_prob(nl.zeros(1, 2))))
    assert.same({4, 2}, shape(d:log_prob(nl.zeros(4, 1))))
  end)

  it("checks nothing where validate_args is false, or the default is", function()
    assert.is_true(D.Normal(0, -1, {validate_args = false}):log_prob(nl.tensor(0 / 0)):isnan():item())
    finally(function() D.Distribution.set_default_validate_args(true) end)
    D.Distribution.set_default_validate_args(false)
    assert.equal(-1, D.Normal(0, -1).scale:item())
    assert.error_matches(function() D.Normal(0, -1, {validate_args = true}) end, "scale must be greater than 0")
    assert.error_matches(function() D.Distribution.set_default_validate_args(1) end, "true or false was expected")
  end)

  it("says which methods and fields it has not", function()
    local d = D.Categorical(nl.ones(3))
    assert.error_matches(function() d:rsample() end, "Categorical has no rsample: its draws have no gradients")
    assert.error_matches(function() d:cdf(nl.tensor(1)) end, "Categorical has no cdf")
    assert.error_matches(function() d:icdf(nl.tensor(1)) end, "Categorical has no icdf")
    assert.error_matches(function() D.Normal(0, 1):enumerate_support() end, "Normal has no enumerate_support")
    assert.error_matches(function() return D.Distribution().mean end, "Distribution has no mean")
    assert.error_matches(function() d.sample() end, "call it with a colon, as object:sample%(%)")
    assert.is_nil(d.unknown)
  end)

  it("expands without copying", function()
    local d = D.Normal(nl.zeros(3), 1):expand(2, 3)
    assert.same({{2, 3}, {2, 3}, {0, 1}}, {d.batch_shape:totable(), shape(d.loc), d.loc:stride():totable()})
    assert.equal("Normal(loc: [2, 3], scale: [2, 3])", tostring(d))
    local c = D.Categorical {logits = nl.zeros(4)}
    assert.same({3, 4}, shape(c:expand({3}).probs))
    assert.same({3, 4}, shape(c:expand {batch_shape = {3}}.logits))
    assert.same({5, 3, 4}, shape(D.OneHotCategorical(nl.ones(4)):expand(3):sample(5)))
    assert.is_false(D.Normal(0, 1, {validate_args = false}):expand(2)._validate_args)
    assert.error_matches(function() D.Normal(nl.zeros(3), 1):expand(2) end, "expand: ")
  end)

  it("keeps what is computed once, with its gradient", function()
    local probs = nl.tensor({0.25, 0.5}, {requires_grad = true})
    local d = D.Bernoulli(probs)
    nl.no_grad(function() return d.logits end)
    assert.is_true(rawequal(d.logits, d.logits))
    d.logits:sum():backward()
    assert.is_true(nl.allclose(probs.grad, nl.tensor {1 / 0.1875, 4.0}))
  end)
end)

describe("a class of distributions of one's own", function()
  -- Flips of a fair coin that can be biased by a parameter.
  local Coin = D.class "Coin"
  function Coin:init(bias) self.bias = bias D.Distribution.init(self, {}, {}) end
  function Coin.get:mean() return nl.tensor(0.5) + self.bias end
  function Coin.lazy:twice() return self.mean * 2 end
  function Coin:sample(...) return nl.ones(...) end

  it("has fields, methods and kept fields", function()
    local coin = Coin(0.25)
    assert.equal(0.75, coin.mean:item())
    assert.equal(1.5, coin.twice:item())
    assert.is_true(rawequal(coin.twice, coin.twice))
    assert.same({2}, shape(coin:sample(2)))
    assert.error_matches(function() return coin.variance end, "Coin has no variance")
    assert.error_matches(function() D.class("A", {}) end, "a class of distributions to start from")
  end)

  it("may come from one of nnlua's", function()
    local Shifted = D.class("Shifted", D.Normal)
    function Shifted:init(by) D.Normal.init(self, by, 1) end
    function Shifted.get:mode() return self.loc + 1 end
    local d = Shifted(2)
    assert.same({2, 3, 1}, {d.mean:item(), d.mode:item(), d.variance:item()})
    assert.equal(d:log_prob(nl.tensor(2.0)):item(), D.Normal(2, 1):log_prob(nl.tensor(2.0)):item())
    assert.equal(3, d:expand(2).mode[2]:item())
    assert.equal(0, D.kl_divergence(d, D.Normal(2, 1)):item())
  end)

  it("draws by rsample where it defines that alone", function()
    local Drawn = D.class "Drawn"
    function Drawn:init() D.Distribution.init(self) end
    function Drawn:rsample(sample_shape) return nl.ones(sample_shape, {requires_grad = true}) * 2 end
    assert.same({2, 2}, Drawn():sample(2):tolist())
    assert.is_false(Drawn():sample(2).requires_grad)
  end)
end)

describe("kl_divergence", function()
  it("takes the rule of the nearest classes, and says where there is none", function()
    local function message(...) return select(2, pcall(D.kl_divergence, ...)) end
    assert.matches("there is none of distributions.Normal and distributions.Categorical",
      message(D.Normal(0, 1), D.Categorical(nl.ones(2))))
    assert.matches("p must be a distribution, not a number", message(1, D.Normal(0, 1)))
    assert.matches("q must be a distribution, not nil", message(D.Normal(0, 1)))
    local A, B = D.class("A", D.Normal), D.class("B", D.Normal)
    local function init(self) D.Normal.init(self, 0, 1) end
    A.init, B.init = init, init
    D.register_kl(A, D.Normal, function() return "a" end)
    assert.equal("a", D.kl_divergence(A(), D.Normal(0, 1)))
    assert.equal("a", D.kl_divergence(A(), B()))
    assert.equal(0, D.kl_divergence(B(), D.Normal(0, 1)):item())
    D.register_kl(D.Normal, B)(function() return "b" end)
    assert.equal("b", D.kl_divergence(B(), B()))
    D.register_kl(A, B, function() return "ab" end)
    assert.equal("ab", D.kl_divergence(A(), B()))
  end)

  it("warns where two rules fit as well", function()
    local result = process.run_nnlua {"-W", "-e", [[
      local D = require "nnlua".distributions
      local A, B = D.class("A", D.Normal), D.class("B", D.Normal)
      local function init(self) D.Normal.init(self, 0, 1) end
      A.init, B.init = init, init
      D.register_kl(A, D.Normal, function() return "left" end)
      D.register_kl(D.Normal, B, function() return "right" end)
      print(D.kl_divergence(A(), B()))]]}
    assert.equal("left\n", result.stdout)
    assert.matches("kl_divergence%(A, B%) has two rules that fit as well", result.stderr)
  end)

  it("refuses what can't be a rule", function()
    assert.error_matches(function() D.register_kl(D.Normal, 1) end, "type_q must be a class of distributions")
    assert.error_matches(function() D.register_kl(D.Normal, D.Normal, 1) end, "the rule must be a function")
  end)
end)
