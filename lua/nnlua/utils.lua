-- nnlua.utils: what surrounds models.

local core = require "nnlua.nn.core"
local guard = require "nnlua.guard"
local system = require "nnlua.system"

--- What surrounds models: data, checkpoints within a backward, Ctrl-C, folders, the terminal.
local utils = {data = require "nnlua.utils.data"}

--- Makes a folder, and those that it is in, unless it is there.
---     > folder = os.tmpname() .. ".runs/first"
---     > nl.utils.make_folder(folder)
---     > io.open(folder .. "/note", "w"):close()
---     true
---@param path string
function utils.make_folder(path)
  system.make_folder("make_folder", path)
end

--- The columns of the terminal that the output goes to, for what draws with letters; 80 where that can't be told.
---     > nl.utils.terminal_width() > 0
---     true
---@return integer
function utils.terminal_width()
  return system.terminal_width(1)
end

-- Ctrl-C, noted.
local Interrupts = {__name = "nnlua.Interrupts"}
Interrupts.__index = Interrupts

--- Whether Ctrl-C was asked for since.
function Interrupts:asked()
  return self.is_open and system.interrupt_noted()
end

function Interrupts:close()
  if self.is_open then system.want_interrupts(false) end
  self.is_open = false
end

Interrupts.__close = Interrupts.close

--- Has Ctrl-C only noted, for a loop that ends well by itself: `local ctrl_c <close> = nl.utils.interrupts()`, then
--- `if ctrl_c:asked() then … end` where it may be left. A second Ctrl-C interrupts as always; so does the first after
--- the block, or after `ctrl_c:close()`. It is for the program nnlua; within a stock Lua Ctrl-C stays what it is.
---     > ctrl_c = nl.utils.interrupts()
---     > ctrl_c:asked()
---     false
---     > ctrl_c:close()
---@param wanted? boolean false: nothing changes, and nothing is ever asked
function utils.interrupts(wanted)
  if wanted ~= nil and type(wanted) ~= "boolean" then
    core.raise(("interrupts: wanted must be a boolean, not %s"):format(core.describe(wanted)))
  end
  local is_open = wanted ~= false
  if is_open then system.want_interrupts(true) end
  return setmetatable({is_open = is_open}, Interrupts)
end

guard.classes {Interrupts}

--- `checkpoint` and `tensorboard` are read when they are first asked for.
local function read(_, name)
  if name ~= "checkpoint" and name ~= "tensorboard" then return nil end
  utils[name] = require("nnlua.utils." .. name)
  return utils[name]
end

return setmetatable(utils, {__index = read})
