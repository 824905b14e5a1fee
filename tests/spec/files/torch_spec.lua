-- PyTorch's files: those of tests/data/files, which PyTorch 2.15 wrote (make.py there), and ours.
local nl = require "nnlua"
local system = require "nnlua.system"

local nn = nl.nn
local folder = "tests/data/files/"
local path = os.tmpname()
local pt = path .. ".pt"
teardown(function()
  os.remove(path)
  os.remove(pt)
end)

local dtypes = {"bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64",
  "complex64", "complex128"}

local function fails(message, f, ...)
  local ok, err = pcall(f, ...)
  assert.is_false(ok, "no error, but: " .. message)
  assert.matches(message, err, 1, true)
end

local function read(name)
  local file <close> = assert(io.open(name, "rb"))
  return file:read "a"
end

local function assert_equal(a, b)
  assert.equal(a.dtype, b.dtype)
  assert.equal(a.shape, b.shape)
  if a:is_complex() then a, b = nl.view_as_real(a), nl.view_as_real(b) end
  assert.is_true(nl.equal(a, b))
end

--- make.py's ramp.
local function ramp(name)
  local x, dtype = nl.arange(12):reshape(3, 4), nl[name]
  if name == "bool" then return x:remainder(3):eq(0) end
  x = x:to(nl.float64) - (name == "uint8" and 0 or 3)
  return (dtype.is_complex and nl.complex(x, -x) or x):to(dtype)
end

local function loads(bytes) return nl.load(nl.io.BytesIO(bytes)) end

local function dumps(value)
  local buffer = nl.io.BytesIO()
  nl.save(buffer, value, {format = "pt"})
  return buffer:getvalue()
end

--- A file with this pickle, whose storages are zeros.
local function archive(pickle, storages)
  local names, members = {"a/data.pkl"}, {{pickle}}
  for name, bytes in pairs(storages or {}) do
    names[#names + 1], members[#members + 1] = "a/data/" .. name, {bytes}
  end
  return system.write_zip(nil, names, members)
end

local function names_of(dict)
  local names = {}
  for name in pairs(dict) do names[#names + 1] = name end
  return names
end

-- ------------------------------------------------------------------- reading

local function check_numbers_and_texts(value)
  assert.same({0, 255, 256, 65536, -1, 2 ^ 40 | 0, math.mininteger, 1.5, math.huge, true, false, nl.none},
    value.numbers)
  assert.equal("integer", math.type(value.numbers[6]))
  assert.same({"", "é\u{1F600}", ("a"):rep(300), "\0\xff\x80", {a = true, b = true}}, value.texts)
  local tables = value.tables
  assert.same({[0] = "zero", [1] = "yes", list = {}, dict = {}, tuple = {1, {2, 3}}, [2.5] = "float"}, tables)
end

local function check_views(views, is_mapped)
  local base = nl.arange(24.0):reshape(4, 6)
  assert_equal(base, views.base)
  assert_equal(base[{{}, {2, 4}}], views.columns)
  assert_equal(base:t(), views.turned)
  assert.same({1, 6}, views.turned:stride():totable())
  assert.same({0}, views.expanded:stride():totable())
  assert_equal(nl.ones(3), views.expanded)
  assert_equal(nl.zeros(0, 3), views.empty)
  assert_equal(nl.tensor(2.5), views.scalar)
  views.base[4][6] = 100
  assert.equal(100, views.last:item())
  assert.equal(100, views.turned[6][4]:item())
  if not is_mapped then assert.equal(0, views.base:storage_offset()) end
end

local function check_others(value)
  local p, frozen = table.unpack(value.parameters)
  assert.is_true(p.requires_grad and not frozen.requires_grad)
  assert.matches("^Parameter containing", tostring(p))
  assert.matches("^Parameter containing", tostring(frozen))
  local others = value.others
  assert.equal(nl.Size {2, 3}, others[1])
  assert.equal(nl.bfloat16, others[2])
  assert.equal(nl.device "cpu", others[3])
  assert.same({1.0, -2.0}, {others[4]:item()})
  assert.same({2.5, -7, true}, {others[5], others[6], others[7]})
end

describe("a file of PyTorch's", function()
  for _, case in ipairs {{"values.pt"}, {"values.pt", {mmap = true}}, {"values_protocol4.pt"}, {"values_old.pth"},
      {"values_old.pth", {mmap = true}}} do
    it("is read to the bit: " .. case[1] .. (case[2] and ", mapped" or ""), function()
      local value = nl.load(folder .. case[1], case[2])
      assert.same(dtypes, names_of(value.dtypes))
      for _, name in ipairs(dtypes) do assert_equal(ramp(name), value.dtypes[name]) end
      check_views(value.views, case[2])
      check_numbers_and_texts(value)
      check_others(value)
      local net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
      assert.equal("<All keys matched successfully>", tostring(net:load_state_dict(value.state)))
      assert_equal(nl.tensor {10.0, 11, 12}, net[1].bias:detach())
      assert.same(names_of(net:state_dict()), names_of(value.state))
      assert.same({version = 2}, value.state._metadata["1"])
      local before = read(folder .. case[1])
      value.views.base:zero_()
      assert.equal(before, read(folder .. case[1]))
    end)
  end

  it("is read by map_location and from a buffer", function()
    assert.is_true(nl.load(folder .. "values.pt", "meta").views.base.is_meta)
    assert_equal(ramp "int16", loads(read(folder .. "values.pt")).dtypes.int16)
    assert_equal(ramp "int16", loads(read(folder .. "values_old.pth")).dtypes.int16)
  end)

  it("of the other byte order is turned", function()
    for _, options in ipairs {{mmap = false}, {mmap = true}} do
      local little, big = nl.load(folder .. "little.pt", options), nl.load(folder .. "big.pt", options)
      for i, t in ipairs(little) do assert_equal(t, big[i]) end
      assert_equal(nl.tensor {1.5, -2.0}, big[1])
    end
  end)

  it("may have conjugates that are not worked out", function()
    assert_equal(nl.complex(nl.ones(2), -nl.ones(2)), nl.load(folder .. "conjugate.pt"))
  end)

  it("of TorchScript is the state dict", function()
    local dict = nl.load(folder .. "script.pt")
    assert.same({"0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var",
      "1.num_batches_tracked"}, names_of(dict))
    local state = nl.load(folder .. "values.pt").state
    for name, t in pairs(state) do assert_equal(t, dict[name]) end
    assert.is_false(dict["0.weight"].requires_grad)
  end)

  it("that holds more than data is refused by name", function()
    fails("module.pt: it holds torch.nn.modules.container.Sequential, which is code or no data that nnlua knows: " ..
      "nothing in a file is ever run", nl.load, folder .. "module.pt")
    fails("it holds torch._utils._rebuild_sparse_tensor", nl.load, folder .. "sparse.pt")
    fails("it holds torch.uint16", nl.load, folder .. "uint16.pt")
    for _, call in ipairs {"cos\nsystem\n(X\5\0\0\0touchtR.", "cposix\nsystem\n)R.", "c__builtin__\neval\n)R.",
        "cbuiltins\nexec\n.", "cos\nsystem\n)\x81.", "\x8c\2os\x8c\6system\x93)R."} do
      fails("which is code or no data that nnlua knows", loads, archive("\x80\2" .. call))
    end
  end)
end)

-- --------------------------------------------------------------- optimizers

local function parameters(tensors)
  local list = {}
  for i, t in ipairs(tensors) do list[i] = nn.Parameter(t:clone()) end
  return list
end

local function step(optimizer, p)
  optimizer:step(function()
    optimizer:zero_grad()
    local loss = p[1]:pow(2):sum() / 10 + p[2]:pow(3):sum()
    loss:backward()
    return loss
  end)
end

local options_of = {
  SGD = {lr = 0.1, momentum = 0.9}, Adam = {lr = 0.1, amsgrad = true}, AdamW = {lr = 0.1},
  RMSprop = {lr = 0.01, centered = true, momentum = 0.5}, Adagrad = {lr = 0.1}, Adadelta = {}, Adamax = {lr = 0.1},
  NAdam = {lr = 0.1}, RAdam = {lr = 0.1}, ASGD = {lr = 0.1}, Rprop = {lr = 0.1}, Adafactor = {lr = 0.1},
  LBFGS = {lr = 0.1, max_iter = 3},
}

describe("an optimizer's state", function()
  local cases = nl.load(folder .. "optimizers.pt")
  for name, options in pairs(options_of) do
    it("of PyTorch's goes on here, and after a round trip: " .. name, function()
      local case = cases[name]
      local state = case.state
      for _ = 1, 2 do
        local p = parameters(case.before)
        local optimizer = nl.optim[name](p, next(options) and options or nil)
        optimizer:load_state_dict(state)
        nl.save(pt, optimizer:state_dict())
        step(optimizer, p)
        for i, t in ipairs(case.after) do assert.is_true(nl.allclose(t, p[i]:detach(), {rtol = 1e-5, atol = 1e-6})) end
        state = nl.load(pt)
      end
    end)
  end

  it("keeps its form where parameters have no state or lists are empty", function()
    local state = loads(dumps {state = {[1] = {step = 1}, [2] = {step = 1}}, param_groups = {{params = {}}}})
    assert.same({state = {{step = 1}, {step = 1}}, param_groups = {{params = {}}}}, state)
    local text = dumps {state = {[1] = {step = 1}}, param_groups = {}}
    assert.truthy(text:find "X\5%z%z%zstateq.}q.%(K\1") -- a dict
  end)
end)

-- ------------------------------------------------------------------- writing

describe("a value saved as PyTorch's", function()
  it("comes back the same, with its views and what is shared", function()
    local value = nl.load(folder .. "values.pt")
    nl.save(pt, value)
    for _, options in ipairs {{mmap = false}, {mmap = true}} do
      local again = nl.load(pt, options)
      for _, name in ipairs(dtypes) do assert_equal(ramp(name), again.dtypes[name]) end
      check_numbers_and_texts(again)
      check_views(again.views, true)
      check_others(again)
      assert.same(names_of(value.state), names_of(again.state))
      assert.same({version = 2}, again.state._metadata["1"])
    end
    local x, list = nl.ones(2), {1}
    local loaded = loads(dumps {x, x, {list, list}})
    assert.equal(loaded[1], loaded[2])
    assert.equal(loaded[3][1], loaded[3][2])
    assert.equal(nl.none, loads(dumps(nl.none)))
    assert.same({0 / 0 ~= 0 / 0, -0.0}, {loads(dumps(0 / 0)) ~= 0, loads(dumps(-0.0))})
  end)

  it("is the pickle that torch.save would write, and aligned", function()
    nl.save(path, {w = nl.tensor {1.5, 2.5}}, {format = "pt"})
    local text = read(path)
    local tensor = "ctorch._utils\n_rebuild_tensor_v2\nq\2((X\7\0\0\0storageq\3ctorch\nFloatStorage\nq\4" ..
      "X\1\0\0\0000q\5X\3\0\0\0cpuq\6K\2tQK\0(K\2t(K\1t\x89ccollections\nOrderedDict\nq\7)RtRq\8"
    assert.truthy(text:find("\x80\2}q\0(X\1\0\0\0wq\1" .. tensor .. "u.", 1, true))
    local place = text:find(string.pack("<ff", 1.5, 2.5), 1, true)
    assert.equal(1, place % 64)
    assert.truthy(text:find("archive/data/0", 1, true) and text:find("archive/version", 1, true))
  end)

  it("is told by the path's ending, or by format", function()
    for _, ending in ipairs {".pt", ".pth", ".PT"} do
      nl.save(path .. ending, nl.ones(1))
      assert.equal("PK\3\4", read(path .. ending):sub(1, 4))
      os.remove(path .. ending)
    end
    nl.save(pt, nl.ones(1), {format = "safetensors"})
    assert.equal(1, nl.load(pt):item())
    fails("there is no format 'zip'", nl.load, pt, {format = "zip"})
    fails("too few for a safetensors file", loads, "PK")
    fails("only safetensors files have metadata", nl.save, pt, {}, {metadata = {a = "b"}})
  end)

  it("is refused where it is no data", function()
    fails("value.a is a function", nl.save, pt, {a = print})
    fails("value[1] is a module", nl.save, pt, {nn.Linear(1, 1)})
    fails("on the meta device", nl.save, pt, {nl.empty(2, {device = "meta"})})
    fails("an uninitialized Parameter, which can't be saved", nl.save, pt, nn.LazyLinear(2):state_dict())
    local loop = {}
    loop[1] = loop
    fails("contains itself", nl.save, pt, loop)
  end)
end)

-- ------------------------------------------------------------------- damage

describe("a damaged file of PyTorch's", function()
  it("is told with the place", function()
    local function refuses(message, pickle, storages) fails(message, loads, archive(pickle, storages)) end
    refuses("byte 0 of the pickle: it is cut off", "")
    refuses("byte 2 of the pickle: it is cut off", "\x80\2")
    refuses("the opcode 0x49 is not read here", "\x80\2I01\n.")
    refuses("it takes what is not there", "\x80\2.")
    refuses("it takes what is not there", "\x80\2t.")
    refuses("it takes what is not there", "\x80\2](a.")
    refuses("not in the memo", "\x80\2h\1.")
    refuses("a place in the memo that is too large", "\x80\2Nr\xff\xff\xff\xff.")
    refuses("items for something else than a list", "\x80\2K\1K\1a.")
    refuses("entries for something else than a dict", "\x80\2]K\1K\1s.")
    refuses("a key without a value", "\x80\2}(K\1u.")
    refuses("a state for what has none", "\x80\2]K\1b.")
    refuses("a call of something else than a name", "\x80\2K\1)R.")
    refuses("more than 64 bits", "\x80\2\x8a\9" .. ("\1"):rep(9) .. ".")
    refuses("a dict or set with a key that is a tuple", "\x80\2})K\1s.")
    refuses("a dict or set with a key that is None", "\x80\2}NK\1s.")
    refuses("a dict or set with a key that is nan", "\x80\2}G\x7f\xf8\0\0\0\0\0\0K\1s.")
    refuses("nested too deeply", "\x80\2" .. ("]"):rep(1000) .. ("a"):rep(999) .. ".")
    refuses("copies the same things again and again", "\x80\2c__builtin__\nset\nq\1](" .. ("K\1"):rep(100) ..
      "e\x85q\2R0](" .. ("h\1h\2R"):rep(50) .. "e.")
    -- a thousand ordered dicts that share one dict as their attributes
    refuses("copies the same things again and again", "\x80\2](}(" .. ("K\1K\2X\1\0\0\0aK\3"):rep(500) .. "uq\0" ..
      ("ccollections\nOrderedDict\n)Rh\0b"):rep(1000) .. "e.")
    local function tensor(storage, arguments)
      return "\x80\2ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\n" .. storage ..
        "Q" .. arguments .. "\x89NtR."
    end
    local float = "FloatStorage\nX\1\0\0\0000X\3\0\0\0cpuK\2t"
    assert.equal(0, loads(archive(tensor(float, "K\1))"), {["0"] = ("\0"):rep(8)})):item())
    refuses("its storage '0' is not there", tensor(float, "K\0K\2\x85K\1\x85"))
    refuses("its storage '0' is cut off", tensor(float, "K\0K\2\x85K\1\x85"), {["0"] = "1234567"})
    local eight = {["0"] = ("\0"):rep(8)}
    for _, arguments in ipairs {"K\0K\3\x85K\1\x85", "K\2K\1\x85K\1\x85", "J\xff\xff\xff\xffK\1\x85K\1\x85",
        "K\0K\2\x85J\xff\xff\xff\xff\x85", "K\0J\xff\xff\xff\xff\x85K\1\x85", "K\0K\1\x85)", "K\1K\2\x85K\1\x85",
        "K\0\x8a\8\0\0\0\0\0\0\0\x40\x8a\8\0\0\0\0\0\0\0\x40\x86K\0K\0\x86", "K\0(" .. ("K\1"):rep(17) .. "t(" ..
        ("K\1"):rep(17) .. "t"} do
      refuses("lies outside of its storage of 8 bytes", tensor(float, arguments), eight)
    end
    refuses("of 1 dimensions (up to 16 are read)", tensor(float, "K\0N\x85K\1\x85"), eight)
    refuses("asks for something else than a storage", "\x80\2K\1Q.")
    refuses("asks for something else than a storage", tensor("float32\nX\1\0\0\0000X\3\0\0\0cpuK\2t", "K\0))"), eight)
    refuses("storage '0' is too large", tensor("FloatStorage\nX\1\0\0\0000X\3\0\0\0cpu\x8a\8" ..
      "\0\0\0\0\0\0\0\x7ft", "K\0))"), eight)
    fails("no file that torch.save wrote", loads, "\x80\4\x95\4\0\0\0\0\0\0\0\x8c\1a.")
    fails("a tar archive", loads, ("\0"):rep(257) .. "ustar\0" .. ("\0"):rep(300))
    fails("neither PyTorch's nor NumPy's", loads, system.write_zip(nil, {"a.txt"}, {{"a"}}))
  end)

  it("is an error or another value, wherever it is cut off or changed, and never leaks", function()
    collectgarbage()
    local before = nl.memory_stats()
    local seed, small = 1, {}
    small[1] = dumps {nl.ones(2, 3), {a = nl.ones(2, {dtype = nl.bool}), b = "text"}, nl.zeros(1).shape}
    small[2] = read(folder .. "values_old.pth")
    small[3] = read(folder .. "script.pt")
    for _, text in ipairs(small) do
      for n = 0, #text - 1, math.max(1, #text // 1500) do pcall(loads, text:sub(1, n)) end
      for _ = 1, 1500 do
        seed = (seed * 1103515245 + 12345) % 2147483648
        local at = seed // 8 % #text + 1
        local byte = text:byte(at) ~ (1 << seed // 65536 % 8)
        local ok, message = pcall(loads, text:sub(1, at - 1) .. string.char(byte) .. text:sub(at + 1))
        if not ok then assert.matches("load: ", message, 1, true) end
      end
    end
    collectgarbage()
    collectgarbage()
    assert.equal(before.blocks, nl.memory_stats().blocks)
  end)
end)
