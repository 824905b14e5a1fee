-- What rows are in ONNX: for each a function f(e, a, step), of an exporter and the row's arguments, that adds nodes and
-- gives the names of the results, or nothing if ONNX has nothing for these arguments.

local rows = {}

for _, family in ipairs {
  "elements", "functions", "shapes", "rearranging", "picking", "scattering", "reductions", "cumulative", "random",
  "layers", "pools", "losses", "loaded",
} do
  for name, f in pairs(require("nnlua.onnx.rows." .. family)) do rows[name] = f end
end

return rows
