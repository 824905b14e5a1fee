-- What PyTorch's files hold besides tensors: those of tests/data/files, which make.py there wrote.
local nl = require "nnlua"
local system = require "nnlua.system"

local folder = "tests/data/files/"

local function fails(message, f, ...)
  local ok, err = pcall(f, ...)
  assert.is_false(ok, "no error, but: " .. message)
  assert.matches(message, err, 1, true)
end

--- The value of a pickle in a file without storages.
local function loads(pickle) return nl.load(nl.io.BytesIO(system.write_zip(nil, {"a/data.pkl"}, {{pickle}}))) end

local function assert_tensor(dtype, expected, t)
  assert.equal(dtype, t.dtype)
  assert.same(expected, t:tolist())
end

local function check_arrays(arrays)
  local rows = {{0, 1, 2}, {3, 4, 5}}
  assert_tensor(nl.float64, rows, arrays[1])
  assert_tensor(nl.float64, rows, arrays[2])
  assert.same({{3, 1}, {1, 2}}, {arrays[1]:stride():totable(), arrays[2]:stride():totable()})
  assert_tensor(nl.int32, {0, 1, 2}, arrays[3])
  assert_tensor(nl.bool, {{false, false, false}, {true, true, true}}, arrays[4])
  assert.equal(nl.Size {}, arrays[5].shape)
  assert.equal(2.5, arrays[5]:item())
  assert.equal(nl.Size {0, 3}, arrays[6].shape)
  assert.equal(nl.complex64, arrays[7].dtype)
  assert.same({{{0, 1}, {1, 1}, {2, 1}}, {{3, 1}, {4, 1}, {5, 1}}}, nl.view_as_real(arrays[7]):tolist())
  assert_tensor(nl.float16, rows, arrays[8])
end

describe("a file of PyTorch's with a training script's values", function()
  for _, name in ipairs {"containers.pt", "containers_protocol5.pt"} do
    it("is read as tables, texts and tensors: " .. name, function()
      local value = nl.load(folder .. name)
      assert.same({lr = 0.5, layers = {1, 2}}, value.args)
      assert.same({name = "x"}, value.simple)
      assert.same({a = 2, b = 1}, value.counter)
      assert.same({a = {1}}, value.missing)
      assert.equal("\0\xffab", value.bytes)
      assert.equal("2.15.0", value.version)
      check_arrays(value.arrays)
    end)
  end

  it("puts arrays where map_location says, and each has memory of its own", function()
    assert.is_true(nl.load(folder .. "containers.pt", "meta").arrays[1].is_meta)
    local arrays = nl.load(folder .. "containers.pt").arrays
    arrays[1]:zero_()
    assert.equal(5, arrays[2][2][3]:item())
  end)

  it("is refused where a table can't stand for it, with what to save instead", function()
    fails("it holds a storage that is no tensor's", nl.load, folder .. "storage.pt")
    fails("its weights are constants of its code (torch.jit.freeze)", nl.load, folder .. "frozen.pt")
    fails("sparse tensor, which nnlua does not have: save x.to_dense()", nl.load, folder .. "sparse.pt")
    fails("torch.uint16, a dtype that nnlua does not have", nl.load, folder .. "uint16.pt")
    fails("torch.float8_e4m3fn, a dtype that nnlua does not have", loads, "\x80\2ctorch\nfloat8_e4m3fn\n.")
    fails("torch.qint8, a dtype of quantized tensors", loads, "\x80\2ctorch\nqint8\n.")
    fails("a quantized tensor, which nnlua does not have: save x.dequantize()", loads,
      "\x80\2ctorch._utils\n_rebuild_qtensor\n)R.")
    fails("__main__.Config, which is code or no data that nnlua knows", loads, "\x80\2c__main__\nConfig\n)\x81.")
  end)
end)

describe("a damaged pickle of such values", function()
  local dtype = "cnumpy\ndtype\nX\2\0\0\0f8\x85R(K\3X\1\0\0\0<NNNt" .. "b"
  local function array(state)
    return "\x80\5cnumpy._core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85C\1b\x87R" .. state .. "b."
  end

  it("is an error that tells what is wrong", function()
    assert.same({0}, loads(array("(K\1K\1\x85" .. dtype .. "\x89C\8" .. ("\0"):rep(8) .. "t")):tolist())
    assert.equal(nl.Size {3, 0, 2}, loads(array("(K\1K\3K\0K\2\x87" .. dtype .. "\x89C\0t")).shape)
    local wrong = "an array of NumPy's of something else than a shape, a dtype and as many bytes"
    for _, state in ipairs {
      "(K\1K\2\x85" .. dtype .. "\x89C\8" .. ("\0"):rep(8) .. "t", "(K\1K\1\x85" .. dtype .. "\x89C\7" ..
        ("\0"):rep(7) .. "t", "(K\1K\1\x85N\x89C\8" .. ("\0"):rep(8) .. "t", "(K\1N" .. dtype .. "\x89C\8" ..
        ("\0"):rep(8) .. "t", "(K\1J\xff\xff\xff\xff\x85" .. dtype .. "\x89C\8" .. ("\0"):rep(8) .. "t",
      "(K\1\x8a\8\0\0\0\0\0\0\0\x40K\4\x86" .. dtype .. "\x89C\0t", "(K\1K\1\x85" .. dtype .. "\x89Nt",
      "(K\1K\1K\0\x86" .. dtype .. "\x89C\8" .. ("\0"):rep(8) .. "t",
    } do fails(wrong, loads, array(state)) end
    fails("an array of NumPy's in an unknown way", loads, array "(K\2t")
    fails("an array of NumPy's in an unknown way", loads, array "N")
    fails("NumPy's dtype 'O8', which nnlua does not have", loads, "\x80\2cnumpy\ndtype\nX\2\0\0\0O8\x85R.")
    fails("copies the same things again and again", loads, "\x80\5C\xf8" .. ("\0"):rep(248) .. "q\0" .. dtype ..
      "q\1cnumpy._core.numeric\n_frombuffer\nq\2](" .. ("h\2(h\0h\1K\x1f\x85X\1\0\0\0CtR"):rep(50) .. "e.")
    fails("a Namespace has a key that is no text", loads, "\x80\2cargparse\nNamespace\n)\x81}NNsb.")
    fails("a Namespace of something else than attributes", loads, "\x80\2cargparse\nNamespace\n)\x81K\1b.")
    fails("a defaultdict has a key that is no text", loads, "\x80\2ccollections\ndefaultdict\n)RNNs.")
    fails("a Counter of something else than a dict", loads, "\x80\2ccollections\nCounter\n)R.")
    fails("a version of something else than a text", loads, "\x80\2ctorch.torch_version\nTorchVersion\n)\x81.")
  end)
end)
