-- nl.save and nl.load: safetensors files.
local nl = require "nnlua"
local process = require "support.process"

local nn = nl.nn
local path = os.tmpname()

local function write(text)
  local file <close> = assert(io.open(path, "wb"))
  file:write(text)
end

local function read()
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

local function round_trip(value)
  nl.save(path, value)
  return nl.load(path)
end

local function fails(message, f, ...)
  local ok, err = pcall(f, ...)
  assert.is_false(ok, "no error, but: " .. message)
  assert.matches(message, err, 1, true)
end

--- A file with this header and these elements.
local function file_text(header, elements)
  return string.pack("<I8", #header) .. header .. (elements or "")
end

--- The header of a file and what follows it.
local function parts(text)
  local n = string.unpack("<I8", text)
  return text:sub(9, 8 + n), text:sub(9 + n)
end

local function assert_equal(a, b)
  assert.equal(a.dtype, b.dtype)
  assert.equal(a.shape, b.shape)
  if a:is_complex() then a, b = nl.view_as_real(a), nl.view_as_real(b) end
  assert.is_true(nl.equal(a, b))
end

teardown(function() os.remove(path) end)

describe("a saved value", function()
  local dtypes = {"float32", "float64", "float16", "bfloat16", "int8", "int16", "int32", "int64", "uint8", "bool",
    "complex64", "complex128"}

  it("has tensors of all dtypes", function()
    local dict, mixed = {}, {}
    for i, name in ipairs(dtypes) do
      dict[name] = nl.randn(3, 5):mul(3):to(nl[name])
      mixed[i] = dict[name]
    end
    local flat, list = round_trip(dict), round_trip(mixed)
    for i, name in ipairs(dtypes) do
      assert_equal(dict[name], flat[name])
      assert_equal(dict[name], list[i])
    end
  end)

  it("has tensors of any shape and layout, of which only elements are kept", function()
    local x = nl.randn(3, 4)
    for _, t in ipairs {nl.tensor(2.5), nl.zeros(0, 3), x:t(), x[{{}, 2}], x[2], nl.ones(1):expand(2, 3),
        nl.zeros(1, 1, 1, 1, 1, 1)} do
      assert_equal(t, round_trip(t))
    end
    nl.save(path, x[2])
    assert.equal(4 * 4, #select(2, parts(read())))
    assert.is_false(round_trip(nl.ones(2, {requires_grad = true})).requires_grad)
  end)

  it("has nested tables of strings, numbers, booleans, none, dtypes and sizes", function()
    local value = {
      1, 2.0, "three", {}, {{}}, name = "a\0b\"\\\n\u{1F600}", raw = "\xff\xfe\xed\xa0\x80", yes = true, no = false,
      [3.5] = "x", [-7] = "y", [true] = 1, [false] = 0, most = math.maxinteger, least = math.mininteger,
      small = 5e-324, third = 1 / 3, large = 1.7976931348623157e308, inf = math.huge, ninf = -math.huge,
      ["key with \"quotes\" \xff"] = 1,
    }
    assert.same(value, round_trip(value))
    assert.equal("integer", math.type(round_trip {1}[1]))
    assert.equal("float", math.type(round_trip {1.0}[1]))
    local nan = round_trip {0.0 / 0.0}[1]
    assert.is_true(nan ~= nan)
    local special = round_trip {nl.none, nl.bfloat16, nl.zeros(2, 3).shape}
    assert.equal(nl.none, special[1])
    assert.equal(nl.bfloat16, special[2])
    assert.equal(nl.Size {2, 3}, special[3])
    for _, plain in ipairs {1, "text", true} do assert.equal(plain, round_trip(plain)) end
  end)

  it("has tensors under any name, and tables nested as deep as they may be", function()
    local names = {"", "a\0b", "\0", "\"\\/\n\u{7f}", "\u{1F600}"}
    local flat, deep = {}, {nl.ones(1), nl.float32}
    for i, name in ipairs(names) do flat[name] = nl.tensor(i) end
    local loaded = round_trip(flat)
    for i, name in ipairs(names) do assert.equal(i, loaded[name]:item()) end
    assert.equal(#names, #loaded)
    for i = 1, 60 do deep = i % 2 == 0 and {deep} or {[i] = deep} end
    loaded = round_trip(deep)
    for _ = 1, 60 do loaded = select(2, next(loaded)) end
    assert_equal(nl.ones(1), loaded[1])
    assert.equal(nl.float32, loaded[2])
  end)

  it("keeps tensors that are the same memory one", function()
    local x = nl.randn(2, 3)
    local loaded = round_trip {x, {again = x, alias = x:detach(), other = x:clone(), view = x[1]}}
    loaded[1]:add_(1)
    assert.is_true(nl.equal(loaded[1], loaded[2].again) and nl.equal(loaded[1], loaded[2].alias))
    assert.is_true(nl.equal(x, loaded[2].other) and nl.equal(x[1], loaded[2].view))
    assert.equal(4 * (6 + 6 + 3), #select(2, parts(read())))
  end)

  it("keeps tied weights tied, under a name that others read", function()
    local net = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    net[2].weight = net[1].weight
    local dict = round_trip(net:state_dict())
    dict["0.weight"]:zero_()
    assert.equal(0, dict["1.weight"]:abs():sum():item())
    local header = parts(read())
    assert.truthy(header:find('"0.weight":{', 1, true) and not header:find('"1.weight":{', 1, true))
  end)

  it("keeps state dicts in order, whatever their dtypes", function()
    local dict = nn.Linear(2, 2):state_dict()
    dict.z = nl.ones(3, {dtype = nl.uint8})
    dict.a = nl.ones(2, {dtype = nl.float64})
    for _, loaded in ipairs {round_trip(dict), round_trip({dict, epoch = 1})[1]} do
      local names = {}
      for name, t in pairs(loaded) do
        names[#names + 1] = name
        assert_equal(dict[name], t)
      end
      assert.same({"weight", "bias", "z", "a"}, names)
      assert.equal(4, #loaded)
    end
  end)

  it("brings schedules and generators back: a run goes on as if it had not stopped", function()
    local function new(seed)
      local net = nn.Linear(3, 2)
      local optimizer = nl.optim.SGD(net:parameters(), {lr = 0.5, momentum = 0.9})
      local generator = nl.Generator():manual_seed(seed)
      return net, optimizer, nl.optim.lr_scheduler.CosineAnnealingLR(optimizer, {T_max = 10}), generator
    end
    local function train(net, optimizer, scheduler, generator)
      for _ = 1, 3 do
        optimizer:zero_grad()
        net(nl.randn(5, 3, {generator = generator})):pow(2):mean():backward()
        optimizer:step()
        scheduler:step()
      end
      return nl.rand(2)
    end
    local net, optimizer, scheduler, generator = new(1)
    train(net, optimizer, scheduler, generator)
    nl.save(path, {model = net:state_dict(), optimizer = optimizer:state_dict(), schedule = scheduler:state_dict(),
      generator = generator:get_state(), random = nl.get_rng_state(), epoch = 3})
    local expected = train(net, optimizer, scheduler, generator)
    local other, other_optimizer, other_scheduler, other_generator = new(2)
    local saved = nl.load(path)
    other:load_state_dict(saved.model)
    other_optimizer:load_state_dict(saved.optimizer)
    other_scheduler:load_state_dict(saved.schedule)
    other_generator:set_state(saved.generator)
    nl.set_rng_state(saved.random)
    assert_equal(expected, train(other, other_optimizer, other_scheduler, other_generator))
    assert_equal(net.weight, other.weight)
    assert.equal(scheduler:get_last_lr()[1], other_scheduler:get_last_lr()[1])
  end)

  it("brings models and optimizers back", function()
    local function new()
      local net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
      return net, nl.optim.Adam(net:parameters(), {lr = 0.01})
    end
    local x = nl.randn(5, 3)
    local function train(net, optimizer)
      optimizer:zero_grad()
      net(x):pow(2):sum():backward()
      optimizer:step()
    end
    local net, optimizer = new()
    train(net, optimizer)
    nl.save(path, {model = net:state_dict(), optimizer = optimizer:state_dict(), epoch = 1})
    local other, other_optimizer = new()
    local saved = nl.load(path)
    other:load_state_dict(saved.model)
    other_optimizer:load_state_dict(saved.optimizer)
    train(net, optimizer)
    train(other, other_optimizer)
    assert.is_true(nl.equal(net(x), other(x)))
  end)
end)

describe("a file", function()
  -- What safetensors' own writer makes of {"a": int64 [1, 2], "b": bfloat16 1.5, "c": bool [[True, False]]}.
  local foreign = file_text('{"__metadata__":{"format":"pt"},"a":{"dtype":"I64","shape":[2],"data_offsets":[0,16]},' ..
    '"b":{"dtype":"BF16","shape":[],"data_offsets":[16,18]},"c":{"dtype":"BOOL","shape":[1,2],"data_offsets":[18,20]}}',
    string.pack("<i8i8I2BB", 1, 2, 0x3fc0, 1, 0))

  it("of another program is read to the bit", function()
    write(foreign)
    local dict = nl.load(path)
    assert_equal(nl.tensor {1, 2}, dict.a)
    assert_equal(nl.tensor(1.5, {dtype = nl.bfloat16}), dict.b)
    assert_equal(nl.tensor {{true, false}}, dict.c)
    write(file_text('{"__metadata__": null,"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', "\7"))
    assert_equal(nl.tensor({7}, {dtype = nl.uint8}), nl.load(path).a)
  end)

  it("is written to the bit, larger elements first and aligned", function()
    nl.save(path, {c = nl.tensor {{true, false}}, b = nl.tensor(1.5, {dtype = nl.bfloat16}), a = nl.tensor {1, 2}})
    local header, elements = parts(read())
    assert.equal('{"__metadata__":{"format":"pt"},"a":{"dtype":"I64","shape":[2],"data_offsets":[0,16]},' ..
      '"b":{"dtype":"BF16","shape":[],"data_offsets":[16,18]},"c":{"dtype":"BOOL","shape":[1,2],' ..
      '"data_offsets":[18,20]}}', (header:gsub(" *$", "")))
    assert.equal(0, #header % 8)
    assert.equal(select(2, parts(foreign)), elements)
  end)

  it("may have white space, escapes and fields unknown to us, and truth values other than 0 and 1", function()
    write(file_text(' {\n"\\u00fc\\ud83d\\ude00\\n" : {"new": [{"x": [1.5e-3, null, true]}], "shape": [ 3 ],' ..
      '"dtype": "BOOL", "data_offsets": [0, 3]} }  ', "\0\1\7"))
    assert_equal(nl.tensor {false, true, true}, nl.load(path)["\u{fc}\u{1F600}\n"])
  end)

  it("keeps its place and mode, and the old one if the new one fails", function()
    local folder = os.tmpname()
    os.remove(folder)
    assert(os.execute(("mkdir %s && touch %s/file && chmod 640 %s/file && ln -s file %s/link"):format(
      folder, folder, folder, folder)))
    nl.save(folder .. "/link", {nl.ones(2)})
    assert.is_false(pcall(nl.save, folder .. "/file", {nl.ones(2), print}))
    assert.equal(2, nl.load(folder .. "/file")[1]:sum():item())
    local list <close> = io.popen(("cd %s && stat -c '%%n %%a %%F' *"):format(folder))
    assert.equal("file 640 regular file\nlink 777 symbolic link\n", list:read "a")
    os.execute("rm -r " .. folder)
  end)
end)

describe("what can't be saved", function()
  local function refuses(message, value) fails(message, nl.save, path, value) end

  it("is told with its path", function()
    write "old"
    refuses("save: value.model is a module: save its state, net:state_dict()", {model = nn.Linear(1, 1)})
    refuses("save: value is a module: save its state", nn.Linear(1, 1))
    refuses('save: value.a[2]["b c"] is a function', {a = {1, {["b c"] = print}}})
    refuses("save: value[1] is a thread", {coroutine.create(print)})
    refuses("save: value.o is an object: save its :state_dict()",
      {o = nl.optim.SGD {nl.ones(1, {requires_grad = true})}})
    refuses("has a metatable", {setmetatable({}, {})})
    refuses("on the meta device", {nl.empty(2, {device = "meta"})})
    refuses("on the meta device", {x = nl.empty(2, {device = "meta"})})
    refuses("has a key that is", {[nl.ones(1)] = 1})
    refuses("save: value is nil", nil)
    local loop = {}
    loop.again = {loop}
    refuses("save: value.again[1] contains itself", loop)
    local deep = {}
    for _ = 1, 100 do deep = {deep} end
    refuses("nested deeper than", deep)
    assert.equal("old", read())
  end)

  it("names the file that can't be written", function()
    fails("save: /nowhere/x: it can't be written: No such file", nl.save, "/nowhere/x", {1})
    fails("save: /dev/null: it can't be written: it is no regular file", nl.save, "/dev/null", {1})
    fails(('save: the path comes first: save("%s", …)'):format(path), nl.save, nl.ones(1), path)
    fails(('save: the path comes first: save("%s", …)'):format(path), nl.save, {a = 1}, path)
    fails("load: /nowhere/x: it can't be opened: No such file", nl.load, "/nowhere/x")
    fails("load: /dev/zero: it can't be opened: it is no regular file", nl.load, "/dev/zero")
  end)
end)

describe("a damaged file", function()
  local function refuses(message, text)
    write(text)
    fails(message, nl.load, path)
  end

  --- A header with one tensor of so many bytes.
  local function one(fields, bytes)
    return file_text('{"x":{' .. fields .. "}}", ("\0"):rep(bytes or 4))
  end

  it("is told with the place", function()
    refuses("too few for a safetensors file", "")
    refuses("it is damaged or no safetensors file", ("\xff"):rep(20))
    refuses("it is damaged or no safetensors file", string.pack("<I8", 3) .. "{}")
    refuses("byte 1 of its header: '{' expected", file_text "[]")
    refuses("byte 3 of its header: the value is followed by something else", file_text "{}x")
    refuses("no UTF-8 text", file_text '{"\xff":{}}')
    refuses("no UTF-8 text", file_text '{"\xed\xa0\x80":{}}')
    refuses("'\\u' is followed by no character's number", file_text '{"\\ud800":{}}')
    refuses("a control character", file_text '{"\n":{}}')
    refuses("there is no such escape", file_text '{"\\x":{}}')
    refuses("the string doesn't end", file_text '{"abc')
    refuses("nested too deeply", one('"a":' .. ("["):rep(10000)))
    refuses("tensor 'x' has no dtype", one '"shape":[1],"data_offsets":[0,4]')
    refuses("tensor 'x' has no data_offsets", one '"dtype":"F32","shape":[1]')
    refuses("'shape' stands there twice", one '"shape":[1],"shape":[1]')
    refuses("dtype 'F8_E4M3', which nnlua does not have", one '"dtype":"F8_E4M3"')
    refuses("an integer from 0 on expected", one '"shape":[-1]')
    refuses("an integer expected", one '"shape":[1.5]')
    refuses("the integer is too large", one '"shape":[18446744073709551616]')
    refuses("a dimension that is too large", one '"shape":[18446744073709551615]')
    refuses("more than 16 dimensions", one('"shape":[' .. ("1,"):rep(16) .. "1]"))
    refuses("its shape is too large", one '"dtype":"F64","shape":[4294967296,4294967296],"data_offsets":[0,0]')
    refuses("ask for 8 bytes, but its data_offsets are [0, 4]", one '"dtype":"F32","shape":[2],"data_offsets":[0,4]')
    refuses("data_offsets are [4, 0]", one '"dtype":"F32","shape":[1],"data_offsets":[4,0]')
    refuses("must be two numbers", one '"data_offsets":[0]')
    refuses("ends at byte 8 of the elements, but there are 4: the file is cut off",
      one '"dtype":"F32","shape":[2],"data_offsets":[0,8]')
    refuses("begins at byte 4 of the elements, but the one before ends at 0",
      one('"dtype":"F32","shape":[1],"data_offsets":[4,8]', 8))
    refuses("4 bytes of elements belong to no tensor", one('"dtype":"F32","shape":[1],"data_offsets":[0,4]', 8))
    local x = '{"dtype":"U8","shape":[2],"data_offsets":[0,2]}'
    refuses("it has two tensors 'x'", file_text('{"x":' .. x .. ',"x":' .. x .. "}", "ab"))
    refuses("another one reaches up to 2", file_text('{"x":' .. x .. ',"y":' ..
      '{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}', "abc"))
    refuses("a string expected", file_text '{"__metadata__":{"a":1}}')
    refuses("a string expected", file_text '{"__metadata__":{"a":null}}')
    refuses("'{' expected", file_text '{"__metadata__":nul}')
  end)

  it("is whole or not there under a limit to the size of files, and what a killed writer left goes away", function()
    local small, large = nl.ones(10), "nl.zeros(1000000)"
    nl.save(path, {small})
    local text = ("local nl = require 'nnlua' print(pcall(nl.save, '%s', {%s}))"):format(path, large)
    local result = process.run {"bash", "-c", ("ulimit -f 100; '%s' -e \"%s\""):format(process.nnlua, text)}
    assert.matches("^false\t.*save: .*it can't be written: File too large\n$", result.stdout)
    assert_equal(small, nl.load(path)[1])
    local function remains()
      return process.run({"sh", "-c", "ls " .. path .. ".*"}).stdout:gsub(path:gsub("%p", "%%%0"), "")
    end
    assert.equal("", (remains()))
    for _, ending in ipairs {".1-0.tmp", ".99999999-12.tmp", ".1-0.tmp.old", ".x-0.tmp"} do
      assert(io.open(path .. ending, "w")):close()
    end
    local lock = ("exec 9>%s.2-0.tmp; flock 9; '%s' -e \"%s\""):format(path, process.nnlua,
      text:gsub("nl.zeros%(1000000%)", "nl.ones(10)"))
    assert.matches("^true", process.run({"bash", "-c", lock}).stdout)
    assert.equal(".1-0.tmp.old\n.2-0.tmp\n.x-0.tmp\n", (remains()))
    process.run {"sh", "-c", "rm " .. path .. ".*"}
  end)

  it("is told where its structure makes no sense", function()
    local function structure(text) return file_text(('{"__metadata__":{"nnlua":%q}}'):format(text)) end
    refuses("a value expected", structure "")
    refuses("there is no kind of value 'code'", structure '{"code":"os.exit()"}')
    refuses("there is no tensor '7'", structure '[{"tensor":"7"}]')
    refuses("keys and values in turn", structure '{"table":[1]}')
    refuses("keys and values in turn", structure '{"table":[[],1]}')
    refuses("there is no dtype 'load'", structure '{"dtype":"load"}')
    refuses("byte 3 of the text 'nnlua' in its metadata: the value is followed", structure "1 2")
    refuses("the number is too large", structure "99999999999999999999")
    refuses("nested too deeply", structure(("["):rep(1000)))
    refuses("']' expected", structure "[1,2")
    refuses("the string doesn't end", structure '"abc')
    refuses("a list of integers", structure '{"size":["a"]}')
    refuses("a list of integers", structure '{"size":{"size":[1]}}')
    refuses("a list expected", structure '{"table":{"table":["a",1]}}')
    refuses("byte 2 of the text 'nnlua' in its metadata: an object of one field", structure "{}")
    refuses("an object of one field", structure '{"none":true,"dtype":"float32"}')
    refuses("an object has a name twice", structure '{"none":true,"none":true}')
    refuses("'true' expected", structure '{"none":false}')
    refuses("a value expected", structure "[null]")
    refuses("a name expected", structure '{"tensor":["x"]}')
    refuses("a name expected", structure '{"dtype":{"float":"nan"}}')
    refuses("nan, inf or -inf expected", structure '{"float":{"float":"nan"}}')
    refuses("pairs of hexadecimal digits", structure '{"bytes":[1]}')
    refuses("keys and values in turn", structure '{"table":[{"float":"nan"},1]}')
    refuses("it is no tensor of float64 pairs", file_text '{"__metadata__":{"nnlua.complex128.x":"pairs"}}')
  end)

  it("is an error or another value, wherever it is damaged, and never leaks", function()
    nl.save(path, {nl.ones(2, 3), {a = nl.ones(2, {dtype = nl.complex128}), b = "text\n", c = {1.5, nl.none}}})
    local text = read()
    collectgarbage()
    local before = nl.memory_stats()
    local seed = 1
    for i = 1, 2000 do
      seed = (seed * 1103515245 + 12345) % 2147483648
      local at = seed // 8 % #text + 1
      local byte = i % 3 == 0 and text:byte(seed // 65536 % #text + 1) or seed // 65536 % 256
      write(i % 10 == 0 and text:sub(1, at) or text:sub(1, at - 1) .. string.char(byte) .. text:sub(at + 1))
      local ok, message = pcall(nl.load, path)
      if not ok then assert.matches("load: " .. path, message, 1, true) end
    end
    collectgarbage()
    collectgarbage()
    assert.equal(before.blocks, nl.memory_stats().blocks)
  end)
end)
