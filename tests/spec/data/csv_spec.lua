-- utils.data.read_csv.
local nl = require "nnlua"
local read_csv = nl.utils.data.read_csv

local path = os.tmpname()

local function write(text)
  local file <close> = assert(io.open(path, "wb"))
  file:write(text)
end

local function compress()
  assert(os.execute(("gzip -nc '%s' > '%s.gz'"):format(path, path)))
end

local function refused(pattern, file, options)
  assert.error_matches(function() read_csv(file or path, options) end, pattern)
end

describe("read_csv", function()
  teardown(function()
    os.remove(path)
    os.remove(path .. ".gz")
  end)

  it("reads numbers as they are", function()
    write "1,-2.5,3e2\r\n\n \"4\", .5 ,-0\n1e-320,123456789012345678901234567890,0.1"
    local t = read_csv(path, {dtype = nl.float64})
    assert.same({{1, -2.5, 300}, {4, 0.5, -0.0}, {1e-320, 123456789012345678901234567890, 0.1}}, t:tolist())
    assert.equal(nl.float32, read_csv(path).dtype)
  end)

  it("rounds every number as Lua does", function()
    local numbers, lines = {}, {}
    math.randomseed(7)
    for i = 1, 2000 do
      local x = (math.random() - 0.5) * 10.0 ^ math.random(-12, 12)
      lines[i] = string.format("%." .. math.random(1, 17) .. (i % 2 == 0 and "f" or "g"), x)
      numbers[i] = {tonumber(lines[i]) + 0.0}
    end
    write(table.concat(lines, "\n"))
    assert.same(numbers, read_csv(path, {dtype = nl.float64}):tolist())
  end)

  it("takes other delimiters, headers and dtypes", function()
    write "a;b\n1;2\n3;4\n"
    local t = read_csv(path, {delimiter = ";", skip_rows = 1, dtype = nl.int64})
    assert.same({{1, 2}, {3, 4}}, t:tolist())
    assert.equal(nl.int64, t.dtype)
  end)

  it("reads words for what is no number, and nothing of an empty file", function()
    write "nan,inf,-inf\n"
    local t = read_csv(path)
    assert.is_true(t[1][1]:item() ~= t[1][1]:item())
    assert.equal(math.huge, t[1][2]:item())
    write ""
    assert.equal("[0, 0]", tostring(read_csv(path).shape))
  end)

  it("reads compressed files, long lines and many of them", function()
    local row = {}
    for i = 1, 30000 do row[i] = i end
    local text = table.concat(row, ",") .. "\n"
    write(text:rep(3))
    compress()
    local t = read_csv(path .. ".gz", {dtype = nl.float64})
    assert.equal("[3, 30000]", tostring(t.shape))
    assert.equal(30000 * 30001 / 2 * 3, t:sum():item())
    assert.is_true(nl.equal(t, read_csv(path, {dtype = nl.float64})))
  end)

  it("says where a file is wrong", function()
    write "1,2\n3,x\n"
    refused "line 2: field 2: 'x' is not a number"
    write "1,2\n3,\n"
    refused "line 2: field 2: '' is not a number"
    write "1,2\n\n3,4,5\n"
    refused "line 3: 3 fields, but the first row has 2"
    write(("1"):rep(500))
    refused "field 1: '1+%.%.%.' is not a number"
    write "1,2\0\n"
    refused "field 2: '2%?' is not a number"
  end)

  it("says where a compressed file is damaged", function()
    local lines = {}
    for i = 1, 20000 do lines[i] = i * 7919 % 10007 .. "," .. i * 104729 % 9973 end
    write(table.concat(lines, "\n"))
    compress()
    local file = assert(io.open(path .. ".gz", "rb"))
    local whole = file:read "a"
    file:close()
    local function with(bytes)
      file = assert(io.open(path .. ".gz", "wb"))
      file:write(bytes)
      file:close()
    end
    with(whole:sub(1, #whole // 2))
    refused("line %d+: the file can't be read on, at byte %d+ of it: the compressed file ends too early", path .. ".gz")
    with(whole:sub(1, -5) .. "abcd")
    refused("can't be read on, at byte %d+ of it: .*incorrect length check", path .. ".gz")
    for _ = 1, 50 do
      local at = math.random(11, #whole - 8)
      with(whole:sub(1, at - 1) .. string.char(math.random(0, 255)) .. whole:sub(at + 1))
      pcall(read_csv, path .. ".gz") -- an error or not, but no crash
    end
  end)

  it("says what it can't open", function()
    refused("read_csv: /no/such/file: No such file or directory", "/no/such/file")
    refused("read_csv: /tmp: line 1: .*Is a directory", "/tmp")
    refused("path must be a string", 3)
    refused("delimiter must be one character", path, {delimiter = ", "})
    refused("skip_rows must be an integer from 0 on", path, {skip_rows = -1})
    refused("dtype must be a dtype", path, {dtype = "float32"})
  end)
end)
