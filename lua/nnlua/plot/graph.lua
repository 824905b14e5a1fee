-- Graphs of nodes and arrows, drawn by Graphviz's dot, or told as text.

local args = require "nnlua.args"
local class = require "nnlua.class"
local core = require "nnlua.nn.core"
local system = require "nnlua.system"
local terminal_text = require "nnlua.utils.terminal_text"

local raise = core.raise

-- For a graph: `nodes`, a list in the order in which they are told, of `{label, note, kind, inputs}`: kind is "op",
-- "module", "leaf" or "end"; `inputs` the places of the nodes that arrows come from.
local kept = setmetatable({}, {__mode = "k"})

--- A graph of nodes and arrows, as nl.plot.graph and nl.plot.net give it. Printed it is a text; `graph:save "net.svg"`
--- has Graphviz's program `dot` draw it, of Debian's package graphviz.
---     > x = nl.ones(2, {requires_grad = true})
---     > nl.plot.graph(x:sum(), {x = x}):dot():match "^%S+ %S+"
---     digraph graph_
---@class Graph
local Graph = class.new "nl.plot.Graph"

function Graph:init(nodes)
  if type(nodes) ~= "table" or getmetatable(nodes) ~= nil then
    raise "nl.plot.Graph: graphs are made by nl.plot.graph and nl.plot.net"
  end
  kept[self] = nodes
end

-- ---------------------------------------------------------------------- dot

local styles = {
  op = 'shape=box, style="rounded,filled", fillcolor="#eeeeee"',
  module = 'shape=box, style="rounded,filled", fillcolor="#cfe2f3"',
  leaf = 'shape=box, style=filled, fillcolor="#d9ead3"',
  ["end"] = 'shape=ellipse, style=filled, fillcolor="#fce5cd"',
}

local function quoted(text)
  return '"' .. text:gsub('[\\"]', "\\%0"):gsub("\n", "\\n") .. '"'
end

--- The graph in Graphviz's language.
---     > x = nl.ones(2, {requires_grad = true})
---     > select(2, nl.plot.graph(x:exp():sum()):dot():gsub("%->", ""))
---     3
---@return string
function Graph:dot()
  local lines = {
    "digraph graph_ {", '  graph [rankdir=TB, fontname="DejaVu Sans"];',
    '  node [fontname="DejaVu Sans", fontsize=10, height=0.3, color="#666666"];',
    '  edge [color="#666666", arrowsize=0.7];',
  }
  for i, node in ipairs(kept[self]) do
    local label = node.note and node.label .. "\n" .. node.note or node.label
    lines[#lines + 1] = ("  n%d [label=%s, %s];"):format(i, quoted(label), styles[node.kind])
    for _, from in ipairs(node.inputs) do lines[#lines + 1] = ("  n%d -> n%d;"):format(from, i) end
  end
  lines[#lines + 1] = "}\n"
  return table.concat(lines, "\n")
end

--- What dot draws, in one of its formats.
local function drawn(self, name, format)
  local path = os.tmpname()
  local file <close> = assert(io.open(path, "w"))
  file:write(self:dot())
  file:close()
  local pipe = assert(io.popen(("dot -T%s '%s' 2>&1"):format(format, path), "r"))
  local bytes = pipe:read "a"
  local ok, _, code = pipe:close()
  os.remove(path)
  if code == 127 then
    raise(("%s: Graphviz's program dot isn't there, which draws graphs (Debian has it in the package graphviz); "
      .. "without it there are text() and dot()"):format(name))
  elseif not ok then
    raise(("%s: dot failed: %s"):format(name, terminal_text.clean(bytes:sub(1, 200))))
  end
  return bytes
end

--- The graph as the text of an SVG file, by Graphviz's dot.
---     > graph = nl.plot.net(nn.ReLU(), nl.ones(1))
---     > done, why = pcall(graph.svg, graph)
---     > done or why:find "graphviz" ~= nil -- which draws it
---     true
---@return string
function Graph:svg()
  return drawn(self, "nl.plot.Graph:svg", "svg")
end

-- --------------------------------------------------------------------- text

--- Whether a node is told beside who uses it: parameters and inputs.
local function is_beside(node)
  return node.kind == "leaf" and #node.inputs == 0
end

local function name_of(node)
  return node.note and ("%s %s"):format(node.label, node.note) or node.label
end

--- The numbers that nodes are told by: not those of parameters.
local function numbers_of(nodes)
  local numbers, n = {}, 0
  for i, node in ipairs(nodes) do
    if not is_beside(node) then
      n = n + 1
      numbers[i] = n
    end
  end
  return numbers, n
end

--- The graph as lines: a number, what the node is, and what it takes, nodes by their numbers.
---     > x = nl.ones(2, {requires_grad = true})
---     > print(nl.plot.graph((x * 2):sum(), {x = x}):text())
---     1  Mul        ← x [2]
---     2  Sum        ← 1
---     3  result []  ← 2
---@return string
function Graph:text()
  local nodes, lines, widest = kept[self], {}, 0
  local numbers, n = numbers_of(nodes)
  local digits = #tostring(n)
  for i, node in ipairs(nodes) do
    if numbers[i] then widest = math.max(widest, math.min(terminal_text.columns(name_of(node)), 50)) end
  end
  for i, node in ipairs(nodes) do
    if numbers[i] then
      local from = {}
      for k, input in ipairs(node.inputs) do
        from[k] = numbers[input] and tostring(numbers[input]) or name_of(nodes[input])
      end
      local line = (" "):rep(digits - #tostring(numbers[i])) .. numbers[i] .. "  " .. name_of(node)
      if #from > 0 then
        local blanks = (" "):rep(widest - terminal_text.columns(name_of(node)))
        line = line .. blanks .. "  ← " .. table.concat(from, ", ")
      end
      lines[#lines + 1] = line
    end
  end
  return table.concat(lines, "\n")
end

function Graph:__tostring()
  return class.is_a(self, Graph) and kept[self] and self:text() or "nl.plot.Graph"
end

--- Prints the graph as text.
---     > net = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
---     > nl.plot.net(net, nl.ones(1, 2)):show() -- writes it
function Graph:show()
  io.write(self:text(), "\n")
end

-- -------------------------------------------------------------------- files

local parse_save = args.parser("nl.plot.Graph:save", {{"path", "string"}})

--- Writes a file, of the kind that its name asks for: .svg, .png and .pdf are drawn by dot, .dot is its language, .txt
--- the text.
---     > path = os.tmpname() .. ".dot"
---     > nl.plot.graph(nl.ones(1, {requires_grad = true}):sum()):save(path)
---     > os.remove(path)
---     true
---@param path string
function Graph:save(...)
  local path = parse_save(...)
  local ending = path:match "%.(%w+)$"
  ending = ending and ending:lower()
  local bytes
  if ending == "svg" or ending == "png" or ending == "pdf" then bytes = drawn(self, "nl.plot.Graph:save", ending)
  elseif ending == "dot" then bytes = self:dot()
  elseif ending == "txt" then bytes = self:text() .. "\n"
  else raise(("nl.plot.Graph:save: '%s' must end in .svg, .png, .pdf, .dot or .txt"):format(path)) end
  system.check_path("nl.plot.Graph:save", path)
  system.write_bytes("nl.plot.Graph:save", path, bytes)
end

return {Graph = Graph}
