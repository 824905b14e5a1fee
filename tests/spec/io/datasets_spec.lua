-- nl.io.read_idx, and data sets in files.
local nl = require "nnlua"

local root = os.tmpname()
os.remove(root)

local function put(name, text)
  local file <close> = assert(io.open(root .. "/" .. name, "wb"))
  file:write(text)
end

-- An IDX file: a kind, sizes, and elements as a format of string.pack.
local function idx(kind, sizes, format, ...)
  local text = ("\0\0%c%c"):format(kind, #sizes)
  for _, n in ipairs(sizes) do text = text .. (">I4"):pack(n) end
  for _, value in ipairs {...} do text = text .. (">" .. format):pack(value) end
  return text
end

describe("nl.io.read_idx", function()
  setup(function() assert(os.execute("mkdir -p " .. root)) end)
  teardown(function() os.execute("rm -r " .. root) end)

  it("reads each dtype, gzipped or not", function()
    local kinds = {{8, "B", nl.uint8, {1, 2, 255, 0}}, {9, "b", nl.int8, {-128, 127, 1, 0}},
      {0xB, "i2", nl.int16, {-32768, 300, 1, 0}}, {0xC, "i4", nl.int32, {-2147483648, 70000, 1, 0}},
      {0xD, "f", nl.float32, {0.5, -2.0, 1e10, 0.0}}, {0xE, "d", nl.float64, {0.1, -2.0, 1e300, 0.0}}}
    for _, kind in ipairs(kinds) do
      put("x", idx(kind[1], {2, 2}, kind[2], table.unpack(kind[4])))
      assert(os.execute(("gzip -nkf '%s/x'"):format(root)))
      for _, name in ipairs {"/x", "/x.gz"} do
        local x = nl.io.read_idx(root .. name)
        assert.equal(kind[3], x.dtype)
        assert.is_true(nl.equal(nl.tensor(kind[4], {dtype = kind[3]}):view(2, 2), x))
      end
    end
    put("x", idx(8, {}, "B", 7))
    assert.equal(7, nl.io.read_idx(root .. "/x"):item())
    put("x", idx(0xD, {3, 0}, "f"))
    assert.equal("[3, 0]", tostring(nl.io.read_idx(root .. "/x").shape))
  end)

  it("refuses each file that is cut off, and sizes that can't be", function()
    local text = idx(0xB, {2, 3}, "i2", 1, 2, 3, 4, 5, 6)
    put("whole", text)
    assert(os.execute(("gzip -nkf '%s/whole'"):format(root)))
    local file = assert(io.open(root .. "/whole.gz", "rb"))
    local gzipped = file:read "a"
    file:close()
    for n = 0, #text - 1 do
      put("x", text:sub(1, n))
      assert.is_false(pcall(nl.io.read_idx, root .. "/x"))
    end
    for n = 0, #gzipped - 1 do
      put("x", gzipped:sub(1, n))
      assert.is_false(pcall(nl.io.read_idx, root .. "/x"))
    end
    math.randomseed(3)
    for _ = 1, 300 do
      local at = math.random(#gzipped)
      put("x", gzipped:sub(1, at - 1) .. string.char(math.random(0, 255)) .. gzipped:sub(at + 1))
      pcall(nl.io.read_idx, root .. "/x")
    end
    local function refused(pattern, bytes)
      put("x", bytes)
      assert.error_matches(function() nl.io.read_idx(root .. "/x") end, pattern)
    end
    refused("read_idx: .*/x: it is empty", "")
    refused("the file ends too early", idx(8, {4294967295, 4294967295, 4294967295}, "B"))
    refused("the file ends too early", idx(0xE, {2, 4294967295, 4294967295}, "d", 1))
    refused("1 bytes are left over behind its elements", text .. "x")
    refused("it is no IDX file", "\0\1" .. text:sub(3))
    refused("it is no IDX file", "\0\0\7" .. text:sub(4))
    refused("it has 17 dimensions", "\0\0\8\17" .. ("\0"):rep(99))
    refused("x: the compressed file is damaged", "\x1f\x8b" .. ("x"):rep(50))
    refused("x: the compressed file ends too early", gzipped:sub(1, -2))
    -- several parts behind each other are one, as gzip -c a b makes them
    put("x", gzipped .. gzipped)
    assert.error_matches(function() nl.io.read_idx(root .. "/x") end, "bytes are left over")
    assert.error_matches(function() nl.io.read_idx "/no/such/file" end, "No such file")
  end)
end)

describe("nl.datasets", function()
  setup(function() assert(os.execute("mkdir -p " .. root .. "/MNIST/raw")) end)
  teardown(function() os.execute("rm -r " .. root) end)

  it("reads MNIST's files, also where torchvision puts them", function()
    put("t10k-images-idx3-ubyte", idx(8, {3, 2, 2}, "B", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12))
    put("t10k-labels-idx1-ubyte", idx(8, {3}, "B", 7, 0, 9))
    local data = nl.datasets.MNIST(root, {train = false})
    assert.equal(3, #data)
    local x, y = data:get(2)
    assert.same({{{5, 6}, {7, 8}}}, x:tolist())
    assert.equal(1, y)
    assert.same({8, 1, 10}, data.targets:tolist())
    assert.equal("7 - seven", data.classes[data.targets[1]:item()])
    local loader = nl.utils.data.DataLoader(nl.datasets.MNIST(root, false, nl.transforms.ToTensor()), {batch_size = 3})
    for pictures, labels in loader do
      assert.equal("[3, 1, 2, 2]", tostring(pictures.shape))
      assert.same({8, 1, 10}, labels:tolist())
    end
    put("MNIST/raw/train-images-idx3-ubyte", idx(8, {1, 1, 1}, "B", 5))
    put("MNIST/raw/train-labels-idx1-ubyte", idx(8, {1}, "B", 3))
    assert.equal(4, select(2, nl.datasets.MNIST(root):get(1)))
    put("MNIST/raw/train-labels-idx1-ubyte", idx(8, {2}, "B", 3, 4))
    assert.error_matches(function() nl.datasets.MNIST(root) end, "these are no files of MNIST")
    assert.error_matches(function() nl.datasets.FashionMNIST(root) end, "isn't there, nor .*in FashionMNIST/raw")
  end)

  it("reads CIFAR's files", function()
    local function record(labels, first)
      local pixels = {}
      for i = 1, 3072 do pixels[i] = string.char((first + i) % 256) end
      return labels .. table.concat(pixels)
    end
    for i = 1, 5 do put("data_batch_" .. i .. ".bin", record(string.char(i), i)) end
    local data = nl.datasets.CIFAR10(root)
    assert.equal(5, #data)
    local x, y = data:get(5)
    assert.equal("[3, 32, 32]", tostring(x.shape))
    assert.equal(6, x[{1, 1, 1}]:item())
    assert.equal((5 + 1025) % 256, x[{2, 1, 1}]:item())
    assert.equal("dog", data.classes[y])
    put("train.bin", record("\1\99", 1))
    assert.equal(100, select(2, nl.datasets.CIFAR100(root):get(1)))
    put("train.bin", record("\1\100", 1))
    assert.error_matches(function() nl.datasets.CIFAR100(root) end, "a label beyond 99")
    put("train.bin", "abc")
    assert.error_matches(function() nl.datasets.CIFAR100(root) end, "3 bytes are no whole number of records of 3074")
  end)

  it("finds pictures in folders", function()
    assert(os.execute(("mkdir -p '%s/p/cat/inner' '%s/p/ant'"):format(root, root)))
    local function picture(name, value)
      nl.io.write_png(nl.full({1, 2, 3}, value, {dtype = nl.uint8}), root .. "/p/" .. name)
    end
    picture("cat/b.PNG", 1)
    picture("cat/a.png", 2)
    picture("cat/inner/z.png", 3)
    picture("ant/x.png", 4)
    put("p/ant/notes.txt", "")
    local data = nl.datasets.ImageFolder(root .. "/p")
    assert.same({"ant", "cat"}, data.classes)
    assert.same({ant = 1, cat = 2}, data.class_to_idx)
    assert.equal(4, #data)
    local found = {}
    for i = 1, #data do
      local x, y = data:get(i)
      assert.equal("[3, 2, 3]", tostring(x.shape))
      found[i] = {x:max():item(), y}
    end
    assert.same({{4, 1}, {2, 2}, {1, 2}, {3, 2}}, found)
    assert.same({1, 2, 2, 2}, data.targets)
    local only = nl.datasets.ImageFolder(root .. "/p", {is_valid_file = function(path) return path:find "a%.png$" end,
      allow_empty = true, loader = function(path) return path end, target_transform = function(y) return -y end})
    assert.same({root .. "/p/cat/a.png", -2}, {only:get(1)})
    assert(os.execute(("mkdir '%s/p/bee'"):format(root)))
    assert.error_matches(function() nl.datasets.ImageFolder(root .. "/p") end, "there is no file for class 'bee'")
    assert.error_matches(function() nl.datasets.ImageFolder(root .. "/p/ant") end, "has no folder in it")
    assert.error_matches(function() nl.datasets.ImageFolder(root .. "/none") end, "No such file or directory")
    assert.error_matches(function()
      nl.datasets.DatasetFolder(root .. "/p", {loader = print})
    end, "either extensions or is_valid_file is wanted")
    assert(os.execute(("ln -s .. '%s/p/bee/loop'"):format(root)))
    assert.error_matches(function() nl.datasets.ImageFolder(root .. "/p") end, "folders in folders 64 deep")
  end)
end)
