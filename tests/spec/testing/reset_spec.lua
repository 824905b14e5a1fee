-- testing.reset: what a spec changes of the library's state is back for the next one.
local nl = require "nnlua"
local testing = require "nnlua.testing"

local nn = nl.nn

describe("reset", function()
  local threads

  before_each(function()
    testing.reset()
    threads = nl.get_num_threads()
  end)

  after_each(testing.reset)

  it("seeds the random numbers with 0", function()
    nl.manual_seed(7)
    testing.reset()
    testing.assert_close(nl.rand(2), nl.tensor {0.4963, 0.7682}, {rtol = 0, atol = 1e-4}) -- PyTorch's, seed 0
  end)

  it("puts the settings back", function()
    nl.set_default_dtype(nl.float64)
    nl.set_num_threads(threads + 1)
    nl.set_printoptions {precision = 1}
    testing.reset()
    assert.equal(nl.float32, nl.get_default_dtype())
    assert.equal(threads, nl.get_num_threads())
    assert.equal("tensor([0.2500])", tostring(nl.tensor {0.25}))
  end)

  it("ends modes that are still open", function()
    local inference, grad = nl.inference_mode(), nl.no_grad()
    nl.set_grad_enabled(false)
    nl.autograd.set_detect_anomaly(true)
    testing.reset()
    assert.is_true(nl.is_grad_enabled())
    assert.is_false(nl.is_inference_mode_enabled())
    assert.is_false(nl.is_anomaly_enabled())
    assert.is_true((nl.ones(1, {requires_grad = true}) * 2).requires_grad)
    grad:close() -- too late to change anything
    inference:close()
    assert.is_true(nl.is_grad_enabled())
    assert.is_false(nl.is_inference_mode_enabled())
  end)

  it("ends those of a coroutine that waits in one", function()
    local co = coroutine.wrap(function()
      local _ <close> = nl.no_grad()
      coroutine.yield()
      return nl.is_grad_enabled()
    end)
    co()
    testing.reset()
    assert.is_true(co())
  end)

  it("leaves modes usable", function()
    nl.no_grad(function()
      testing.reset()
      assert.is_true(nl.is_grad_enabled())
    end)
    assert.is_true(nl.is_grad_enabled())
    assert.is_false(nl.no_grad(nl.is_grad_enabled))
    nl.set_grad_enabled(false)
    assert.is_false(nl.is_grad_enabled())
  end)

  it("takes away global hooks of modules", function()
    local calls = 0
    local function count() calls = calls + 1 end
    local handles = {
      nn.register_module_forward_hook(count), nn.register_module_forward_pre_hook(count),
      nn.register_module_full_backward_hook(count), nn.register_module_full_backward_pre_hook(count),
    }
    local net, x = nn.Linear(2, 1), nl.ones(2, {requires_grad = true})
    net(x):sum():backward()
    assert.equal(4, calls)
    testing.reset()
    net(x):sum():backward()
    assert.equal(4, calls)
    for _, handle in ipairs(handles) do handle:remove() end -- they are gone: nothing happens
    local own = net:register_forward_hook(count)
    net(x)
    assert.equal(5, calls)
    own:remove()
    nn.register_module_forward_hook(count)
    net(x)
    assert.equal(6, calls)
  end)
end)
