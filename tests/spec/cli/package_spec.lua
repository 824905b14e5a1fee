-- The Debian package: what it has and asks for, and whether that runs from where it is unpacked.
local process = require "support.process"

local folder = process.nnlua:match "^(.*)/[^/]*$" or "."

local function run(...)
  local result = process.run {...}
  assert.equal(0, result.code, result.stdout .. result.stderr)
  return result.stdout
end

it("the Debian package is described, whatever the build", function()
  local file <close> = assert(io.open(folder .. "/CPackConfig.cmake"))
  assert.truthy(file:read "a":find('set(CPACK_PACKAGE_NAME "nnlua")', 1, true))
end)

if not process.is_sanitized() then -- whose programs want the sanitizers' libraries
  describe("the Debian package", function()
    local root = os.tmpname()
    local package

    setup(function()
      os.remove(root)
      run("cpack", "--config", folder .. "/CPackConfig.cmake", "-B", root, "-D", "CPACK_DEBIAN_COMPRESSION_TYPE=none")
      package = run("sh", "-c", "ls " .. root .. "/*.deb"):match "[^\n]+"
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
      local script = "print(require 'nnlua'.ones(2):sum():item())"
      assert.equal("2.0\n", run(root .. "/unpacked/usr/bin/nnlua", "-e", script))
      if process.lua then
        script = ("package.cpath = '%s/unpacked/usr/lib/lua/5.4/?.so' "):format(root) .. script
        assert.equal("2.0\n", run(process.lua, "-e", script))
      end
    end)

    it("has what belongs to it where Debian looks for it", function()
      for _, path in ipairs {
        "share/man/man1/nnlua.1", "share/bash-completion/completions/nnlua", "share/zsh/site-functions/_nnlua",
        "share/fish/vendor_completions.d/nnlua.fish", "share/doc/nnlua/copyright", "share/doc/nnlua/reference.md",
        "share/nnlua/library/nnlua.lua", "include/nnlua.h", "lib/libnnlua.a", "lib/pkgconfig/nnlua.pc",
      } do
        run("test", "-s", root .. "/unpacked/usr/" .. path)
      end
    end)
  end)
end
