-- The prompt's commands for the world outside: files, folders, programs.

local _ENV = require "nnlua.prompt.environment"()

local files = {}

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- A path with the user's folder in the place of a "~".
local function expanded(path)
  return (path:gsub("^~%f[/\0]", os.getenv "HOME" or "~"))
end

--- Runs a shell's command on the terminal, where Ctrl-C ends it; tells what became of it if it failed.
function files.run_shell(session, command)
  if not command:find "%S" then return session:report "! needs a shell's command, such as !ls" end
  local ok, _, how, code = session:call(os.execute, command)
  if not ok then return end -- Ctrl-C, which the program has shown
  if how == "signal" then session:note("ended by signal " .. code)
  elseif code ~= 0 then session:note("exit status " .. code) end
end

--- Opens a file in the user's editor; whether that went well.
function files.open_editor(session, path)
  local program = "${VISUAL:-${EDITOR:-$(for e in editor nano vi; do command -v $e && break; done)}} "
  local ok, succeeded = session:call(os.execute, program .. quoted(path))
  if ok and succeeded then return true end
  session:report "the editor has failed: is $EDITOR the name of a program?"
end

local function load_file(session, path)
  path = path ~= "" and expanded(path) or session.loaded_file
  if not path then return session:report ":load needs the name of a file" end
  local file, message = io.open(path, "rb")
  if not file then return session:report(message) end
  local text = file:read "a"
  file:close()
  session.loaded_file = path
  session:run_file((text:gsub("^#[^\n]*", "", 1)), path)
end

local function change_folder(session, path)
  if path == "-" and not session.last_folder then return session:report "there is no folder to go back to yet" end
  local before = session.host.change_folder "."
  local folder, message = session.host.change_folder(
    path == "" and (os.getenv "HOME" or ".") or path == "-" and session.last_folder or expanded(path))
  if not folder then return session:report(message) end
  session.last_folder = before
  session:note(folder)
end

--- Adds the commands.
function files.add_to(command)
  command("load", ":load file", "runs a file, whose top-level locals stay; without a name the last one again",
    load_file)
  command("cd", ":cd folder", "goes to a folder; to the last one with -, home without a name", change_folder)
end

files.expanded = expanded

return files
