-- nnlua.utils: what surrounds models.

return {data = require "nnlua.utils.data"}
