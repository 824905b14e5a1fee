-- NumPy's files: those of tests/data/files, which NumPy 2.4 wrote (make.py there), and ours.
local nl = require "nnlua"

local folder = "tests/data/files/"
local path = os.tmpname()
teardown(function() os.remove(path) end)

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

local dtypes = {"bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64", "complex64",
  "complex128"}

--- make.py's ramp.
local function ramp(name)
  local x, dtype = nl.arange(12):reshape(3, 4), nl[name]
  if name == "bool" then return x:remainder(3):eq(0) end
  x = x:to(nl.float64) - (name == "uint8" and 0 or 3)
  return (dtype.is_complex and nl.complex(x, -x) or x):to(dtype)
end

local function loads(bytes) return nl.load(nl.io.BytesIO(bytes)) end

local function dumps(value, format)
  local buffer = nl.io.BytesIO()
  nl.save(buffer, value, {format = format})
  return buffer:getvalue()
end

--- A .npy file with this header.
local function npy(header, elements)
  return "\x93NUMPY\1\0" .. string.pack("<s2", header) .. (elements or "")
end

describe("a file of NumPy's", function()
  for _, case in ipairs {{"arrays.npz"}, {"arrays.npz", {mmap = true}}, {"compressed.npz"},
      {"compressed.npz", {mmap = true}}, {"big.npz"}, {"big.npz", {mmap = true}}} do
    it("is read to the bit: " .. case[1] .. (case[2] and ", mapped" or ""), function()
      local arrays, names = nl.load(folder .. case[1], case[2]), {}
      for name in pairs(arrays) do names[#names + 1] = name end
      for i, name in ipairs(dtypes) do
        assert.equal(name, names[i])
        assert_equal(ramp(name), arrays[name])
      end
      if arrays.zeros then assert_equal(nl.zeros(100, 100, {dtype = nl.float64}), arrays.zeros) end
    end)
  end

  it("has arrays of any shape, and in Fortran's order", function()
    local arrays = nl.load(folder .. "shapes.npz")
    assert_equal(nl.tensor(1.5), arrays.arr_0)
    assert_equal(nl.zeros(0, 3, {dtype = nl.float64}), arrays.arr_1)
    assert_equal(nl.arange(24):reshape(2, 3, 4), arrays.arr_2)
    assert.same({1, 2, 6}, arrays.arr_2:stride():totable())
  end)

  it("has one array", function()
    for _, options in ipairs {{mmap = false}, {mmap = true}} do
      local t = nl.load(folder .. "ramp.npy", options)
      assert_equal(ramp "float32", t)
      t:zero_()
      assert_equal(ramp "float32", nl.load(folder .. "ramp.npy"))
    end
    assert.is_true(nl.load(folder .. "ramp.npy", "meta").is_meta)
  end)

  it("with a dtype that nnlua does not have is refused by its name", function()
    fails("record.npy: it has a structured dtype, records of fields", nl.load, folder .. "record.npy")
    fails("its dtype is '<U2', which nnlua does not have", nl.load, folder .. "text.npy")
    fails("its dtype is '<u2', which nnlua does not have", nl.load, folder .. "uint16.npy")
    fails("its dtype is '|O', which", loads, npy "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }")
  end)
end)

describe("a value saved as NumPy's", function()
  it("comes back the same", function()
    local arrays = {}
    for _, name in ipairs(dtypes) do
      arrays[name] = ramp(name)
      nl.save(path, ramp(name):t(), {format = "npy"})
      assert_equal(ramp(name):t(), nl.load(path))
    end
    nl.save(path, arrays, {format = "npz"})
    for _, options in ipairs {{mmap = false}, {mmap = true}} do
      local again = nl.load(path, options)
      for _, name in ipairs(dtypes) do assert_equal(ramp(name), again[name]) end
    end
    local list = loads(dumps({nl.ones(2), nl.tensor(2.5)}, "npz"))
    assert_equal(nl.ones(2), list.arr_0)
    assert_equal(nl.tensor(2.5), list.arr_1)
    local dict = nl.nn.Linear(2, 1):state_dict()
    assert_equal(dict.weight, loads(dumps(dict, "npz")).weight)
  end)

  it("is what numpy.save writes, byte by byte", function()
    assert.equal(read(folder .. "ramp.npy"), dumps(ramp "float32", "npy"))
    nl.save(path .. ".npy", ramp "float32")
    assert.equal(read(folder .. "ramp.npy"), read(path .. ".npy"))
    os.remove(path .. ".npy")
    nl.save(path .. ".npz", {a = ramp "bool"})
    assert.equal("PK\3\4", read(path .. ".npz"):sub(1, 4))
    os.remove(path .. ".npz")
    assert.truthy(dumps(nl.tensor(1), "npy"):find("'descr': '<i8', 'fortran_order': False, 'shape': (), }", 1, true))
    assert.truthy(dumps(nl.zeros(3), "npy"):find("'shape': (3,), }", 1, true))
  end)

  it("is refused where NumPy has none such", function()
    fails("value is of nnlua.bfloat16, which NumPy does not have: save value:float()", dumps,
      nl.ones(1, {dtype = nl.bfloat16}), "npy")
    fails("value is a number: NumPy's files have tensors only", dumps, 1, "npy")
    fails('value["a"] is a number', dumps, {a = 1}, "npz")
    fails("value[1] is on the meta device", dumps, {nl.empty(1, {device = "meta"})}, "npz")
    fails("a .npz file has a table", dumps, nl.ones(1), "npz")
    fails("has a key that is a number", dumps, {[3] = nl.ones(1)}, "npz")
  end)
end)

describe("a damaged file of NumPy's", function()
  it("is told with the reason", function()
    local function refuses(message, ...) fails(message, loads, npy(...)) end
    refuses("has no '{' where one is expected", "  ")
    refuses("has no text where one is expected", "{1")
    refuses("has no end of a text", "{'descr")
    refuses("has no ':'", "{'descr' 1")
    refuses("has the field 'x', which it can't have", "{'x': 1}")
    refuses("has the field 'descr', which", "{'descr': '<f4', 'descr': '<f4'}")
    refuses("has no True or False", "{'fortran_order': 1}")
    refuses("has no shape", "{'shape': 1}")
    refuses("has no size", "{'shape': (-1,)}")
    refuses("its shape is too large", "{'shape': (99999999999999999999,)}")
    refuses("more than 16 dimensions", "{'shape': (" .. ("1,"):rep(17) .. ")}")
    refuses("lacks descr, fortran_order or shape", "{'shape': (1,)}")
    refuses("followed by something else", "{'descr': '<f4', 'fortran_order': False, 'shape': ()} x")
    refuses("ask for 4 bytes of elements, but there are 3", "{'descr': '<f4', 'fortran_order': False, 'shape': ()}",
      "abc")
    refuses("its shape is too large",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}")
    fails("its header is cut off", loads, "\x93NUMPY\1\0\xff\xff{}  ")
    fails("of version 9", loads, "\x93NUMPY\9\0\2\0{}  ")
    fails("no file of NumPy's, or cut off", loads, "\x93NUMPY\1\0")
  end)

  it("is an error or another value, wherever it is cut off or changed, and never leaks", function()
    collectgarbage()
    local before = nl.memory_stats()
    local seed = 1
    for _, name in ipairs {"ramp.npy", "compressed.npz", "arrays.npz"} do
      local text = read(folder .. name)
      for n = 0, #text - 1 do pcall(loads, text:sub(1, n)) end
      for _ = 1, 2000 do
        seed = (seed * 1103515245 + 12345) % 2147483648
        local at = seed // 8 % #text + 1
        local byte = text:byte(at) ~ (1 << seed // 65536 % 8)
        local ok, message = pcall(loads, text:sub(1, at - 1) .. string.char(byte) .. text:sub(at + 1))
        if not ok then assert.matches("load: the buffer", message, 1, true) end
      end
    end
    collectgarbage()
    collectgarbage()
    assert.equal(before.blocks, nl.memory_stats().blocks)
  end)
end)
