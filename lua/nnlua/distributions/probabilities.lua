-- What distributions share that take probabilities or logits, whichever is at hand; the other one follows when it is
-- asked for.

local core = require "nnlua.nn.core"
local utils = require "nnlua.distributions.utils"

local probabilities = {}

--- Raises unless one of both was given.
function probabilities.check_one(self, probs, logits)
  if (probs == nil) == (logits == nil) then
    core.raise(("%s: give either probs or logits%s"):format(self.__name, probs and ", not both" or ""))
  end
end

--- Sets the one of both that was given, and `_param` to it; with other parameters that are broadcast with it.
---@return Tensor ... the others
function probabilities.set(self, probs, logits, ...)
  probabilities.check_one(self, probs, logits)
  local all = {utils.broadcast_all(probs or logits, ...)}
  self[probs and "probs" or "logits"] = all[1]
  self._param = all[1]
  return table.unpack(all, 2)
end

--- Gives a class the fields probs, logits and param_shape; is_binary as in probs_to_logits.
function probabilities.give_fields(class, is_binary)
  class._expanded = {"probs", "logits", "_param"}
  function class.get:param_shape() return self._param.shape end
  function class.lazy:logits() return utils.probs_to_logits(self.probs, is_binary) end
  function class.lazy:probs() return utils.logits_to_probs(self.logits, is_binary) end
end

--- The values along a new first dimension, for each distribution of the batch if expand isn't false.
---@param values Tensor [n] or [n, event]
function probabilities.enumerated(self, values, expand)
  local n, batch, events = values.shape[1], self.batch_shape, utils._part(values.shape, 2)
  local ones = {}
  for i = 1, #batch do ones[i] = 1 end
  values = values:view(utils._joined({n}, ones, events))
  return expand == false and values or values:expand(utils._joined({n}, batch, events))
end

return probabilities
