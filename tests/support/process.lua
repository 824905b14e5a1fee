-- Runs commands for specs and keeps output, error output and exit code apart. Paths count from the project's root.
local process = {}

-- What the caller's shell may have set for Lua is not part of a spec.
local lua_variables = {"LUA_INIT", "LUA_INIT_5_4", "LUA_PATH", "LUA_PATH_5_4", "LUA_CPATH", "LUA_CPATH_5_4"}

local function first_argument()
  local i = -1
  while arg[i - 1] do i = i - 1 end
  return arg[i]
end

process.nnlua = os.getenv "NNLUA" or first_argument()
process.lua = io.popen("command -v lua5.4"):read "l"

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  return text
end

local function command_line(command, environment)
  local words = {"env"}
  for _, name in ipairs(lua_variables) do
    table.insert(words, "-u " .. name)
  end
  for name, value in pairs(environment or {}) do
    table.insert(words, name .. "=" .. quote(value))
  end
  for _, word in ipairs(command) do
    table.insert(words, quote(word))
  end
  return table.concat(words, " ")
end

--- Runs a command, a list of words. Options: stdin, a text; env, variables to set.
-- Returns {stdout, stderr, code}.
function process.run(command, options)
  options = options or {}
  local input, output, errors = os.tmpname(), os.tmpname(), os.tmpname()
  write(input, options.stdin or "")
  local line = ("%s <%s >%s 2>%s"):format(command_line(command, options.env), input, output, errors)
  local _, _, code = os.execute(line)
  local result = {stdout = read(output), stderr = read(errors), code = code}
  for _, path in ipairs {input, output, errors} do
    os.remove(path)
  end
  return result
end

--- Writes a text to a file of its own and returns the path.
function process.file(text)
  local path = os.tmpname()
  write(path, text)
  return path
end

--- Whether nnlua was built with sanitizers. They keep freed memory and watch each byte, so what a process takes says
-- nothing, and a module built with them can't be loaded into another program.
function process.is_sanitized()
  local pipe <close> = assert(io.popen("nm -D '" .. process.nnlua .. "' 2>/dev/null"))
  return pipe:read("a"):find "__[at]san_init" ~= nil
end

local function with_program(program, arguments)
  return {program, table.unpack(arguments)}
end

local function without_name(text, program)
  local name = program:gsub("%p", "%%%0")
  return (text:gsub(name, "lua"))
end

--- Runs nnlua with these arguments.
function process.run_nnlua(arguments, options)
  return process.run(with_program(process.nnlua, arguments), options)
end

--- Runs the stock Lua and nnlua alike and returns both results, each program called "lua" in what it printed.
function process.run_both(arguments, options)
  local results = {}
  for i, program in ipairs {process.lua, process.nnlua} do
    local result = process.run(with_program(program, arguments), options)
    result.stdout = without_name(result.stdout, program)
    result.stderr = without_name(result.stderr, program)
    results[i] = result
  end
  return results[1], results[2]
end

return process
