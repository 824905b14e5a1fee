-- Devices, and the lines about them that PyTorch's programs begin with.
-- parts: 1
local nl = require "nnlua"
local nn = nl.nn

local function failure(f, ...)
  local ok, message = pcall(f, ...)
  assert.is_false(ok)
  return message
end

describe("nl.device", function()
  local cpu, meta = nl.device "cpu", nl.device "meta"

  it("gives the same value for the same device", function()
    assert.equal(cpu, nl.device(cpu))
    assert.equal(cpu, nl.device "cpu:0")
    assert.equal(cpu, nl.device {type = "cpu", index = 0})
    assert.equal(cpu, nl.ones(2).device)
    assert.equal(meta, nl.ones(2, {device = "meta"}).device)
    assert.not_equal(cpu, meta)
  end)

  it("is printed, joined and asked for its fields as PyTorch's", function()
    assert.equal("cpu", tostring(cpu))
    assert.equal("on meta!", "on " .. meta .. "!")
    assert.equal("cpu", ("%s"):format(cpu))
    assert.equal("cpu", cpu.type)
    assert.is_nil(cpu.index)
    assert.matches("can't be joined to a table", failure(function() return cpu .. {} end))
  end)

  it("refuses what is no device, and says what there is", function()
    local none = "there is no device 'cuda', only cpu and meta: all computing is done on the CPU"
    for _, f in ipairs {
      function() nl.device "cuda" end, function() nl.ones(2):to "cuda" end,
      function() nl.ones(2, {device = "cuda"}) end,
      function() nl.tensor({1}, {device = "cuda"}) end, function() nn.Linear(2, 2):to "cuda" end,
      function() nn.Linear(2, 2, {device = "cuda"}) end, function() nn.Linear(2, 2):to_empty {device = "cuda"} end,
    } do
      assert.matches(none, failure(f), 1, true)
    end
    assert.matches("device: index 1: there is one cpu", failure(nl.device, "cpu", 1))
    assert.matches('a device such as "cpu" is wanted, not nil', failure(nl.device))
    assert.matches('a device such as "cpu" is wanted, not number', failure(nl.device, 3))
  end)

  it("is taken wherever a name is", function()
    local x = nl.tensor({1, 2}, {device = cpu})
    assert.equal(x, x:to(cpu))
    assert.equal(x, x:to(cpu, {non_blocking = true}))
    assert.equal(x, x:to {device = cpu})
    assert.equal(nl.float64, x:to(cpu, nl.float64).dtype)
    assert.equal(meta, nl.zeros(2, {device = meta}).device)
    assert.equal(meta, nl.zeros_like(x, {device = meta}).device)
    assert.equal(meta, nn.Linear(2, 2, {device = meta}).weight.device)
    local net = nn.Linear(2, 2):to(meta)
    assert.equal(meta, net.weight.device)
    assert.equal(cpu, net:to_empty {device = cpu}.bias.device)
    assert.equal(net, net:to {device = cpu, dtype = nl.float64}:cpu())
  end)
end)

describe("a tensor's device", function()
  it("is asked for as in PyTorch", function()
    local x, none = nl.ones(2), nl.ones(2, {device = "meta"})
    assert.same({true, false, false}, {x.is_cpu, x.is_meta, x.is_cuda})
    assert.same({false, true, false}, {none.is_cpu, none.is_meta, none.is_cuda})
    assert.equal(-1, x:get_device())
    assert.equal(x, x:cpu())
    assert.matches("cpu: a meta tensor has no elements", failure(function() none:cpu() end))
    assert.matches("all computing is done on the CPU", failure(function() x:cuda() end))
    assert.matches("all computing is done on the CPU", failure(function() nn.Linear(2, 2):cuda() end))
  end)

  it("lets gradients through cpu()", function()
    local x = nl.ones(2, {requires_grad = true})
    x:mul(2):cpu():sum():backward()
    assert.same({2, 2}, x.grad:tolist())
  end)
end)

describe("the devices that there are not", function()
  it("answer as PyTorch without them does", function()
    assert.same({false, 0, false}, {nl.cuda.is_available(), nl.cuda.device_count(), nl.cuda.is_initialized()})
    assert.same({0, 0}, {nl.cuda.memory_allocated(), nl.cuda.max_memory_allocated()})
    assert.same({false, 0}, {nl.accelerator.is_available(), nl.accelerator.device_count()})
    assert.is_nil(nl.accelerator.current_accelerator())
    assert.is_false(nl.backends.mps.is_available())
    assert.equal("cpu", (nl.cuda.is_available() and "cuda" or "cpu"))
  end)

  it("can be seeded, emptied and switched without effect", function()
    nl.manual_seed(3)
    local expected = nl.rand(2)
    nl.manual_seed(3)
    nl.cuda.manual_seed(1)
    nl.cuda.manual_seed_all(2)
    nl.cuda.empty_cache()
    nl.accelerator.empty_cache()
    nl.backends.cudnn.benchmark = true
    assert.is_true(nl.equal(expected, nl.rand(2)))
  end)

  it("raise where they would be used", function()
    assert.matches("there is no CUDA device", failure(nl.cuda.synchronize))
    assert.matches("accelerator: there is none", failure(nl.accelerator.synchronize))
  end)
end)

-- Results of PyTorch 2.15 for the same calls.
describe("nl.Tensor and its kin", function()
  it("take elements in a table, or sizes, in their dtype", function()
    local dtypes = {
      Tensor = "float32", FloatTensor = "float32", DoubleTensor = "float64", HalfTensor = "float16",
      BFloat16Tensor = "bfloat16", ByteTensor = "uint8", CharTensor = "int8", ShortTensor = "int16",
      IntTensor = "int32", LongTensor = "int64", BoolTensor = "bool",
    }
    for name, dtype in pairs(dtypes) do
      local x = nl[name] {{1, 0}, {0, 1}}
      assert.equal(nl[dtype], x.dtype, name)
      assert.is_true(nl.equal(x, nl.tensor({{1, 0}, {0, 1}}, {dtype = nl[dtype]})))
      assert.same({{2, 3}, nl[dtype]}, {nl[name](2, 3).shape:totable(), nl[name](2, 3).dtype})
      assert.same({0}, nl[name]().shape:totable())
      assert.same({2, 2}, nl[name](x.shape).shape:totable())
    end
    assert.same({1}, nl.LongTensor({1.5}):tolist())
  end)

  it("share the memory of a tensor of their dtype", function()
    local x = nl.ones(2, {requires_grad = true})
    local same = nl.FloatTensor(x)
    same[1] = 5
    assert.same({5, 1}, x:tolist())
    assert.is_false(same.requires_grad)
    assert.equal(nl.float64, nl.Tensor(nl.ones(1, {dtype = nl.float64})).dtype)
    assert.matches("LongTensor: the tensor is of float32: write x:to%(nl.int64%)", failure(nl.LongTensor, x))
  end)

  it("say where elements belong", function()
    for _, arguments in ipairs {{3.0}, {2, 3.0}, {"2"}, {nl.none}} do
      assert.matches("FloatTensor: sizes are integers, not .*: nl.FloatTensor {1, 2}",
        failure(nl.FloatTensor, table.unpack(arguments)))
    end
  end)
end)

describe("x:new_tensor and x:new", function()
  it("make tensors like x", function()
    local x = nl.ones(2, {dtype = nl.float64})
    for _, data in ipairs {{1, 2}, nl.tensor {1, 2}} do
      local made = x:new_tensor(data)
      assert.same({nl.float64, {1, 2}}, {made.dtype, made:tolist()})
    end
    assert.equal(nl.int32, x:new_tensor({1}, {dtype = nl.int32}).dtype)
    assert.is_true(x:new_tensor(3, {requires_grad = true}).requires_grad)
    assert.equal("meta", nl.ones(1, {device = "meta"}):new_tensor({1}).device.type)
    assert.same({nl.float64, {2, 3}}, {x:new(2, 3).dtype, x:new(2, 3).shape:totable()})
    assert.same({1, 2}, x:new({1, 2}):tolist())
    assert.matches("new_tensor: argument 'data' is missing", failure(x.new_tensor, x))
  end)
end)
