-- Losses: what the oracle's cases and the loops over rows don't reach.
local nl = require "nnlua"
local nn, F = nl.nn, nl.F

local function fails(text, ...)
  local ok, message = pcall(...)
  assert.is_false(ok)
  assert.truthy(tostring(message):find(text, 1, true), message)
end

local function draw(...)
  return nl.randn({...}, {dtype = nl.float64, requires_grad = true})
end

--- All ways to stretch a target over steps, by brute force: the sum of their likelihoods.
local function likelihood(probs, target, steps)
  local total = 0
  local function collapse(path)
    local labels, before = {}, nil
    for _, c in ipairs(path) do
      if c ~= before and c ~= 1 then table.insert(labels, c) end
      before = c
    end
    return table.concat(labels, " ")
  end
  local wanted, classes = table.concat(target, " "), #probs[1]
  local function extend(path, p)
    if #path == steps then
      if collapse(path) == wanted then total = total + p end
      return
    end
    for c = 1, classes do
      path[#path + 1] = c
      extend(path, p * probs[#path][c])
      path[#path] = nil
    end
  end
  extend({}, 1)
  return total
end

describe("ctc_loss", function()
  setup(function() nl.manual_seed(4) end)

  it("is the likelihood of all ways to stretch the target", function()
    local x = draw(4, 2, 3)
    local log_probs = F.log_softmax(x, 3)
    local losses = F.ctc_loss(log_probs, nl.tensor {{2, 3}, {2, 2}}, {4, 3}, {2, 2}, {reduction = "none"})
    local probs = log_probs:exp()
    for n, target in ipairs {{2, 3}, {2, 2}} do
      local steps = n == 1 and 4 or 3
      local expected = -math.log(likelihood(probs:select(2, n):tolist(), target, steps))
      assert(math.abs(losses[n]:item() - expected) < 1e-12)
    end
  end)

  it("has its gradient, through log_softmax", function()
    local function f(x)
      return F.ctc_loss(F.log_softmax(x, 3), nl.tensor {2, 3, 3, 1}, {5, 4, 5}, {2, 1, 1},
        {blank = 4, reduction = "sum"})
    end
    assert.is_true(nl.autograd.gradcheck(f, draw(5, 3, 4)))
  end)

  it("takes targets that don't fit as impossible", function()
    local log_probs = F.log_softmax(draw(2, 1, 3), 3)
    local target = nl.tensor {{2, 2}}
    assert.equal(math.huge, F.ctc_loss(log_probs, target, {2}, {2}):item())
    local x = draw(2, 1, 3)
    local loss = nn.CTCLoss({zero_infinity = true})(F.log_softmax(x, 3), target, nl.tensor {2}, nl.tensor {2})
    loss:backward()
    assert.equal(0, loss:item())
    assert.equal(0, x.grad:norm():item())
  end)

  it("tells what doesn't fit", function()
    local log_probs = draw(4, 2, 3)
    local targets = nl.tensor {{2, 3}, {2, 2}}
    fails("blank 5 is no class", F.ctc_loss, log_probs, targets, {4, 4}, {2, 2}, 5)
    fails("number 2 is 5", F.ctc_loss, log_probs, targets, {4, 5}, {2, 2})
    fails("number 1 is 3", F.ctc_loss, log_probs, targets, {4, 4}, {3, 2})
    fails("a batch of 2", F.ctc_loss, log_probs, targets, {4}, {2, 2})
    fails("target 4 is no class", F.ctc_loss, log_probs, nl.tensor {{2, 4}, {2, 2}}, {4, 4}, {2, 2})
    fails("all in a row, [4]", F.ctc_loss, log_probs, nl.tensor {2, 3, 2}, {4, 4}, {2, 2})
    local x = draw(4, 2, 3)
    local grad = nl.autograd.grad(F.ctc_loss(F.log_softmax(x, 3), targets, {4, 4}, {2, 2}), x, {create_graph = true})
    fails("no gradient of its own", function() grad:sum():backward() end)
  end)
end)

describe("losses of elements", function()
  it("stay finite for logits and probabilities at their ends", function()
    local x = nl.tensor({-200.0, 200.0, 0.0}, {requires_grad = true})
    local loss = F.binary_cross_entropy_with_logits(x, nl.tensor {1.0, 0.0, 1.0}, {reduction = "none"})
    assert.same({200.0, 200.0}, loss:narrow(1, 1, 2):tolist())
    loss:sum():backward()
    assert.same({-1.0, 1.0, -0.5}, x.grad:tolist())
    assert.same({100.0, 0.0},
      F.binary_cross_entropy(nl.tensor {0.0, 1.0}, nl.tensor {1.0, 1.0}, {reduction = "none"}):tolist())
  end)

  it("take 255 as -1 among targets of uint8, as comparisons do", function()
    local x, y = nl.tensor {6.0, 6, 1, 8, 8}, nl.tensor {5.0, 7, 2, 0, 4}
    assert.is_near(0.90036947, F.cosine_embedding_loss(x, y, nl.tensor(255, {dtype = nl.uint8}), -0.129210486):item(),
      1e-6)
    assert.equal(0, F.cosine_embedding_loss(x, y, nl.tensor(255), -0.129210486):item())
  end)

  it("broadcast where PyTorch's do", function()
    assert.equal(nl.ones(2, 3).shape, F.smooth_l1_loss(nl.randn(2, 3), nl.randn(3), {reduction = "none"}).shape)
    local x, var = nl.randn(4, 3), nl.rand(1, 3) + 0.1
    assert.is_true(nl.equal(F.gaussian_nll_loss(x, -x, var:expand(4, 3)), F.gaussian_nll_loss(x, -x, var)))
    fails("they must be the same", F.binary_cross_entropy, nl.rand(2, 3), nl.rand(3))
    fails("they must be the same", F.binary_cross_entropy_with_logits, nl.rand(2, 3), nl.rand(3))
  end)

  it("tell what is wrong with their settings", function()
    local x = nl.randn(2, 3)
    fails("reduction is", F.l1_loss, x, x, {reduction = "batchmean"})
    fails("reduction is", nn.L1Loss, {reduction = "most"})
    fails("delta must be positive", F.huber_loss, x, x, "mean", 0)
    fails("beta must not be negative", F.smooth_l1_loss, x, x, {beta = -1})
    fails("var has negative elements", F.gaussian_nll_loss, x, x, -nl.ones(2, 3))
    fails("var of shape (3)", F.gaussian_nll_loss, x, x, nl.ones(3))
    fails("var of shape (1, 1)", F.gaussian_nll_loss, x, x, nl.ones(1, 1))
    fails("p is 1 or 2", F.multi_margin_loss, x, nl.tensor {1, 2}, 3)
    fails("target 4 is no class", F.multilabel_margin_loss, x, nl.tensor {{4, -1, -1}, {1, -1, -1}})
    fails("index 0", F.multi_margin_loss, x, nl.tensor {0, 1})
  end)

  it("take the old flags", function()
    assert.equal("sum", nn.L1Loss({size_average = false}).reduction)
    assert.equal("none", nn.BCELoss({reduce = false}).reduction)
    assert.equal("mean", nn.MultiMarginLoss(1, 1.0, {size_average = true}).reduction)
  end)
end)
