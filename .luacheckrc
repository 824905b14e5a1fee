std = "lua54"
max_line_length = 120
exclude_files = {"build/", "lua/nnlua/help/core.lua", "lua/nnlua/help/fields.lua"} -- the latter are declarations
ignore = {"211/_ENV", "212/self"}

files["tests"].std = "+busted"
