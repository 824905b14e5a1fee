-- Loads a model of the zoo and runs it once: nnlua's side of start.lua.
local models = dofile((arg[0]:match "^(.*)/[^/]*$" or ".") .. "/models.lua")

require "nnlua".set_num_threads(1)
models.runner(arg[1])()
