-- nnlua build: programs of one file.
local process = require "support.process"

local folder

setup(function()
  folder = os.tmpname()
  os.remove(folder)
  assert(os.execute(("mkdir -p %s/lib %s/data/deep"):format(folder, folder)))
end)

teardown(function() os.execute("rm -r " .. folder) end)

local function write(name, text)
  local file <close> = assert(io.open(folder .. "/" .. name, "wb"))
  file:write(text)
end

local function build(...) return process.run {process.nnlua, "build", ...} end

-- A program whose files lie elsewhere by the time it runs, and which finds no nnlua.
local function run(program, ...)
  local away = folder .. "/away"
  assert(os.execute(("mkdir -p %s && mv %s %s"):format(away, program, away)))
  return process.run {"env", "-i", ("%s/%s"):format(away, program:match "[^/]*$"), ...}
end

describe("nnlua build", function()
  it("puts the modules that are required, and theirs, into the program", function()
    write("lib/first.lua", "return 'first, ' .. require [[lib.second]]")
    write("lib/second.lua", "return 'second'")
    write("lib/named.lua", "return 'named'")
    write("app.lua", "local name = 'lib.named'\nprint(require('lib.first'), require(name), ...)")
    local made = build(folder .. "/app.lua", "-o", folder .. "/app", "--module", "lib.named")
    assert.equal("", made.stderr)
    assert.equal(folder .. "/app: 3 modules, 0 files\n", made.stdout)
    local result = run(folder .. "/app", "--threads", "a word")
    assert.equal("", result.stderr)
    assert.equal("first, second\tnamed\t--threads\ta word\n", result.stdout)
    assert.equal(0, result.code)
  end)

  it("lets the program find its files by the paths that they had from the script's folder on", function()
    local nl = require "nnlua"
    write("data/deep/lines.txt", "one\ntwo\n")
    write("data/part.lua", "local word = ...\nreturn word, 'part', type(print)")
    write("data/bad.lua", "return +")
    nl.save(folder .. "/data/net.safetensors", {weight = nl.arange(6):view(2, 3)})
    write("files.lua", [[
local nl = require "nnlua"
local here = arg[0]:match "^(.*)/"
for line in io.lines(here .. "/data/deep/lines.txt") do io.write(line, " ") end
local file = assert(io.open "data/deep/lines.txt")
print(file:read "a", io.type(file), file:close(), io.type(file))
print(loadfile "data/part.lua" "a", dofile "data/part.lua")
print(loadfile("data/part.lua", "t", {type = function() return "own" end}) "b")
print((select(2, loadfile("data/part.lua", "b"))))
print((select(2, loadfile "data/bad.lua")), pcall(dofile, "data/bad.lua"))
print(nl.load(here .. "/data/net.safetensors").weight)
local mapped = nl.load("data/net.safetensors", {mmap = true}).weight
mapped:add_(1)
print(mapped:sum():item(), nl.load("./data/net.safetensors").weight:sum():item())
print(io.open "data/none.txt", io.open(here .. "/written.txt", "w"):write("text"):close())
]])
    local made = build(folder .. "/files.lua", folder .. "/data", "-o", folder .. "/files")
    assert.equal(folder .. "/files: 0 modules, 4 files\n", made.stdout)
    local result = run(folder .. "/files")
    assert.equal("", result.stderr)
    assert.equal("one two one\ntwo\n\tfile\ttrue\tclosed file\na\tnil\tpart\tfunction\nb\tpart\town\n"
      .. "attempt to load a text chunk (mode is 'b')\n"
      .. "data/bad.lua:1: unexpected symbol near '+'\tfalse\tdata/bad.lua:1: unexpected symbol near '+'\n"
      .. "tensor([[0, 1, 2],\n        [3, 4, 5]])\n21\t15\nnil\ttrue\n", result.stdout)
  end)

  it("tells errors with the lines of the script", function()
    write("fails.lua", "\nlocal nl = require 'nnlua'\nnl.ones(2):view(3)\n")
    build(folder .. "/fails.lua", "-o", folder .. "/fails")
    local result = run(folder .. "/fails")
    assert.equal(1, result.code)
    assert.matches("^%S*/fails: main.lua:3: view: ", result.stderr)
  end)

  it("refuses what can't go into a program", function()
    write("c.lua", "require 'cjson'")
    local result = build(folder .. "/c.lua", "-o", folder .. "/c")
    assert.equal(1, result.code)
    assert.matches("^nnlua build: %S*c.lua requires 'cjson', a C library", result.stderr)
    result = build(folder .. "/none.lua")
    assert.equal(1, result.code)
    assert.matches("^nnlua build: %S*none.lua: No such file", result.stderr)
    result = build(folder .. "/app.lua", folder .. "/nothing", "-o", folder .. "/c")
    assert.equal(1, result.code)
    assert.matches("nothing: it can't be read", result.stderr)
    assert.is_nil(io.open(folder .. "/c"))
  end)

  it("names modules that aren't there, and leaves them out", function()
    write("perhaps.lua", "print(pcall(require, 'not.here'), pcall(require, \"not.there\"))\n"
      .. "if false then require 'not.there' end")
    local made = build(folder .. "/perhaps.lua", "-o", folder .. "/perhaps")
    assert.equal(0, made.code)
    assert.matches("requires 'not.there', which isn't here: it is left out\n$", made.stderr)
    made = build(folder .. "/perhaps.lua", "-o", folder .. "/perhaps_not", "--module", "lib.b")
    assert.equal(1, made.code)
    assert.equal("nnlua build: there is no module 'lib.b'\n", made.stderr)
    assert.is_nil(io.open(folder .. "/perhaps_not"))
  end)

  it("looks for no modules in comments, nor among nnlua's own", function()
    write("quiet.lua", "-- require 'not.there'\n  ---@see require 'not.here'\n--[[ kept ]] "
      .. "print((require 'lib.second'))\nrequire 'nnlua'; print(type(require('nnlua.' .. 'nn.core')))\n"
      .. "--require 'not.anywhere'")
    local made = build(folder .. "/quiet.lua", "-o", folder .. "/quiet")
    assert.equal("", made.stderr)
    assert.equal(folder .. "/quiet: 1 module, 0 files\n", made.stdout)
    assert.equal("second\ntable\n", run(folder .. "/quiet").stdout)
  end)

  it("asks for modules whose names are put together", function()
    write("parts.lua", "local name = 'named'\nprint(require('lib.' .. name), require 'lib.second' .. '!')")
    local made = build(folder .. "/parts.lua", "-o", folder .. "/parts")
    assert.matches("parts.lua requires a module whose name begins with 'lib.': name it by %-%-module\n$", made.stderr)
    assert.equal(folder .. "/parts: 1 module, 0 files\n", made.stdout)
    made = build(folder .. "/parts.lua", "-o", folder .. "/parts", "--module", "lib.named")
    assert.equal("", made.stderr)
    assert.equal("named\tsecond!\n", run(folder .. "/parts").stdout)
  end)

  it("makes programs that say so where their archive is damaged", function()
    write("app.lua", "print 'runs'")
    build(folder .. "/app.lua", "-o", folder .. "/whole")
    local file <close> = assert(io.open(folder .. "/whole", "rb"))
    local bytes = file:read "a"
    for cut = 1, 200, 7 do
      write("cut", bytes:sub(1, -cut - 1))
      assert(os.execute("chmod +x " .. folder .. "/cut"))
      local result = process.run {folder .. "/cut"}
      assert.equal(1, result.code)
      assert.matches("the scripts and files in this executable can't be read", result.stderr)
    end
  end)
end)
