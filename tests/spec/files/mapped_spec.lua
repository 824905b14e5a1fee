-- Ways around nl.save and nl.load: mapped files, one tensor by name, split files, metadata, buffers.
local nl = require "nnlua"
local process = require "support.process"

local path = os.tmpname()
teardown(function() os.remove(path) end)

local function write(name, text)
  local file <close> = assert(io.open(name, "wb"))
  file:write(text)
end

local function read()
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

local function fails(message, f, ...)
  local ok, err = pcall(f, ...)
  assert.is_false(ok, "no error, but: " .. message)
  assert.matches(message, err, 1, true)
end

--- Whether two tensors are the same to the bit.
local function assert_equal(a, b)
  assert.equal(a.dtype, b.dtype)
  assert.equal(a.shape, b.shape)
  if a:is_complex() then a, b = nl.view_as_real(a), nl.view_as_real(b) end
  assert.is_true(nl.equal(a, b))
end

local dtypes = {"float32", "float64", "float16", "bfloat16", "int8", "int16", "int32", "int64", "uint8", "bool",
  "complex64", "complex128"}

local function one_of_each()
  local dict = {}
  for _, name in ipairs(dtypes) do dict[name] = nl.randn(3, 5):mul(3):to(nl[name]) end
  dict.empty, dict.scalar = nl.zeros(0, 3), nl.tensor(2.5)
  return dict
end

describe("a mapped file", function()
  it("has the same tensors, of all dtypes", function()
    local dict = one_of_each()
    nl.save(path, dict)
    local loaded = nl.load(path, {mmap = true})
    for name, t in pairs(dict) do assert_equal(t, loaded[name]) end
    assert_equal(dict.int64, nl.load(path, nl.none, true, true).int64)
  end)

  it("takes next to no memory where little of it is used: of 1 GB one tensor of 4 KB", function()
    local header = '{"large":{"dtype":"F32","shape":[268435456],"data_offsets":[0,1073741824]},'
      .. '"small":{"dtype":"F32","shape":[1024],"data_offsets":[1073741824,1073745920]}}'
    header = header .. (" "):rep(-#header % 8) -- so that tensors are aligned
    local file <close> = assert(io.open(path, "wb"))
    file:write(("<s8"):pack(header))
    file:seek("cur", 1 << 30) -- which is a hole and takes no room
    file:write(("<f"):pack(0.5):rep(1024))
    file:close()
    local script = process.file([[
      local t = require "nnlua".load(arg[1], {mmap = true})
      io.write(t.small:sum():item())
      for line in io.lines "/proc/self/status" do io.write(line:match "^VmRSS:(.*)kB" or "") end]])
    local result = process.run_nnlua {script, path}
    os.remove(script)
    local sum, resident = result.stdout:match "^(%S+)%s+(%d+)"
    assert.equal(512, tonumber(sum), result.stderr)
    if not process.is_sanitized() then assert.is_true(tonumber(resident) < 10000, resident .. " kB") end
  end)

  it("never changes, whatever is written to its tensors, and may be replaced", function()
    nl.save(path, {w = nl.ones(5000)})
    local before, loaded = read(), nl.load(path, {mmap = true})
    loaded.w:add_(1)
    loaded.w[7] = 100
    assert.equal(before, read())
    assert.equal(2 * 4999 + 100, loaded.w:sum():item())
    assert.equal(5000, nl.load(path).w:sum():item())
    local other = nl.load(path, {mmap = true}).w
    nl.save(path, {w = nl.zeros(3)})
    assert.equal(5000, other:sum():item())
    os.remove(path)
    assert.equal(5000, other:sum():item())
  end)

  it("copies what is not aligned", function()
    write(path, string.pack("<I8", 136) .. ('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},' ..
      '"b":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}}' .. (" "):rep(31)):sub(1, 136) ..
      string.pack("<Bff", 7, 1.5, -2.5))
    local loaded = nl.load(path, {mmap = true})
    assert_equal(nl.tensor({7}, {dtype = nl.uint8}), loaded.a)
    assert_equal(nl.tensor {1.5, -2.5}, loaded.b)
  end)

  it("is an error, and zeros, where another program has cut it off", function()
    nl.save(path, {w = nl.ones(100000)})
    local w = nl.load(path, {mmap = true}).w
    local place = nl.io.safe_open(path)
    assert(os.execute("truncate -s 8192 " .. path))
    fails(path .. ", which was loaded with mmap = true, has been cut off or can't be read any more", function()
      local sum = w:sum()
      return sum:item()
    end)
    assert.equal(0, w[100000]:item())
    assert.equal(1, w[1000]:item())
    w = nil
    collectgarbage()
    fails("the file is cut off", function() return nl.load(path) end)
    fails("has been cut off", function() return place:get_tensor "w":sum():item() end)
  end)

  it("is no pipe and no buffer", function()
    fails("it is no regular file", nl.load, "/dev/zero", {mmap = true})
    fails("No such file", nl.load, "/nowhere/x", {mmap = true})
    fails("mmap = true maps a file: give its path", nl.load, nl.io.BytesIO "", {mmap = true})
    write(path, "")
    fails("too few for a safetensors file", nl.load, path, {mmap = true})
  end)
end)

describe("safe_open", function()
  it("reads names, metadata and single tensors", function()
    local dict = one_of_each()
    nl.save(path, dict, {metadata = {author = "é\n\"", format = "np", [""] = ""}})
    for _, mmap in ipairs {true, false} do
      local file = nl.io.safe_open(path, {mmap = mmap})
      assert.same({"bfloat16", "bool", "complex128", "complex64", "empty", "float16", "float32", "float64", "int16",
        "int32", "int64", "int8", "scalar", "uint8"}, file:keys())
      assert.same({author = "é\n\"", format = "np", [""] = "", ["nnlua.complex128.complex128"] = "pairs"},
        file:metadata())
      assert_equal(dict.float16, file:get_tensor "float16")
      assert_equal(nl.view_as_real(dict.complex128), file:get_tensor "complex128")
      fails("there is no tensor 'x'", file.get_tensor, file, "x")
      fails("there is no tensor", file.get_tensor, file)
    end
    fails("no argument is called 'map'", nl.io.safe_open, path, {map = true})
  end)

  it("refuses metadata that are no texts", function()
    local function refuses(message, metadata) fails(message, nl.save, path, {}, {metadata = metadata}) end
    refuses("metadata is a table of names and texts", {a = 1})
    refuses("metadata is a table of names and texts", {"a"})
    refuses("metadata is a table of names and texts", {a = "\xff"})
    refuses("metadata is a table of names and texts", {["\xed\xa0\x80"] = "a"})
    refuses("'nnlua' in metadata is nnlua's own", {nnlua = "1"})
    fails("no argument is called 'meta'", nl.save, path, {}, {meta = {}})
    fails("save(path, value, {format =", nl.save, path, {}, 1)
    fails("save(path, value, {format =", nl.save, path, {}, {}, 1)
    fails("there is no format 'tar'", nl.save, path, {}, {format = "tar"})
  end)
end)

describe("a split file", function()
  local folder = os.tmpname()
  os.remove(folder)
  setup(function() assert(os.execute("mkdir " .. folder)) end)
  teardown(function() os.execute("rm -r " .. folder) end)
  local index = folder .. "/model.safetensors.index.json"

  it("is read through its index", function()
    nl.save(folder .. "/model-00001-of-00002.safetensors", {b = nl.ones(2), a = nl.zeros(3), other = nl.ones(1)})
    nl.save(folder .. "/model-00002-of-00002.safetensors", {c = nl.tensor {1, 2}})
    write(index, ' {"metadata": {"total_size": 36}, "weight_map": {"c": "model-00002-of-00002.safetensors",\n' ..
      '"a": "model-00001-of-00002.safetensors", "b": "model-00001-of-00002.safetensors"}}')
    for _, mmap in ipairs {true, false} do
      local dict, names = nl.load(index, {mmap = mmap}), {}
      for name in pairs(dict) do names[#names + 1] = name end
      assert.same({"a", "b", "c"}, names)
      assert_equal(nl.zeros(3), dict.a)
      assert_equal(nl.ones(2), dict.b)
      assert_equal(nl.tensor {1, 2}, dict.c)
    end
  end)

  it("may have files of PyTorch's", function()
    nl.save(folder .. "/model-00001-of-00001.bin", {a = nl.ones(2), n = 1}, {format = "pt"})
    write(index, '{"weight_map": {"a": "model-00001-of-00001.bin"}}')
    assert_equal(nl.ones(2), nl.load(index).a)
    assert_equal(nl.ones(2), nl.load(index, {mmap = true}).a)
    write(index, '{"weight_map": {"n": "model-00001-of-00001.bin"}}')
    fails("tensor 'n' is not in model-00001-of-00001.bin", nl.load, index)
  end)

  it("is an error where the index is wrong, and stays in its folder", function()
    local function refuses(message, text)
      write(index, text)
      fails(message, nl.load, index)
    end
    refuses("byte 2: a string expected", "{1")
    refuses("it has no object 'weight_map'", "{}")
    refuses("it has no object 'weight_map'", '{"weight_map": 1}')
    for _, file in ipairs {"../x", "/etc/passwd", "", ".", "..", "a\\\\b", "a\\u0000b"} do
      refuses("names of files in the index's folder", ('{"weight_map": {"a": "%s"}}'):format(file))
    end
    refuses("names of files in the index's folder", '{"weight_map": [["a"]]}')
    refuses("/none.safetensors: it can't be opened: No such file", '{"weight_map": {"a": "none.safetensors"}}')
    nl.save(folder .. "/x", {b = nl.ones(1)})
    refuses("tensor 'a' is not in x, where the index says that it is", '{"weight_map": {"a": "x"}}')
    fails("give its path, not a buffer", nl.load, nl.io.BytesIO '{"weight_map": {"a": "x"}}')
  end)
end)

describe("a buffer", function()
  it("is written and read in the place of a file", function()
    local buffer = nl.io.BytesIO()
    nl.save(buffer, {nl.ones(2), "text"})
    assert.equal(buffer:tell(), #buffer:getvalue())
    assert.equal(0, buffer:seek(0))
    assert.equal("text", nl.load(buffer)[2])
    nl.save(path, {nl.ones(2), "text"})
    assert.equal(buffer:getvalue(), read())
    assert.equal("text", nl.load(nl.io.BytesIO(read()))[2])
    local file <close> = assert(io.open(path, "rb"))
    assert.equal("text", nl.load(file)[2])
    local out = assert(io.open(path, "wb"))
    nl.save(out, {w = nl.zeros(3)})
    out:close()
    assert.equal(3, nl.load(path).w:numel())
    local full <close> = assert(io.open("/dev/full", "wb"))
    full:setvbuf "no"
    fails("save: the buffer can't be written: No space left", nl.save, full, {nl.zeros(3)})
    fails("the buffer: it has 0 bytes", nl.load, nl.io.BytesIO())
    fails("read gave no string", nl.load, setmetatable({}, {__index = {read = function() end}}))
  end)

  it("reads, writes and seeks as a file", function()
    local buffer = nl.io.BytesIO "abcdef"
    assert.equal("ab", buffer:read(2))
    buffer:write "XY":write "Z"
    assert.equal("abXYZf", buffer:getvalue())
    assert.equal("f", buffer:read "a")
    assert.equal("", buffer:read())
    assert.equal(4, buffer:seek("end", -2))
    assert.equal(5, buffer:seek("cur", 1))
    assert.equal(8, buffer:seek(8))
    buffer:write "!"
    assert.equal("abXYZf\0\0!", buffer:getvalue())
    assert.equal("BytesIO(9 bytes)", tostring(buffer))
    fails("a place from 0 on", buffer.seek, buffer, "middle")
    fails("a place from 0 on", buffer.seek, buffer, -1)
    fails("a string expected", buffer.write, buffer, 1)
    fails("BytesIO: a string expected", nl.io.BytesIO, 1)
    fails("BytesIO", buffer.read, nil)
  end)
end)
