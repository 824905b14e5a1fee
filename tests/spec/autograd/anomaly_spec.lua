-- Anomaly mode: X1.
local nl = require "nnlua"
local tensors = require "support.tensors"

local leaf, failure = tensors.leaf, tensors.failure

-- A tensor whose backward fails because of a change in place, and the line of its forward.
local function broken()
  local x = leaf {1, 2}
  local y = x:exp() local line = debug.getinfo(1, "l").currentline
  y:mul_(2)
  return y:sum(), line
end

describe("anomaly mode", function()
  it("X1: tells where the forward of a failing node ran", function()
    nl.autograd.detect_anomaly(function()
      local loss, line = broken()
      local message = failure(function() loss:backward() end)
      assert.matches("ExpBackward, whose forward ran at [^:]*anomaly_spec.lua:" .. line, message)
    end)
    assert.is_nil(failure(function() broken():backward() end):find "whose forward ran")
  end)

  it("X1: appends to the messages of hooks and custom functions, and leaves other values alone", function()
    nl.autograd.detect_anomaly(function()
      local x = leaf {1}
      local h = x * 2
      h:register_hook(function() error "oh" end)
      assert.matches("oh %(in the backward of MulBackward", failure(function() h:backward() end))
      local value = {}
      h = x * 2
      h:register_hook(function() error(value) end)
      assert.equal(value, failure(function() h:backward() end))
    end)
  end)

  it("X1: finds nan", function()
    local x = leaf {0}
    local y = (x * 0 / 0):sum()
    y:backward()
    assert.is_true(x.grad:ne(x.grad):item())
    nl.autograd.detect_anomaly(function()
      assert.matches("returned nan as the gradient of its input", failure(function() (x * 0 / 0):sum():backward() end))
    end)
    nl.autograd.detect_anomaly({check_nan = false}, function() (x * 0 / 0):sum():backward() end)
  end)

  it("X1: can be set until further notice", function()
    local token = nl.autograd.set_detect_anomaly(true)
    collectgarbage()
    assert.is_true(nl.is_anomaly_enabled())
    token:close()
    assert.is_false(nl.is_anomaly_enabled())
    nl.autograd.set_detect_anomaly(true, false)
    nl.autograd.set_detect_anomaly(false)
    assert.is_false(nl.is_anomaly_enabled())
    do
      local _ <close> = nl.autograd.detect_anomaly()
      assert.is_true(nl.is_anomaly_enabled())
    end
    assert.is_false(nl.is_anomaly_enabled())
  end)
end)
