-- What is installed, by cmake and by the Debian package, and whether it runs from there.
local process = require "support.process"

local build = process.nnlua:match "^(.*)/[^/]*$" or "."
local ones = "print(require 'nnlua'.ones(2):sum():item())"

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

local function run(...)
  local result = process.run {...}
  assert.equal(0, result.code, result.stdout .. result.stderr)
  return result.stdout
end

local function in_shell(...) return run("sh", "-ec", ...) end

-- A name for a folder that is made by whoever fills it.
local function new_folder()
  local folder = os.tmpname()
  os.remove(folder)
  return folder
end

-- Builds examples/host/host.c by the line of docs/embedding.md that goes on like this, and runs it.
local function check_host(target, rest, prefix, search_path)
  local line = read "docs/embedding.md":match("\n(cc %-o host host.c " .. rest .. "[^\n]*)\n")
  line = line:gsub("/usr/local", prefix):gsub("host host.c", "'" .. target .. "' examples/host/host.c")
  run("env", "PKG_CONFIG_PATH=" .. search_path, "sh", "-c", line)
  local first, last = run(target):match "step   1  loss (%S+)\nstep 500  loss (%S+)\n"
  assert.is_true(tonumber(first) > 0.3 and tonumber(last) < 0.001)
end

it("the Debian package is described, whatever the build", function()
  assert.truthy(read(build .. "/CPackConfig.cmake"):find('set(CPACK_PACKAGE_NAME "nnlua")', 1, true))
end)

if process.is_sanitized() then return end -- programs that want the sanitizers' libraries

describe("cmake --install", function()
  local prefix = new_folder()
  local host = prefix .. "/host"

  setup(function()
    local line = read "docs/embedding.md":match "\n(cmake %-%-install [^\n]*)\n"
    in_shell((line:gsub("build/release", build):gsub("/usr/local", prefix)))
  end)
  teardown(function() os.execute("rm -rf " .. prefix) end)

  it("installs what hosts are built with, by the lines that the documentation shows", function()
    check_host(host, "%-I", prefix, "")
    check_host(host, "%$%(pkg%-config", prefix, prefix .. "/lib/pkgconfig")
  end)

  it("leaves a host's symbols alone", function()
    for name in run("nm", "-g", "--defined-only", prefix .. "/lib/libnnlua.a"):gmatch " %a ([%w_]+)" do
      assert.is_true(name:find "^luaopen_nnlua" ~= nil or name:find "^nnlua_" ~= nil, name)
    end
  end)

  it("installs an interpreter, and what editors know", function()
    assert.equal("2.0\n", run(prefix .. "/bin/nnlua", "-e", ones))
    for _, path in ipairs {"nnlua/library/nnlua.lua", "nnlua/library/nnlua.luacheck.lua", "doc/nnlua/reference.md"} do
      run("test", "-s", prefix .. "/share/" .. path)
    end
  end)

  it("installs what is for MPI where nnlua finds it, by whatever name it is called, from any folder", function()
    local ask = "print(require 'nnlua'.distributed.is_available())"
    local expected = run(process.nnlua, "-e", ask)
    assert.equal(expected, in_shell('cd / && PATH=$0/bin:$PATH && nnlua -e "$1"', prefix, ask))
    assert.equal(expected, in_shell('cd $0 && ln -s bin/nnlua link && ./link -e "$1"; rm link', prefix, ask))
  end)

  it("installs the same below DESTDIR, and nothing beside it", function()
    local destination = new_folder()
    in_shell("DESTDIR=$0 cmake --install $1 --prefix $2", destination, build, prefix .. "-not-there")
    assert.not_equal(0, process.run({"test", "-e", prefix .. "-not-there"}).code)
    local list = "cd $0 && find . -type f ! -name host | sort"
    assert.equal(in_shell(list, prefix), in_shell(list, destination .. prefix .. "-not-there"))
    os.execute("rm -rf " .. destination)
  end)
end)

it("a host is built with what isn't installed, where pkg-config looks into the build", function()
  local host = new_folder()
  check_host(host, "%$%(pkg%-config", build, build)
  os.remove(host)
end)

describe("the Debian package", function()
  local root = new_folder()
  local package

  setup(function()
    run("cpack", "--config", build .. "/CPackConfig.cmake", "-B", root, "-D", "CPACK_DEBIAN_COMPRESSION_TYPE=none")
    package = in_shell("ls $0/*.deb", root):match "[^\n]+"
    run("dpkg-deb", "-x", package, root .. "/unpacked")
  end)

  teardown(function() os.execute("rm -rf " .. root) end)

  it("depends on the C library and zlib, and recommends what is loaded when it is asked for", function()
    assert.matches("^libc6 %(>= 2%.%d+%), zlib1g\n$", run("dpkg-deb", "-f", package, "Depends"))
    assert.matches("libopenblas0-pthread", run("dpkg-deb", "-f", package, "Recommends"), 1, true)
    for library in run("ldd", root .. "/unpacked/usr/bin/nnlua"):gmatch "\t([^ ]+) =>" do
      assert.is_truthy(library:find "^libz%." or library:find "^libm%." or library:find "^libc%.", library)
    end
  end)

  it("runs where it is unpacked, and has the module for a stock Lua", function()
    assert.equal("2.0\n", run(root .. "/unpacked/usr/bin/nnlua", "-e", ones))
    if process.lua then
      local path = ("package.cpath = '%s/unpacked/usr/lib/lua/5.4/?.so' "):format(root)
      assert.equal("2.0\n", run(process.lua, "-e", path .. ones))
    end
  end)

  it("has what belongs to it where Debian looks for it", function()
    for _, path in ipairs {
      "share/man/man1/nnlua.1.gz", "share/bash-completion/completions/nnlua", "share/zsh/site-functions/_nnlua",
      "share/fish/vendor_completions.d/nnlua.fish", "share/doc/nnlua/copyright", "share/doc/nnlua/changelog.gz",
      "share/doc/nnlua/reference.md", "share/nnlua/library/nnlua.lua", "include/nnlua.h", "lib/libnnlua.a",
      "lib/pkgconfig/nnlua.pc",
    } do
      run("test", "-s", root .. "/unpacked/usr/" .. path)
    end
  end)
end)
