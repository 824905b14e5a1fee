-- Averages of models. The numbers are PyTorch 2.15's.
local nl = require "nnlua"
local testing = require "nnlua.testing"
local nn, swa_utils = nl.nn, nl.optim.swa_utils

--- A net whose parameters and buffers are all a number.
local function filled(net, value)
  nl.no_grad(function()
    for p in net:parameters() do p:fill_(value) end
    for b in net:buffers() do b:fill_(value) end
  end)
  return net
end

local function norm_net()
  return nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
end

describe("AveragedModel", function()
  -- what a weight, a running mean and the count of batches are after models of 1, 2 and 3
  local cases = {
    {"means", nil, 2, 3, 3},
    {"means of buffers too", {use_buffers = true}, 2, 2, 1},
    {"means by a function", {avg_fn = swa_utils.get_swa_avg_fn(), use_buffers = true}, 2, 2, 1},
    {"means by a function of lists", {multi_avg_fn = swa_utils.get_swa_multi_avg_fn()}, 2, 3, 3},
    {"moving averages", {avg_fn = swa_utils.get_ema_avg_fn(0.9)}, 1.29, 3, 3},
    {"moving averages of buffers too", {multi_avg_fn = swa_utils.get_ema_multi_avg_fn(0.9), use_buffers = true},
      1.29, 1.29, 1},
  }
  for _, case in ipairs(cases) do
    it("has " .. case[1], function()
      local net = norm_net()
      local averaged = swa_utils.AveragedModel(net, case[2])
      for value = 1, 3 do averaged:update_parameters(filled(net, value)) end
      assert.is_near(case[3], averaged.module[1].weight[2][1]:item(), 1e-6)
      assert.is_near(case[4], averaged.module[2].running_mean[1]:item(), 1e-6)
      assert.equal(case[5], averaged.module[2].num_batches_tracked:item())
      assert.equal(3, averaged.n_averaged:item())
    end)
  end

  it("calls the averaged module, and has PyTorch's names in its state", function()
    local net = nn.Linear(2, 1)
    local averaged = swa_utils.AveragedModel(net)
    averaged:update_parameters(filled(net, 2))
    filled(net, 5)
    testing.assert_equal(averaged(nl.ones(1, 2)):detach(), nl.tensor {{6.0}})
    local names = {}
    for name in pairs(averaged:state_dict()) do names[#names + 1] = name end
    assert.same({"n_averaged", "module.weight", "module.bias"}, names)
    local other = swa_utils.AveragedModel(nn.Linear(2, 1))
    other:load_state_dict(averaged:state_dict())
    other:update_parameters(filled(net, 4))
    assert.equal(3, other.module.weight[1][1]:item())
  end)

  it("gives a function lists of one dtype, and the count", function()
    local net = nn.ModuleList {nn.Linear(2, 1), nn.Linear(2, 1):to(nl.float64), nn.Linear(1, 1)}
    local seen = {}
    local averaged = swa_utils.AveragedModel(net, {multi_avg_fn = function(averages, values, count)
      table.insert(seen, ("%s %d %d %d"):format(averages[1].dtype, #averages, #values, count:item()))
    end})
    averaged:update_parameters(net)
    assert.same({}, seen)
    averaged:update_parameters(net)
    assert.same({"nnlua.float32 4 4 1", "nnlua.float64 2 2 1"}, seen)
  end)

  it("says what is wrong", function()
    local net = nn.Linear(2, 1)
    assert.error_matches(function()
      swa_utils.AveragedModel(net, {avg_fn = print, multi_avg_fn = print})
    end, "optim.swa_utils.AveragedModel: give avg_fn or multi_avg_fn, not both")
    assert.error_matches(function() swa_utils.AveragedModel(net):update_parameters(nn.Linear(2, 1, false)) end,
      "update_parameters: the model has 1 tensors to average, but 2 were expected")
    assert.error_matches(function() swa_utils.AveragedModel(net):update_parameters(3) end,
      "a model was expected, not a number")
    assert.error_matches(function() swa_utils.get_ema_avg_fn(2) end,
      "get_ema_avg_fn: decay must be a number from 0 to 1, not 2")
  end)
end)

describe("update_bn", function()
  it("computes the running statistics anew, from lists and loaders", function()
    local x = nl.tensor {{1.0}, {3.0}, {5.0}, {7.0}}
    for _, loader in ipairs {
      {x:narrow(1, 1, 2), x:narrow(1, 3, 2)}, {{x:narrow(1, 1, 2), 1}, {x:narrow(1, 3, 2), 2}},
      nl.utils.data.DataLoader(nl.utils.data.TensorDataset(x, x), {batch_size = 2}),
    } do
      local net = nn.Sequential(nn.BatchNorm1d(1, {momentum = 0.3}))
      filled(net, 9):eval()
      swa_utils.update_bn(loader, net)
      assert.equal(4, net[1].running_mean:item())
      assert.equal(2, net[1].running_var:item())
      assert.equal(2, net[1].num_batches_tracked:item())
      assert.equal(0.3, net[1].momentum)
      assert.is_false(net.training)
    end
  end)

  it("leaves the model's mode and momentum as they were where a batch fails", function()
    local net = nn.BatchNorm1d(2)
    assert.error_matches(function() swa_utils.update_bn({nl.ones(2, 3)}, net:eval()) end,
      "3 channels, and 2 are wanted")
    assert.equal(0.1, net.momentum)
    assert.is_false(net.training)
    assert.error_matches(function() swa_utils.update_bn(3, net) end,
      "a loader or a list of batches was expected, not a number")
    swa_utils.update_bn(3, nn.Linear(1, 1)) -- nothing to do
  end)
end)
