-- nl.plot: figures of data, in the terminal and in files. Read when a name is first asked for.

local guard = require "nnlua.guard"
local on_demand = require "nnlua.on_demand"

return on_demand.fields({}, guard.classes, {
  ["nnlua.plot.figure"] = "Figure",
  ["nnlua.plot.charts"] = "line scatter hist bar box curves",
  ["nnlua.plot.pictures"] = "heatmap confusion image",
  ["nnlua.plot.graph"] = "Graph",
  ["nnlua.plot.graphs"] = "graph net",
})
