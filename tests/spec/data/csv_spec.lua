-- utils.data.read_csv.
local nl = require "nnlua"
local process = require "support.process"
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
    write(("1_"):rep(500))
    refused "field 1: '1_[1_]+%.%.%.' is not a number"
    write "1,2\0\n"
    refused "field 2: '2%?' is not a number"
  end)

  it("reads integers to the bit, and refuses what the dtype can't hold", function()
    local function whole(text, dtype)
      write(text)
      return read_csv(path, {dtype = dtype or nl.int64}):tolist()[1]
    end
    assert.same({9007199254740993, math.maxinteger, math.mininteger}, 
      whole "9007199254740993,9223372036854775807,-9223372036854775808")
    assert.same({1000000000000000000, 15, 15, -2, 0, 7}, whole "1e18,1.50e1,150e-1,-2.0,0e99999999999,+0007")
    assert.same({0, 255}, whole("-0,255", nl.uint8))
    assert.same({-128, 127}, whole("-128,127", nl.int8))
    assert.same({-32768, 2147483647}, {whole("-32768", nl.int16)[1], whole("2147483647", nl.int32)[1]})
    local function misfit(text, dtype, pattern)
      write("0\n" .. text)
      refused("line 2: field 1: '" .. text:gsub("%p", "%%%0") .. "' is " .. pattern, path, {dtype = dtype})
    end
    misfit("300", nl.uint8, "beyond uint8, which goes from 0 to 255")
    misfit("-1", nl.uint8, "beyond uint8, which goes from 0 to 255")
    misfit("-129", nl.int8, "beyond int8, which goes from %-128 to 127")
    misfit("32768", nl.int16, "beyond int16")
    misfit("9223372036854775808", nl.int64, "beyond int64")
    misfit("-9223372036854775809", nl.int64, "beyond int64")
    misfit("1e19", nl.int64, "beyond int64")
    for _, text in ipairs {"1.5", "15e-1", "nan", "-inf", "1e-99999999999"} do
      misfit(text, nl.int64, "no integer, and the dtype is int64")
    end
  end)

  it("takes decimal numbers alone, with a mark at the file's start and blanks in quotes", function()
    local function values(text)
      write(text)
      return read_csv(path, {dtype = nl.float64}):tolist()
    end
    assert.same({{1, 2}, {3, 4}}, values "\xEF\xBB\xBF1,2\n3,4")
    assert.same({{1, 2.5}}, values '" 1 ",\t"2.5" ')
    assert.same({{1e5, 0.5, -1.25, 1e-3}}, values "1.e5,.5,-1.25,+1E-3")
    assert.same({{math.huge, -math.huge}}, values "Infinity,-INF")
    assert.same({{tonumber("0." .. ("3"):rep(700))}}, values("0." .. ("3"):rep(700)))
    for _, dtype in ipairs {nl.float64, nl.int64} do
      for _, text in ipairs {"0x10", "nan(123)", "infinit", "1e", "1e+", ".e5", ".", "-", "1_0", "1 2", ""} do
        write("1,2\n1," .. text)
        refused("line 2: field 2: '.*' is not a number", path, {dtype = dtype})
      end
    end
    write "\xFF\xFE1\0"
    refused "the file is UTF%-16: save it as UTF%-8"
  end)

  it("takes what is quoted as one field, delimiters, ends of lines and quotes in it", function()
    write '"a, b","c ""d""",e\r\n1,"2", "3"\r\n'
    local t, names = read_csv(path, {header = true})
    assert.same({{1, 2, 3}}, t:tolist())
    assert.same({"a, b", 'c "d"', "e"}, names)
    write 'id,text\n1,"two\nlines, and ""one""\r\nmore"\n2,plain "quotes"\n3,x,4\n'
    refused("line 6: 3 fields, but the first row has 2", path, {columns = {"id"}})
    write '1,2\n3,"4\n5,6\n'
    refused "line 2: field 2: its quote is not closed"
    write 'a,b,"c\n5,6\n'
    refused("line 1: field 3: its quote is not closed", path, {header = true})
    write "a,b\n5,x\n"
    refused("line 2: field 2: 'x' is not a number: {columns = …} chooses those of numbers", path, {header = true})
    write(('"' .. ("x\n"):rep(100000) .. '",1\n'):rep(2))
    assert.same({{1}, {1}}, read_csv(path, {columns = {2}}):tolist())
  end)

  it("takes the ends of lines of any system", function()
    for _, stop in ipairs {"\n", "\r\n", "\r"} do
      write("1,2" .. stop .. stop .. "3,4" .. stop)
      assert.same({{1, 2}, {3, 4}}, read_csv(path):tolist())
      write("1,2" .. stop .. stop .. "3,x" .. stop)
      refused "line 3: field 2"
      write(("1" .. stop):rep(100000)) -- more than is read at once
      assert.equal(100000, read_csv(path):sum():item())
    end
  end)

  it("chooses columns by name or number, in any order, whatever stands in others", function()
    write "name,age,height\nAnn,31,1.8\nMax,28,1.75\n"
    local t, names = read_csv(path, {columns = {"height", "age"}, dtype = nl.float64})
    assert.same({{1.8, 31}, {1.75, 28}}, t:tolist())
    assert.same({"height", "age"}, names)
    t, names = read_csv(path, {header = true, columns = {2}})
    assert.same({{31}, {28}}, t:tolist())
    assert.same({"age"}, names)
    t, names = read_csv(path, {skip_rows = 1, columns = {3, 2}, dtype = nl.float64})
    assert.same({{1.8, 31}, {1.75, 28}}, t:tolist())
    assert.is_nil(names)
    refused("line 1: there is no column 'weight'; there are 'name', 'age', 'height'", path, {columns = {"weight"}})
    refused("line 1: there is no column 4: the row has 3 fields", path, {header = true, columns = {4}})
    refused("line 2: there is no column 4: the row has 3 fields", path, {skip_rows = 1, columns = {2, 4}})
    refused("a column is chosen twice", path, {columns = {"age", "age"}})
    refused("columns must be a list of names, or of numbers from 1 on", path, {columns = {"age", 2}})
    refused("columns must be a list of names, or of numbers from 1 on", path, {columns = {0}})
    refused("columns must be a list of names, or of numbers from 1 on", path, {columns = {}})
    refused("line 1: field 1: 'name' is not a number: {header = true} takes the first line for names")
    -- tables whose length or elements are made up, and a number that memory would be taken by
    local powers = {}
    for bit = 2, 61 do table.insert(powers, ("[1 << %d] = 1"):format(bit)) end
    local long = load("return {1, 2, [3] = 3, " .. table.concat(powers, ", ") .. "}")()
    assert.is_true(#long > 1 << 60)
    refused("columns must be a list of names", path, {columns = long})
    refused("columns must be a list of names", path, {columns = setmetatable({}, {
      __len = function() return 1 << 61 end, __index = function(_, i) return "name " .. i end,
    })})
    refused("line 2: there is no column 2147483647: the row has 3 fields", path,
      {skip_rows = 1, columns = {(1 << 31) - 1}})
    write ""
    assert.equal("[0, 1]", tostring(read_csv(path, {columns = {(1 << 31) - 1}}).shape))
    write "a,b\n"
    t, names = read_csv(path, {columns = {"b"}})
    assert.equal("[0, 1]", tostring(t.shape))
    assert.same({"b"}, names)
    write "\n"
    refused("there is no row of names", path, {columns = {"b"}})
  end)

  it("takes a number for what is missing, if it is told to", function()
    write "1,,3\nNA, ? ,\"\"\nn/a,null,NaN\n"
    assert.same({{1, 0, 3}, {0, 0, 0}, {0, 0, 0}}, read_csv(path, {missing = 0}):tolist())
    assert.same({{1, -1, 3}, {-1, -1, -1}, {-1, -1, -1}}, read_csv(path, {missing = -1, dtype = nl.int8}):tolist())
    local t = read_csv(path, {missing = nl.nan})
    assert.equal(2, t:eq(t):sum():item())
    refused("line 1: field 2: '' is not a number: the option missing, nl.nan or another number, takes its place")
    refused("missing is beyond uint8, which goes from 0 to 255", path, {missing = -1, dtype = nl.uint8})
    refused("missing must be an integer, as the dtype is int64", path, {missing = nl.nan, dtype = nl.int64})
    refused("missing must be a number", path, {missing = "0"})
    write "1,x\n"
    refused("'x' is not a number", path, {missing = 0})
  end)

  it("ends with numbers or an error, whatever quotes, delimiters and ends of lines there are", function()
    local signs = {'"', '""', ",", "\n", "\r\n", "\r", "1", "2.5", " ", "x", "\t", "NA"}
    math.randomseed(11)
    for _ = 1, 500 do
      local text = {}
      for i = 1, math.random(0, 14) do text[i] = signs[math.random(#signs)] end
      write(table.concat(text))
      for _, options in ipairs {{skip_rows = 0}, {header = true}, {columns = {2, 1}, missing = 0}, {columns = {"1"}}} do
        local ok, problem = pcall(read_csv, path, options)
        assert.is_true(ok or type(problem) == "string" and problem:find "read_csv: .*: line %d+: " ~= nil, problem)
      end
    end
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
    refused("read_csv: /tmp: Is a directory", "/tmp")
    refused("read_csv: /dev/zero: line 1: there are zero bytes: it is no text", "/dev/zero")
    refused("/proc/self/mem: line 1: the file can't be read on, at byte 0 of it: Input/output error", "/proc/self/mem")
    assert.equal("[0, 0]", tostring(read_csv("/dev/null").shape))
    refused("path must be a string", 3)
    refused("delimiter must be one character", path, {delimiter = ", "})
    refused("delimiter can't be a quote or the end of a line", path, {delimiter = '"'})
    refused("skip_rows must be an integer from 0 on", path, {skip_rows = -1})
    refused("dtype must be a dtype", path, {dtype = "float32"})
  end)

  it("reads a pipe, and is left by Ctrl-C where no one writes to it", function()
    local pipe = os.tmpname()
    os.remove(pipe)
    assert(os.execute("mkfifo " .. pipe))
    local read = ("print(require'nnlua'.utils.data.read_csv('%s'):sum():item())"):format(pipe)
    local wait = "pid=$!; sleep 1; kill -INT $pid; wait $pid"
    local function shell(command)
      return process.run({"bash", "-mc", command}).stdout
    end
    assert.equal("6.0\n", shell(("echo 1,2,3 > %s & '%s' -e \"%s\""):format(pipe, process.nnlua, read)))
    local waits = ("'%s' -e \"print(pcall(function() %s end))\" & %s"):format(process.nnlua, read, wait)
    assert.matches("false\t.*interrupted!\n", shell(waits))
    os.remove(pipe)
  end)
end)

describe("a path", function()
  it("is checked by all that take one", function()
    local function refused(pattern, f, ...)
      local given = table.pack(...)
      assert.error_matches(function() f(table.unpack(given, 1, given.n)) end, pattern)
    end
    for name, f in pairs {save = nl.save, load = nl.load, read_csv = read_csv} do
      refused(name .. ": path has a zero byte behind 'data': no file has such a name", f, "data\0.csv", {1})
      refused(name .. ": path is empty", f, "", {1})
      refused(name .. ": path must be a string, not table", f, {}, {1})
      refused(name .. ": path ", f, nil, {1})
      refused(name .. ": /tmp: .*Is a directory", f, "/tmp", name == "save" and {1} or nil)
    end
    for _, file in ipairs {"/dev/zero", "/dev/null"} do
      refused("load: " .. file .. ": it can't be opened: it is no regular file", nl.load, file)
      refused("save: " .. file .. ": it can't be written: it is no regular file", nl.save, file, {1})
    end
    refused("load: /proc/self/status: it has 0 bytes, too few", nl.load, "/proc/self/status")
  end)
end)
