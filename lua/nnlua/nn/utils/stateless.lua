-- nn.utils.stateless: the older name of what nl.func has.

return {functional_call = require "nnlua.func.modules".functional_call}
