-- The batches of a loader, one after the other.

local checks = require "nnlua.trainer.checks"

--- What a loop over a loader gives next, as a list; nil at the end. The second is to be closed. Unless the loop is one
--- that goes on, it has batches, or an error.
return function(name, loader, goes_on)
  local step, state, control, closing = loader:iter()
  return function()
    local batch = table.pack(step(state, control))
    control = batch[1]
    goes_on = goes_on or checks.first_batch(name, control)
    return control ~= nil and batch or nil
  end, closing
end
