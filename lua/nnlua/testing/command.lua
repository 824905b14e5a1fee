-- nnlua test: busted on the user's specs, in this interpreter, with nothing to set up.

local FOLDERS = {"spec", "tests", "test"}
local NO_FOLDERS = "spec, tests, test" -- stands for them until busted has read its options; --help shows it

local PATH = "./?.lua;./?/init.lua;./lua/?.lua;./lua/?/init.lua;./src/?.lua;./src/?/?.lua;./src/?/init.lua"

local missing = [[
nnlua test: busted, which runs specs, is not installed. Install it with one of
  apt install lua-busted      (Debian, Ubuntu; with lua5.4 installed before)
  luarocks --lua-version=5.4 install busted
]]

local function fail(message)
  io.stderr:write(message)
  os.exit(1, true)
end

--- busted's runner. What busted itself lacks is told as it is.
local function load_busted()
  if not package.searchpath("busted.runner", package.path) and not package.preload["busted.runner"] then
    fail(missing)
  end
  return require "busted.runner"
end

--- What the parser gives; the text of --help, which is its error message to busted, goes to stdout.
local function parsed(result, text)
  if not result and type(text) == "string" and text:find "^Usage: " then
    text = text:gsub("(%(optional, default:%s+)nil%)", "%1" .. NO_FOLDERS .. ")")
    print((text:gsub("%s+$", "")))
    os.exit(true, true)
  end
  return result, text
end

--- Changes defaults of busted's options, so that what the user gives, in .busted or as arguments, still wins. By now
--- busted's own functions are there.
local function with_defaults(new_parser)
  return function(...)
    local parser = new_parser(...)
    local parse = parser.parse
    function parser:parse(arguments)
      require "nnlua.testing.helper"
      self:redefine_default("ROOT", {NO_FOLDERS})
      self:redefine_default("pattern", {"_spec%.lua$", "_test%.lua$"})
      self:redefine_default("ignore-lua", true)
      return parsed(parse(self, arguments))
    end
    return parser
  end
end

local function is_folder(path)
  return require "pl.path".isdir(path)
end

local function default_folders()
  local there = {}
  for _, name in ipairs(FOLDERS) do
    if is_folder(name) then table.insert(there, name) end
  end
  if #there == 0 then
    fail("nnlua test: there is no folder spec, tests or test here; name the folders or files that have the specs:\n" ..
      "  nnlua test FOLDER\n")
  end
  return there
end

--- Finds the folders when busted has gone where -C says.
local function with_folders(new_loader)
  return function(...)
    local load_files = new_loader(...)
    return function(roots, ...)
      return load_files(roots[1] == NO_FOLDERS and default_folders() or roots, ...)
    end
  end
end

local function run()
  local runner = load_busted()
  package.path = PATH .. ";" .. package.path
  package.loaded["cliargs.core"] = with_defaults(require "cliargs.core")
  package.loaded["busted.modules.test_file_loader"] = with_folders(require "busted.modules.test_file_loader")
  -- busted's name for itself, in errors and --help, is that of the chunk that calls it.
  load("local runner = ... runner {standalone = false}", "@nnlua test")(runner)
end

return run
