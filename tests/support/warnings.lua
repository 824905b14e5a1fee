-- What is written to io.stderr while a function runs: warnings that a spec causes on purpose.
local warnings = {}

--- Calls f; what is written to io.stderr meanwhile comes before its results, as a list of texts.
function warnings.of(f, ...)
  local texts, stderr = {}, io.stderr
  io.stderr = {write = function(_, ...) texts[#texts + 1] = table.concat {...} end}
  local results = table.pack(pcall(f, ...))
  io.stderr = stderr
  if not results[1] then error(results[2], 0) end
  return texts, table.unpack(results, 2, results.n)
end

return warnings
